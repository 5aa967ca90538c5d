"""HTTP routes that room types bring along, below ``/api/v1/<type>``."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from parvis.plugins import Caller, HttpRequest, HttpResponse, Route
from parvis.storage import Stream

from ..api import Gate
from ..api.bodies import MAX_BODY, parse, require_json, whole
from ..api.parting import pour, send
from ..identity import Unauthenticated
from ..settings import LOCAL_TENANT
from .bulk import OF_ALL, OF_ONE, Bulk
from .registry import Registry

NO_BODY = frozenset({204, 304})
"""Statuses of answers that carry nothing."""

LARGE: Final = 1024 * 1024
"""Bytes of an answer that is counted until it has gone out: its reader may be slow, or not read."""


def add_plugin_routes(app: web.Application, registry: Registry, gate: Gate) -> None:
    """Serve the routes of all room types; callers are identified, errors answered as JSON."""
    uploads, downloads = Bulk(), Bulk(of_one=2 * OF_ONE, of_all=2 * OF_ALL)
    for kind in registry:
        for route in kind.routes:
            path = f"/api/v1/{kind.name}/{route.path.lstrip('/')}"
            app.router.add_route(route.method, path, _handler(route, gate, uploads, downloads))


def _handler(
    route: Route, gate: Gate, uploads: Bulk, downloads: Bulk
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        caller = await _caller(route, gate, request)
        if route.body is not None:
            require_json(request)
        size = _announced(request, route.max_body)
        if size <= MAX_BODY:
            return await answer(request, caller)
        # For as long as it is worked on: whoever waits for their turn holds it in memory.
        with uploads.held(caller, gate.address(request), size):
            return await answer(request, caller)

    async def answer(request: web.Request, caller: Caller) -> web.StreamResponse:
        body = await whole(request, most=route.max_body)
        asked = HttpRequest(
            caller,
            request.method,
            dict(request.match_info),
            dict(request.query),
            body,
            None if route.body is None else parse(body, route.body),
            request.content_type if "Content-Type" in request.headers else "",
            gate.address(request),
            gate.base(request),
        )
        given = await route.handle(asked)
        if isinstance(given.body, Stream):
            return await _streamed(request, given, given.body)
        made = _response(given)
        if isinstance(made.body, bytes) and len(made.body) > LARGE:
            with downloads.held(caller, asked.address, len(made.body)):
                await send(request, made)
        return made

    return handle


def _announced(request: web.Request, most: int) -> int:
    """Return how many bytes a body has; without a length, how many it may have."""
    if not request.body_exists:
        return 0
    return most if request.content_length is None else min(request.content_length, most)


async def _caller(route: Route, gate: Gate, request: web.Request) -> Caller:
    """Say who asks. Raises `Unauthenticated`, also for a token that does not hold."""
    try:
        return (await gate.http(request)).caller
    except Unauthenticated:
        # A cookie may have ended, or come from another site's page: nobody, then. Who shows a token
        # means to be somebody.
        if not route.public or "Authorization" in request.headers or gate.identity.open:
            raise
        return Caller(LOCAL_TENANT, "")


async def _streamed(
    request: web.Request, answer: HttpResponse, stream: Stream
) -> web.StreamResponse:
    made = web.StreamResponse(status=answer.status, headers=dict(answer.headers))
    made.content_type = answer.content_type
    made.content_length = stream.size
    try:
        await pour(request, made, stream.pieces, stream.size)
    finally:
        await stream.aclose()
    return made


def _response(answer: HttpResponse) -> web.Response:
    headers = dict(answer.headers)
    if answer.status in NO_BODY:
        return web.Response(status=answer.status, headers=headers)
    if isinstance(answer.body, bytes):
        headers["Content-Type"] = answer.content_type
        return web.Response(body=answer.body, status=answer.status, headers=headers)
    return web.json_response(answer.body, status=answer.status, headers=headers)
