"""The kit's way to a room type's HTTP routes: what a node does around them, without the network."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import unquote

from parvis.plugins import Caller, ErrorCode, HttpRequest, HttpResponse, Refused, Route
from parvis.storage import Stream

from .api.bodies import parse
from .api.faults import Fault

BASE = "http://parvis.test"
"""Where a caller of the kit sees the node."""


async def visit(
    routes: Sequence[Route],
    caller: Caller,
    method: str,
    path: str,
    body: bytes | Mapping[str, object],
    content_type: str,
    address: str,
    query: Mapping[str, str],
) -> HttpResponse:
    """Call the route that a path leads to; see `parvis.server.testing.Lobby.request`."""
    route, variables = _find(routes, method, path.strip("/"))
    if not caller.user and not route.public:
        raise Refused(ErrorCode.UNAUTHENTICATED, "sign in, or send an access token")
    if not isinstance(body, bytes):
        body, content_type = json.dumps(dict(body)).encode(), content_type or "application/json"
    if len(body) > route.max_body:
        raise Refused(ErrorCode.TOO_LARGE, "the body is too large")
    value = None
    if route.body is not None:
        try:
            value = parse(body, route.body)
        except Fault as fault:
            raise Refused(ErrorCode.MALFORMED, fault.message) from None
    answer = await route.handle(
        HttpRequest(caller, method, variables, query, body, value, content_type, address, BASE)
    )
    if not isinstance(answer.body, Stream):
        return answer
    return replace(answer, body=b"".join([piece async for piece in answer.body.pieces]))


def _find(routes: Sequence[Route], method: str, path: str) -> tuple[Route, dict[str, str]]:
    for route in routes:
        found = _pattern(route.path.strip("/")).fullmatch(path)
        if found is not None and route.method == method:
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    raise LookupError(f"no route for {method} {path}")


def _pattern(path: str) -> re.Pattern[str]:
    """Return what matches a route's path, as the web server reads it."""
    pieces = re.split(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})+))?\}", path)
    pattern = re.escape(pieces[0])
    for at in range(1, len(pieces), 3):
        name, inside, after = pieces[at : at + 3]
        pattern += f"(?P<{name}>{inside or '[^{}/]+'})" + re.escape(after)
    return re.compile(pattern)
