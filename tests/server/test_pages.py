"""The built page, served from memory."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from parvis.server.pages import add_pages

SCRIPT = b"export const answer = 42\n" * 200


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a build leaves."""
    folder = tmp_path / "webapp"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(b"<!doctype html><title>Parvis</title>")
    (folder / "icon.svg").write_bytes(b"<svg/>")
    (folder / "assets" / "index-abc.js").write_bytes(SCRIPT)
    (folder / "assets" / "font.woff2").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[TestClient[Any, Any]]:
    """A browser that does not unpack."""
    app = web.Application()
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


async def test_what_has_a_hash_in_its_name_is_kept_for_ever(client: TestClient[Any, Any]) -> None:
    answer = await client.get("/assets/index-abc.js", headers={"Accept-Encoding": "identity"})
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert await answer.read() == SCRIPT


async def test_a_browser_that_unpacks_gets_it_packed(client: TestClient[Any, Any]) -> None:
    answer = await client.get("/assets/index-abc.js", headers={"Accept-Encoding": "br, gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    packed = await answer.read()
    assert len(packed) < len(SCRIPT) / 10
    assert gzip.decompress(packed) == SCRIPT


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
        answer = await client.get("/")
        assert answer.status == 503
        assert "make setup" in await answer.text()
