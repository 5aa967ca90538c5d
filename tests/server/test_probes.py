"""What operators' tools get to see over HTTP."""

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from parvis.server.health import Health
from parvis.server.metrics import Metrics
from parvis.server.probes import add_probes
from tests.clocks import SetClock


async def test_every_answer_is_counted_by_its_status() -> None:
    app = web.Application()
    add_probes(app, Health(SetClock(), {}), Metrics())
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/livez")).status == 200
        assert (await client.get("/nowhere")).status == 404
        page = await (await client.get("/metrics")).text()
        assert 'parvis_http_requests_total{status="200"} 1.0' in page
        assert 'parvis_http_requests_total{status="404"} 1.0' in page
