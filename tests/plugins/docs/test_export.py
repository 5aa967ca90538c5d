"""``parvis room export`` of a document, as an operator types it."""

import asyncio
import json
from pathlib import Path

import pytest

from parvis.plugins import Caller
from parvis.plugins.docs import Docs, DocsSettings
from parvis.server.commands.program import main
from parvis.server.testing import live_room
from parvis.storage.factory import open_store

TEXT = "# Plan\n\nAn *important* point.\n"


async def written(data: Path) -> str:
    """Keep a document in a data folder; return its room's name."""
    store, _ = open_store(f"sqlite:///{data}")
    kind = Docs(DocsSettings(index_pause=3600))
    async with live_room(kind, "none", tenant="local", store=store) as lobby:
        body = {"format": "markdown", "content": TEXT}
        ada = Caller("local", "ada", "Ada", member=True)
        answer = await lobby.request(ada, "POST", "documents", body)
    await store.close()
    assert isinstance(answer.body, dict)
    made = answer.body["document"]
    assert isinstance(made, dict)
    return f"docs/{made['key']}"


async def test_a_document_is_exported_in_its_own_forms_and_those_of_the_core(
    tmp_path: Path,
) -> None:

    data, target = tmp_path / "data", tmp_path / "out"
    room = await written(data)

    async def export(format: str) -> bytes:
        words = ["room", "export", room, "--format", format, "--output", str(target)]
        code = await asyncio.to_thread(main, [*words, "--data", str(data)])
        assert code == 0, format
        return target.read_bytes()

    assert json.loads(await export("json"))["type"] == "doc"
    assert (await export("markdown")).decode() == TEXT
    assert b"<em>important</em>" in await export("html")
    assert (await export("pdf")).startswith(b"%PDF-")
    assert b"offset" in await export("log")


@pytest.mark.parametrize("format", ["docx", ""])
async def test_a_form_that_there_is_not_is_said_with_those_that_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], format: str
) -> None:

    data = tmp_path / "data"
    room = await written(data)
    words = ["room", "export", room, "--format", format, "--data", str(data)]
    assert await asyncio.to_thread(main, words) == 1
    assert "html, json, log, markdown, pdf, text, update" in capsys.readouterr().err
