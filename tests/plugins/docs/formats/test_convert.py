"""What a node has done in helpers: MessagePack in and out, and every refusal with its reason."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import msgpack
import pytest
from PIL import Image

from parvis.plugins import ErrorCode, Refused
from parvis.plugins.docs.formats import convert
from parvis.plugins.docs.formats.names import WRITTEN
from parvis.plugins.docs.fragment import load, read, seed
from parvis.plugins.docs.schema import Json, attributes_of, content_of
from parvis.plugins.docs.tasks import describe

from .documents import block, doc, goldens, paragraph

DOCUMENT = goldens("editor")[0]
CHANCE = bytes(16)


def packed(value: Any) -> Any:
    """Return a value as it comes through a pipe."""
    return msgpack.unpackb(msgpack.packb(value))


def content(*updates: bytes) -> Json:
    return read(load(updates)).document


def dumped(document: Json) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize("format", WRITTEN)
def test_a_document_is_exported_in_every_format(format: str) -> None:
    file = packed(convert.export([DOCUMENT.update], format, "Title", {}))
    assert isinstance(file, bytes)
    assert file


@pytest.mark.parametrize("format", ["json", "markdown", "html", "text"])
def test_what_was_exported_is_read_again(format: str) -> None:
    file = convert.export([DOCUMENT.update], format, "Title", {})
    parsed = packed(convert.parse(format, file, CHANCE))
    assert parsed["title"] == "Title"
    assert json.loads(parsed["document"]) == content(parsed["update"])
    assert parsed["words"] > 10


def test_every_block_that_was_read_has_an_id() -> None:
    parsed = convert.parse("markdown", b"# a\n\n- b\n- c\n\n| d |\n| - |\n| e |\n", CHANCE)

    def blocks(node: Json) -> list[Any]:
        inner = [child for child in content_of(node) if child["type"] != "text"]
        return [attributes_of(child)["id"] for child in inner] + [
            id for child in inner for id in blocks(child)
        ]

    ids = blocks(json.loads(parsed["document"]))
    assert len(ids) == len(set(ids)) == 13
    assert all(len(id) == 16 for id in ids)


def test_blocks_are_appended_with_ids_of_their_own() -> None:
    first = seed(doc(paragraph("a", id="x"))).get_update()
    two = dumped(doc(paragraph("b", id="x"), paragraph("c", id="y")))
    added = packed(convert.append([first], two, CHANCE))
    assert not added["blank"]
    a, b, c = content_of(content(first, added["update"]))
    assert attributes_of(a)["id"] == "x"
    assert attributes_of(b)["id"] not in {"x", "y"}
    assert attributes_of(c)["id"] == "y"


def test_what_is_appended_to_a_new_document_takes_the_place_of_its_empty_paragraph() -> None:
    first = seed(doc(block("paragraph", id="x"))).get_update()
    added = convert.append([first], dumped(doc(paragraph("b", id="y"))), CHANCE)
    assert added["blank"]
    assert content(first, added["update"]) == doc(paragraph("b", id="y"))
    nothing = convert.append([first], dumped(doc()), CHANCE)
    assert content(first, nothing["update"]) == doc(block("paragraph", id="x"))


@pytest.mark.parametrize(
    "document",
    [
        doc(block("paragraph", id="x"), block("paragraph", id="y")),
        doc(paragraph(" ", id="x")),
        doc(block("heading", level=1, id="x")),
    ],
)
def test_what_somebody_has_made_of_a_document_stays_when_something_is_appended(
    document: Json,
) -> None:
    first = seed(document).get_update()
    added = convert.append([first], dumped(doc(paragraph("b", id="z"))), CHANCE)
    assert content_of(content(first, added["update"]))[:-1] == content_of(content(first))


def test_a_document_becomes_what_it_was() -> None:
    for golden in goldens("coming"):
        then = golden.update
        emptied = convert.rewrite([then], [])
        assert content_of(content(then, emptied)) == []
        back = packed(convert.rewrite([then, emptied], [then]))
        assert content(then, emptied, back) == golden.document
        assert convert.rewrite([then, emptied, back], [then]) == b"\0\0"


def test_what_is_said_of_a_document_names_words_mentions_and_problems() -> None:
    document = doc(block("heading", "T", level=1), block("image", file="ab" * 32), paragraph("w"))
    update = seed(document).get_update()
    assert packed(describe([update])) == {
        "title": "T",
        "excerpt": "w",
        "text": "T\nw",
        "words": 2,
        "mentions": [],
        "problems": [],
    }
    assert packed(convert.files([update])) == ["ab" * 32]
    (callout, _) = goldens("coming")
    assert describe([callout.update])["problems"][0] == "content[1]: unknown node 'callout'"


def test_an_empty_document_is_one() -> None:
    assert describe([])["words"] == 0
    assert convert.export([], "markdown", "", {}) == b""
    assert convert.export([], "json", "", {}) == b'{"type":"doc"}'


def test_an_image_is_checked() -> None:
    out = BytesIO()
    Image.new("RGB", (3, 2)).save(out, "PNG")
    image = packed(convert.image(out.getvalue()))
    assert (image["type"], image["width"], image["height"]) == ("image/png", 3, 2)
    assert image["bytes"].startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("call", "code", "reason"),
    [
        (lambda: convert.export([], "docx", "", {}), ErrorCode.MALFORMED, "json, markdown, html"),
        (
            lambda: convert.parse("pdf", b"", CHANCE),
            ErrorCode.MALFORMED,
            "markdown, html, text, json",
        ),
        (lambda: convert.parse("json", b"{", CHANCE), ErrorCode.MALFORMED, "not JSON"),
        (lambda: convert.parse("json", b"[" * 100_000, CHANCE), ErrorCode.MALFORMED, "not JSON"),
        (lambda: convert.parse("json", b"\xff", CHANCE), ErrorCode.MALFORMED, "not JSON"),
        (
            lambda: convert.parse("json", b"[]", CHANCE),
            ErrorCode.MALFORMED,
            "expected a node of type 'doc'",
        ),
        (
            lambda: convert.parse("json", dumped(doc(block("heading", level=9))), CHANCE),
            ErrorCode.MALFORMED,
            r"content\[0\]\.attrs\.level: expected an integer from 1 to 6",
        ),
        (lambda: convert.append([], b'{"type":"x"}', CHANCE), ErrorCode.MALFORMED, "type 'doc'"),
        (
            lambda: convert.parse("text", b"a" * (convert.MAX_INPUT + 1), CHANCE),
            ErrorCode.TOO_LARGE,
            "10485760",
        ),
        (lambda: convert.parse("text", b"a\n\n" * 200_001, CHANCE), ErrorCode.MALFORMED, "nodes"),
        (lambda: convert.parse("html", b"<p>x" * 100_001, CHANCE), ErrorCode.TOO_LARGE, "parts"),
        (lambda: convert.parse("html", b"<b>" * 5000, CHANCE), ErrorCode.TOO_LARGE, "deep"),
        (lambda: convert.image(b"<svg>"), ErrorCode.MALFORMED, "expected a PNG"),
        (lambda: convert.image(bytes(21 * 2**20)), ErrorCode.TOO_LARGE, "20 MiB"),
    ],
)
def test_what_does_not_fit_is_refused(
    call: Callable[[], Any], code: ErrorCode, reason: str
) -> None:
    with pytest.raises(Refused, match=reason) as refused:
        call()
    assert refused.value.code == code


def test_long_lines_become_several_blocks() -> None:
    parsed = convert.parse("text", b"word " * 50_000, CHANCE)
    blocks = content_of(content(parsed["update"]))
    assert len(blocks) == 3
    assert parsed["words"] == 50_000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_files_of_old_programs_are_read(encoding: str) -> None:
    assert convert.parse("text", "d’été".encode(encoding), CHANCE)["text"] == "d’été"
    assert convert.parse("markdown", "# d’été".encode(encoding), CHANCE)["text"] == "d’été"
