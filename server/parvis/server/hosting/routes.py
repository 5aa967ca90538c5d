"""HTTP routes that room types bring along, below ``/api/v1/<type>``."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from parvis.plugins import HttpRequest, Route

from ..api import Gate
from ..api.bodies import whole
from .registry import Registry


def add_plugin_routes(app: web.Application, registry: Registry, gate: Gate) -> None:
    """Serve the routes of all room types; callers are identified, errors answered as JSON."""
    for kind in registry:
        for route in kind.routes:
            path = f"/api/v1/{kind.name}/{route.path.lstrip('/')}"
            app.router.add_route(route.method, path, _handler(route, gate))


def _handler(route: Route, gate: Gate) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        identified = await gate.http(request)
        answer = await route.handle(
            HttpRequest(
                identified.caller,
                request.method,
                dict(request.match_info),
                dict(request.query),
                await whole(request),
            )
        )
        headers = dict(answer.headers)
        if isinstance(answer.body, bytes):
            headers["Content-Type"] = answer.content_type
            return web.Response(body=answer.body, status=answer.status, headers=headers)
        return web.json_response(answer.body, status=answer.status, headers=headers)

    return handle
