"""The built page, served from memory."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from parvis.server.api.faults import answer_faults
from parvis.server.pages import NO_PAGES, add_pages
from tests import checkout

SCRIPT = b"export const answer = 42\n" * 200


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a build leaves."""
    folder = tmp_path / "webapp"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(b"<!doctype html><title>Parvis</title>")
    (folder / "icon.svg").write_bytes(b"<svg/>")
    (folder / "sw.js").write_bytes(b"self.skipWaiting()")
    (folder / "manifest.webmanifest").write_bytes(b'{"name": "Parvis"}')
    (folder / "assets" / "index-abc.js").write_bytes(SCRIPT)
    (folder / "assets" / "font.woff2").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "secret.txt").write_text("secret")
    return folder


async def posted(_: web.Request) -> web.Response:
    return web.json_response({})


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[TestClient[Any, Any]]:
    """A browser that does not unpack."""
    app = web.Application(middlewares=[answer_faults])
    app.router.add_post("/api/v1/session", posted)
    add_pages(app, folder)
    async with TestClient(TestServer(app), auto_decompress=False) as client:
        yield client


async def test_the_page_is_at_the_root_and_at_set_up(client: TestClient[Any, Any]) -> None:
    for path in ("/", "/setup"):
        answer = await client.get(path)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert (await answer.read()).startswith(b"<!doctype html>")


VISIT = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding": "identity"}
"""What a browser sends that goes to an address."""


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/docs", "/docs/8fQ2", "/docs/a/b", "/sign-in", "/apis", "/docs/8fQ2.txt", "/wsx"]
)
async def test_a_browser_gets_the_page_wherever_it_goes(
    client: TestClient[Any, Any], method: str, path: str
) -> None:
    answer = await client.request(method, path, headers=VISIT)
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert answer.headers["Cache-Control"] == "no-cache"
    page = b"<!doctype html><title>Parvis</title>"
    assert (answer.headers["Content-Length"], await answer.read()) == (
        str(len(page)),
        page if method == "GET" else b"",
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api", 404),
        ("GET", "/api/v1/session", 405),
        ("GET", "/assets/index-old.js", 404),
        ("GET", "/metrics/x", 404),
        ("GET", "/yjs/", 404),
        ("GET", "/socket.io/", 404),
        ("POST", "/docs/8fQ2", 404),
        ("DELETE", "/nowhere", 404),
    ],
)
async def test_what_is_no_page_is_not_there_in_json(
    client: TestClient[Any, Any], method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path, headers=VISIT)
    assert (answer.status, answer.content_type) == (status, "application/json")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "image/png,*/*;q=0.5", ""])
async def test_a_program_that_asks_for_what_is_not_there_is_told_so(
    client: TestClient[Any, Any], accept: str
) -> None:
    answer = await client.get("/docs/8fQ2", headers={"Accept": accept})
    assert (answer.status, answer.content_type) == (404, "application/json")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/sw.js", "text/javascript; charset=utf-8"),
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/icon.svg", "image/svg+xml"),
    ],
)
async def test_what_keeps_its_name_is_asked_for_each_time(
    client: TestClient[Any, Any], path: str, kind: str
) -> None:
    answer = await client.get(path, headers=VISIT)
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Cache-Control"] == "no-cache"


async def test_what_the_build_has_packed_is_sent_to_who_can_unpack_it(folder: Path) -> None:
    (folder / "assets" / "index-abc.js.br").write_bytes(b"packed well")
    (folder / "assets" / "index-abc.js.gz").write_bytes(b"packed fairly well")
    (folder / "icon.svg.br").write_bytes(b"larger than it was")
    app = web.Application()
    add_pages(app, folder)
    async with TestClient(TestServer(app), auto_decompress=False) as client:
        for accepted, encoding, packed in (
            ("gzip, deflate, br, zstd", "br", b"packed well"),
            ("br;q=0.5, gzip", "br", b"packed well"),
            ("br;q=0, gzip", "gzip", b"packed fairly well"),
            ("br; q=0.000, gzip;q=0.1", "gzip", b"packed fairly well"),
            ("gzip", "gzip", b"packed fairly well"),
            ("identity", None, SCRIPT),
            ("brotli", None, SCRIPT),
        ):
            asked = {"Accept-Encoding": accepted}
            answer = await client.get("/assets/index-abc.js", headers=asked)
            assert answer.headers.get("Content-Encoding") == encoding
            assert await answer.read() == packed
        icon = await client.get("/icon.svg", headers={"Accept-Encoding": "br"})
        assert await icon.read() == b"<svg/>"
        assert (await client.get("/assets/index-abc.js.br")).status == 404


async def test_what_has_a_hash_in_its_name_is_kept_for_ever(client: TestClient[Any, Any]) -> None:
    answer = await client.get("/assets/index-abc.js", headers={"Accept-Encoding": "identity"})
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert await answer.read() == SCRIPT


async def test_a_browser_is_told_that_the_answer_depends_on_what_it_unpacks(
    folder: Path,
) -> None:
    (folder / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(SCRIPT))
    app = web.Application()
    add_pages(app, folder)
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/assets/index-abc.js", headers={"Accept-Encoding": "br, gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert await answer.read() == SCRIPT


async def test_what_packing_does_not_help_is_sent_as_it_is(client: TestClient[Any, Any]) -> None:
    answer = await client.get("/icon.svg", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Content-Type"] == "image/svg+xml"


async def test_a_browser_that_has_it_gets_nothing(client: TestClient[Any, Any]) -> None:
    tag = (await client.get("/")).headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        answer = await client.get("/", headers={"If-None-Match": known})
        assert (answer.status, await answer.read()) == (304, b"")
    assert (await client.get("/", headers={"If-None-Match": '"other"'})).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "//secret.txt",
        "/assets/",
        "/assets",
        "/index.html",
    ],
)
async def test_nothing_else_is_there(client: TestClient[Any, Any], path: str) -> None:
    # A client would tidy the path up before it sends it.
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: parvis\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 404 ")


async def test_a_page_that_is_not_built_says_so(tmp_path: Path) -> None:
    app = web.Application()
    add_pages(app, tmp_path)
    async with TestClient(TestServer(app)) as client:
        for path in ("/", "/docs/x"):
            answer = await client.get(path, headers=VISIT)
            assert answer.status == 503
            assert "make setup" in await answer.text()


def test_the_service_worker_leaves_to_the_node_what_is_no_page() -> None:
    worker = (checkout.CHECKOUT / "clients/web/src/worker.ts").read_text()
    found = re.search(r"OF_THE_NODE = /\^\\/\(([^)]+)\)", worker)
    assert found is not None
    steps = {step.replace("\\", "") for step in found[1].split("|")}
    assert steps == NO_PAGES - {"assets"}  # those it keeps itself
