"""Every error as JSON: ``{"error": {"code": "room_not_found", "message": "…", "hint": "…"}}``."""

import asyncio
import http
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from parvis.plugins import ErrorCode, Refused
from parvis.protocol import InvalidName
from parvis.storage import AccountChanged, EmailTaken, RoomDeleted, RoomNotFound, StoreUnavailable

from ..errors import ServerError
from ..identity import (
    InvalidAccount,
    KeysUnavailable,
    LinkInvalid,
    SetUpClosed,
    TooBusy,
    TooManyAttempts,
    Unauthenticated,
    WeakPassword,
)
from .parting import part

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Fault(ServerError):
    """An answer that is an error.

    Attributes:
        status: Of HTTP.
        code: Stable; clients branch on it.
        message: For people.
        hint: What to do about it, or empty.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        """Return it as it goes out."""
        error = {"code": self.code, "message": self.message, "hint": self.hint}
        return web.json_response({"error": error}, status=self.status, headers=self.headers)


STATUS: Final[Mapping[ErrorCode, int]] = {
    ErrorCode.MALFORMED: 400,
    ErrorCode.OUT_OF_ORDER: 400,
    ErrorCode.INVALID_NAME: 400,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.PERMISSION_DENIED: 403,
    ErrorCode.ROOM_NOT_FOUND: 404,
    ErrorCode.UNKNOWN_ROOM_TYPE: 404,
    ErrorCode.UNKNOWN_COMMAND: 404,
    ErrorCode.CONFLICT: 409,
    ErrorCode.ROOM_DELETED: 410,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.TOO_MANY_ROOMS: 429,
    ErrorCode.TRY_AGAIN: 503,
    ErrorCode.STORE_UNAVAILABLE: 503,
    ErrorCode.DRAINING: 503,
    ErrorCode.INTERNAL: 500,
}
"""Status of a refusal; those not listed are 422: understood, looked at and turned down."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How an exception is answered; an empty message is the exception's own text."""

    status: int
    code: str
    message: str = ""
    hint: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


SHAPES: Final[Mapping[type[Exception], Shape]] = {
    Unauthenticated: Shape(401, "unauthenticated", headers={"WWW-Authenticate": "Bearer"}),
    WeakPassword: Shape(
        422, "weak_password", hint="Several words that nobody would put together are a good start."
    ),
    InvalidAccount: Shape(422, "invalid_account"),
    LinkInvalid: Shape(410, "link_gone", hint="Ask for a new one."),
    SetUpClosed: Shape(403, "set_up_closed", hint="Sign in, or ask an administrator."),
    TooBusy: Shape(503, "busy", headers={"Retry-After": "1"}),
    KeysUnavailable: Shape(503, "keys_unavailable", headers={"Retry-After": "30"}),
    AccountChanged: Shape(409, "conflict", "the account has just changed", "Try again."),
    EmailTaken: Shape(409, "email_taken", "another account has this e-mail address"),
    InvalidName: Shape(400, "invalid_name"),
    RoomNotFound: Shape(404, "room_not_found", "there is no such room"),
    RoomDeleted: Shape(410, "room_deleted", "the room was deleted"),
    StoreUnavailable: Shape(
        503,
        "store_unavailable",
        "nothing can be kept at the moment",
        "Try again in a moment.",
        {"Retry-After": "5"},
    ),
}


def fault_of(error: Exception) -> Fault | None:
    """Return the answer to an exception, or None if it is a bug."""
    match error:
        case Fault():
            return error
        case Refused():
            return Fault(STATUS.get(error.code, 422), error.code.slug, error.reason)
        case TooManyAttempts():
            wait = math.ceil(error.retry_after)
            return Fault(
                429,
                "too_many_attempts",
                "too many attempts",
                f"Try again in {wait} seconds.",
                {"Retry-After": str(wait)},
            )
        case _:
            pass
    for kind in type(error).__mro__:
        shape = SHAPES.get(kind)
        if shape is not None:
            message = shape.message or str(error)
            return Fault(shape.status, shape.code, message, shape.hint, shape.headers)
    return None


PHRASES: Final[Mapping[int, tuple[str, str]]] = {
    404: ("not_found", "there is nothing at this address"),
    405: ("method_not_allowed", "this address does not take this method"),
    413: ("too_large", "the body is too large"),
}
"""Status → code and message, for what aiohttp refuses by itself."""


def fault_of_http(error: web.HTTPException) -> Fault:
    """Return aiohttp's own refusals (no such route, method, size) in our form."""
    code, message = PHRASES.get(error.status, ("", ""))
    phrase = http.HTTPStatus(error.status).phrase.lower()
    headers = {name: value for name, value in error.headers.items() if name == "Allow"}
    hint = f"The methods here are {headers['Allow']}." if headers else ""
    return Fault(error.status, code or phrase.replace(" ", "_"), message or phrase, hint, headers)


@web.middleware
async def answer_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every exception of a handler as JSON, without a stack trace."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        fault = fault_of_http(error)
    except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
        raise
    except Exception as error:
        known = fault_of(error)
        if known is None:
            logger.exception("%s %s: not answered", request.method, request.path)
        fault = known or _internal()
    except BaseException:
        # A panic in native code is no Exception; it must not take the connection's task along.
        logger.exception("%s %s: not answered", request.method, request.path)
        fault = _internal()
    answer = fault.response()
    if not request.content.at_eof() and fault.status != http.HTTPStatus.REQUEST_TIMEOUT:
        await part(request, answer)
    return answer


def _internal() -> Fault:
    return Fault(500, "internal", "the server made a mistake", "Its log says more.")
