"""Real documents, with comments and images, move to PostgreSQL and back, and are found there."""

import asyncio
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image

from tests.checkout import CHECKOUT
from tests.databases import Database
from tests.running import Server, start_server

AT_ONCE = {"PARVIS_ROOMS__DOCS__INDEX_PAUSE": "0"}


def parvis(*words: str, text: str = "") -> str:
    """Run a command that succeeds; return what it prints."""
    argv = [sys.executable, "-m", "parvis.server", *words]
    done = subprocess.run(
        argv, cwd=CHECKOUT, input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def picture() -> bytes:
    """Return an image."""
    content = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(content, "PNG")
    return content.getvalue()


class Ada:
    """Somebody who asks a node for documents."""

    def __init__(self, server: Server, *store: str) -> None:
        words = ("token", "ada@example.org", "--data", str(server.data), *store)
        headers = {"Authorization": f"Bearer {parvis(*words).strip()}"}
        self.http = aiohttp.ClientSession(f"{server.url}/api/v1/docs/", headers=headers)

    async def get(self, path: str) -> Any:
        async with self.http.get(path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def found(self, words: str, *, count: int) -> list[str]:
        """Search until so many documents are found, and return their keys."""
        async with asyncio.timeout(60):
            while True:
                found = (await self.get(f"search?q={words}"))["results"]
                if len(found) == count:
                    return [each["document"]["key"] for each in found]


async def seen(server: Server, key: str, image: str, *store: str) -> dict[str, Any]:
    """Return what a node shows of the document."""
    ada = Ada(server, *store)
    async with ada.http as http:
        async with http.get(f"documents/{key}/content?format=markdown") as answer:
            content = await answer.text()
        async with http.get(f"documents/{key}/files/{image}") as answer:
            shown = await answer.read()
        return {
            "content": content,
            "image": shown,
            "found": await ada.found("peas", count=1),
            "not found": await ada.found("xyzzy", count=0),
            "document": (await ada.get(f"documents/{key}"))["document"],
        }


async def test_documents_are_the_same_in_both_stores(database: Database, tmp_path: Path) -> None:
    with start_server(tmp_path, open=False, settings=AT_ONCE) as server:
        data = str(server.data)
        add = ("user", "add", "ada@example.org", "--password-stdin", "--data", data)
        parvis(*add, text="weaving algebraic patterns\n")
        async with Ada(server).http as http:
            body = {"title": "Dîner", "format": "markdown", "content": "# Été\n\npeas first"}
            async with http.post("documents", json=body) as made:
                assert made.status == 201, await made.text()
                key = (await made.json())["document"]["key"]
            async with http.post(f"documents/{key}/files", data=picture()) as kept:
                image = (await kept.json())["file"]["hash"]
        before = await seen(server, key, image)
    assert before["found"] == [key]
    assert "peas first" in before["content"]

    parvis("store", "migrate", "--store", database.owner, "--data", data)
    parvis("migrate", "--data", data, "--to", database.node)
    store = ("--store", database.node)
    with start_server(tmp_path, open=False, settings=AT_ONCE, args=list(store)) as server:
        there = await seen(server, key, image, *store)
    assert there == before

    back = tmp_path / "back" / "data"
    back.parent.mkdir()
    parvis("migrate", "--data", data, *store, "--to", f"sqlite:///{back}")
    with start_server(back.parent, open=False, settings=AT_ONCE) as server:
        assert await seen(server, key, image) == before
