"""Content in and out, and images."""

import io
import json
from typing import Any

import pytest
from PIL import Image

from parvis.plugins import ErrorCode
from parvis.plugins.docs import contents
from tests.plugins.docs.house import House, Json, house
from tests.plugins.docs.test_spaces import space
from tests.plugins.docs.writing import Pen, texts

MARKDOWN = "# Plan B\n\nFirst *point*.\n\n- [x] done\n"


def kinds(node: Json) -> list[str]:
    return [child["type"] for child in node.get("content", [])]


async def content(docs: House, who: str, key: str, format: str = "json", **query: str) -> bytes:
    body = await docs.ask(who, "GET", f"documents/{key}/content", b"", format=format, **query)
    assert isinstance(body, bytes)
    return body


async def test_a_document_is_made_of_markdown_and_read_in_every_format() -> None:
    async with house() as docs:
        made = await docs.ask(
            "ada", "POST", "documents", {"format": "markdown", "content": MARKDOWN}
        )
        key = made["document"]["key"]
        assert made["document"]["title"] == "Plan B"
        document = json.loads(await content(docs, "ada", key))
        assert kinds(document) == ["heading", "paragraph", "taskList"]
        assert "# Plan B" in (await content(docs, "ada", key, "markdown")).decode()
        assert "<em>point</em>" in (await content(docs, "ada", key, "html")).decode()
        assert "First point." in (await content(docs, "ada", key, "text")).decode()
        await docs.share("ada", key, "cy", "viewer")
        assert json.loads(await content(docs, "cy", key)) == document
        code = await docs.refused("eve", "GET", f"documents/{key}/content")
        assert code is ErrorCode.ROOM_NOT_FOUND
        code = await docs.refused("ada", "GET", f"documents/{key}/content", b"", format="docx")
        assert code is ErrorCode.MALFORMED


async def test_reading_a_file_takes_less_patience_than_writing_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert contents.READING == 30
    monkeypatch.setattr(contents, "READING", 0.001)
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        body = {"format": "markdown", "content": MARKDOWN}
        for path in ("documents", f"documents/{key}/append"):
            assert await docs.refused("ada", "POST", path, body) is ErrorCode.TOO_LARGE
        assert await content(docs, "ada", key, "text")


async def test_a_file_is_saved_under_its_title_and_shown_by_no_browser() -> None:
    async with house() as docs:
        key = await docs.make("ada", 'Été: "a/b"')
        answer = await docs.answer("ada", "GET", f"documents/{key}/content", b"", format="html")
        disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith("attachment; filename=\"_t__ _a_b_.html\"; filename*=UTF-8''")
        assert disposition.endswith("%C3%89t%C3%A9_%20_a_b_.html")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_a_document_can_be_read_as_it_was() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        docs.move(key)
        await Pen(await docs.lobby.join("ada")).write("later")
        await docs.share("ada", key, "cy", "viewer")
        assert "later" in (await content(docs, "ada", key, "text")).decode()
        assert "later" not in (await content(docs, "ada", key, "text", offset="1")).decode()
        path = f"documents/{key}/content"
        code = await docs.refused("cy", "GET", path, b"", format="text", offset="1")
        assert code is ErrorCode.PERMISSION_DENIED


async def test_a_file_is_imported_by_its_name_or_its_type() -> None:
    async with house() as docs:
        for name, text, title in (
            ("notes.md", b"Just text", "Just text"),
            ("page.HTML", b"<h1>Page</h1><script>alert(1)</script>", "Page"),
            ("list.txt", b"", "list"),
        ):
            made = await docs.ask("ada", "POST", "import", text, name=name)
            assert made["document"]["title"] == title
        read = (await content(docs, "ada", made["document"]["key"], "html")).decode()
        assert "alert" not in read
        code = await docs.refused("ada", "POST", "import", b"x", name="virus.exe")
        assert code is ErrorCode.REFUSED
        code = await docs.refused("ada", "POST", "import", b"{", name="a.json")
        assert code is ErrorCode.MALFORMED


async def test_content_is_added_at_the_end_and_everybody_sees_it() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Log")
        docs.move(key)
        cy = Pen(await docs.lobby.join("ada"))
        added = await docs.ask(
            "ada", "POST", f"documents/{key}/append", {"format": "text", "content": "news"}
        )
        assert added["offset"] == 2
        assert texts(cy) == ["news"], "the empty paragraph of a new document has made room"


async def test_who_begins_to_write_while_something_is_added_keeps_their_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with house() as docs:
        key = await docs.make("ada", "Log")
        docs.move(key)
        pen = Pen(await docs.lobby.join("ada"))
        node = docs.lobby.node
        compute, begun = type(node).compute, 0

        async def slow(self: Any, task: str, *args: Any, **how: Any) -> Any:
            nonlocal begun
            done = await compute(self, task, *args, **how)
            if task.endswith(":append") and not begun:
                begun += 1
                await pen.write("mine")
            return done

        monkeypatch.setattr(type(node), "compute", slow)
        body = {"format": "text", "content": "news"}
        await docs.ask("ada", "POST", f"documents/{key}/append", body)
        assert begun
        assert texts(pen) == ["", "mine", "news"]


async def test_a_duplicate_has_the_content_and_neither_past_nor_comments() -> None:
    async with house() as docs:
        team = await space(docs, "ada", "Team")
        key = await docs.make("ada", "Plan", space=team)
        docs.move(key)
        await Pen(await docs.lobby.join("ada")).write("secret past", id="b1")
        await docs.share("ada", key, "bob", "viewer")
        copy = (await docs.ask("bob", "POST", f"documents/{key}/duplicate", {}))["document"]
        assert (copy["title"], copy["owner"]["id"], copy["space"]) == ("Copy of Plan", "bob", None)
        assert (copy["role"], copy["shared"]) == ("owner", False)
        assert json.loads(await content(docs, "bob", copy["key"])) == json.loads(
            await content(docs, "ada", key)
        )
        history = await docs.ask("bob", "GET", f"documents/{copy['key']}/history")
        assert [entry["to"] for entry in history["entries"]] == [1]
        code = await docs.refused("ada", "GET", f"documents/{copy['key']}")
        assert code is ErrorCode.ROOM_NOT_FOUND


def picture(format: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(out, format, **options)
    return out.getvalue()


async def upload(docs: House, who: str, key: str, image: bytes) -> Json:
    file: Json = (await docs.ask(who, "POST", f"documents/{key}/files", image))["file"]
    return file


async def test_an_image_is_kept_without_what_it_says_about_its_maker() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        exif = Image.Exif()
        exif[0x010F] = "Secret camera"
        file = await upload(docs, "ada", key, picture("JPEG", exif=exif))
        assert (file["type"], file["width"], file["height"]) == ("image/jpeg", 3, 2)
        await docs.share("ada", key, "cy", "viewer")
        answer = await docs.answer("cy", "GET", f"documents/{key}/files/{file['hash']}")
        assert isinstance(answer.body, bytes)
        assert b"Secret camera" not in answer.body
        assert len(answer.body) == file["size"]
        assert answer.content_type == "image/jpeg"
        assert answer.headers["Content-Disposition"] == "inline"
        assert answer.headers["Cache-Control"] == "private, max-age=604800"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_what_is_no_image_is_refused_whatever_it_calls_itself() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
        for hostile in (svg, b"<html>", b"\x89PNG\r\n\x1a\nnonsense", b""):
            code = await docs.refused("ada", "POST", f"documents/{key}/files", hostile)
            assert code is ErrorCode.MALFORMED
        assert await docs.lobby.node.query("kit", "SELECT * FROM docs_file") == []


async def test_a_file_is_given_to_readers_of_its_document_only() -> None:
    async with house() as docs:
        key, other = await docs.make("ada", "Plan"), await docs.make("bob", "Other")
        file = await upload(docs, "ada", key, picture())
        for place in (key, other):
            # To know a hash is not to have the file.
            code = await docs.refused("bob", "GET", f"documents/{place}/files/{file['hash']}")
            assert code is ErrorCode.ROOM_NOT_FOUND


async def test_a_file_goes_with_the_last_document_that_has_it() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        file = await upload(docs, "ada", key, picture())
        copy = (await docs.ask("ada", "POST", f"documents/{key}/duplicate", {}))["document"]["key"]
        for each, left in ((key, True), (copy, False)):
            await docs.ask("ada", "POST", f"documents/{each}/bin")
            await docs.answer("ada", "DELETE", f"documents/{each}")
            kept = await docs.lobby.blobs.get("kit", file["hash"])
            assert (kept is not None) is left
