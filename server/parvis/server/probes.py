"""``/livez``, ``/readyz`` and ``/metrics``: what operators and their tools look at."""

from aiohttp import web

from .health import Health, livez, readyz
from .metrics import CONTENT_TYPE, Metrics


def add_probes(app: web.Application, health: Health, metrics: Metrics) -> None:
    """Serve the three of them, and count what all requests are answered with."""

    async def alive(_: web.Request) -> web.Response:
        status, body = livez(health)
        return web.json_response(body, status=status)

    async def ready(_: web.Request) -> web.Response:
        status, body = readyz(health)
        return web.json_response(body, status=status)

    async def measured(_: web.Request) -> web.Response:
        return web.Response(body=metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    async def count(_: web.Request, response: web.StreamResponse) -> None:
        metrics.http_requests(response.status).inc()

    app.on_response_prepare.append(count)
    app.router.add_get("/livez", alive)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/metrics", measured)
