"""Signing in and out, the first administrator, tickets and access tokens."""

import dataclasses
import logging
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from parvis.storage import User

from ..identity.tickets import SECONDS as TICKET_SECONDS
from .contract import Api, Call
from .faults import Fault

logger = logging.getLogger(__name__)

SHOWN: Final = (
    "id", "tenant", "email", "name", "color", "language", "admin", "created", "disabled"
)  # fmt: skip
"""What the API shows of an account to its owner and to administrators."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs in."""

    email: str
    password: str = field(metadata={"secret": True})


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """Who becomes the first administrator; the secret stands in the link of the first start."""

    email: str
    password: str = field(metadata={"secret": True})
    secret: str = field(metadata={"secret": True})
    name: str = ""


async def sign_in(api: Api, call: Call) -> web.Response:
    """Begin a session: the answer sets the cookie."""
    return await begin(api, call, await _authenticate(api, call), 200)


async def who_am_i(api: Api, call: Call) -> web.Response:
    """Say who is signed in. Whoever shows nothing at all is nobody, and that is no error.

    Every page asks this when it opens: browsers write refused requests into their console.
    """
    shows_nothing = "Authorization" not in call.request.headers and not api.gate.cookie(
        call.request
    )
    if shows_nothing and not api.identity.open:
        return web.json_response(
            {"user": None, "open": False, "mail": api.members.post.configured, "invite": False}
        )
    caller = (await api.gate.http(call.request)).caller
    if caller.anyone:
        nobody = {"user": None, "open": True, "mail": False, "invite": False}
        return web.json_response(nobody)
    if not caller.member:
        guest = {"id": caller.user, "name": caller.name, "color": caller.color}
        return web.json_response(
            {"user": None, "guest": guest, "open": False, "mail": False, "invite": False}
        )
    user = await api.identity.people.accounts.user(caller.user)
    if user is None:
        raise Fault(401, "unauthenticated", "the account is gone")
    return web.json_response(
        {
            "user": shown(user),
            "open": False,
            "mail": api.members.post.configured,
            "invite": api.members.may_invite(caller),
        }
    )


async def sign_out(api: Api, call: Call) -> web.Response:
    """End the session; its websockets close."""
    api.gate.require_own_page(call.request)
    cookie = api.gate.cookie(call.request)
    if cookie is not None:
        await api.identity.people.sign_out(cookie)
    response = web.Response(status=204)
    api.gate.clear_cookie(response)
    # What the browser kept of images and files is not for whoever sits here next.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


async def set_up(api: Api, call: Call) -> web.Response:
    """Make the first administrator and begin their session."""
    api.gate.require_own_page(call.request)
    given: FirstAdmin = call.body
    user = await api.identity.people.set_up(
        given.secret, email=given.email, name=given.name, password=given.password
    )
    logger.info("%s: made the first administrator", user.id)
    return await begin(api, call, user, 201)


async def ticket(api: Api, call: Call) -> web.Response:
    """Issue a one-time ticket for the native websocket, bound to the page's origin."""
    secret = api.identity.ticket(call.who, api.gate.origin(call.request))
    return web.json_response({"ticket": secret, "expires_in": TICKET_SECONDS})


async def access_token(api: Api, call: Call) -> web.Response:
    """Issue an access token to a client that is no browser."""
    signed = api.identity.access_token(await _authenticate(api, call))
    left = round(signed.expires - api.clock.time())
    return web.json_response({"token": signed.token, "expires_in": left})


def shown(user: User) -> dict[str, object]:
    """Return what the API shows of an account."""
    kept = dataclasses.asdict(user)
    return {name: kept[name] for name in SHOWN}


async def _authenticate(api: Api, call: Call) -> User:
    api.gate.require_own_page(call.request)
    given: Credentials = call.body
    address = api.gate.address(call.request)
    return await api.identity.people.authenticate(given.email, given.password, address)


async def begin(api: Api, call: Call, user: User, status: int, **more: str) -> web.Response:
    """Sign somebody in who has proven who they are: the answer sets the cookie."""
    # A fresh secret at each sign-in: one that was planted before is worth nothing.
    before = api.gate.cookie(call.request)
    if before is not None:
        await api.identity.people.sign_out(before)
    secret, _ = await api.identity.people.sign_in(user)
    response = web.json_response({"user": shown(user), **more}, status=status)
    api.gate.set_cookie(response, secret)
    logger.info("%s: signed in from %s", user.id, api.gate.address(call.request))
    return response
