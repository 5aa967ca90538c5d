"""HTTP routes that a room type brings along, below ``/api/v1/<room type>``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from parvis.protocol.messages import Value
from parvis.storage import Stream

from .access import Caller


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to a route of a room type; the caller has been proven.

    Attributes:
        path: The variables of the route's path, percent-decoded.
        body: As it came; empty if there was none.
        value: An instance of `Route.body`, if the route names one.
        content_type: Of the body, without parameters, in lower case; empty if there was none.
        address: Where the request came from, for limits: see `network_of` and `Buckets`.
        base: Scheme, host and port under which the caller sees the node, for links.
    """

    caller: Caller
    method: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    value: Any = None
    content_type: str = ""
    address: str = ""
    base: str = ""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """The answer: bytes as they are, a blob's stream as it comes, anything else as JSON."""

    body: Value | Stream = None
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Route:
    """An HTTP route below ``/api/v1/<room type>``.

    Attributes:
        path: With ``{name}`` for variables and ``{name:.+}`` for those that may hold slashes.
        summary: One line for the description of the API.
        body: A frozen dataclass that a JSON body is read into, see `HttpRequest.value`; what does
            not fit is answered with 400 before the handler runs. None: the handler reads bytes.
        max_body: Largest body, in bytes; a larger one is answered with 413.
        public: Strangers may call it: then `Caller.user` is empty, and `Caller.tenant` the local
            one. Nothing else is checked.
        status: Of a good answer, for the description.
        answer: Media type of a good answer, for the description.
        query: The query's parameters and what each means, for the description.
    """

    method: str
    path: str
    handle: Callable[[HttpRequest], Awaitable[HttpResponse]]
    summary: str = ""
    body: type[Any] | None = None
    max_body: int = 64 * 1024
    public: bool = False
    status: int = 200
    answer: str = "application/json"
    query: Mapping[str, str] = field(default_factory=dict[str, str])
