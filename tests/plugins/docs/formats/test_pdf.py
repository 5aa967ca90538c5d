"""PDF: tagged, with the given images and nothing that was fetched."""

import re
import sys
import zlib
from collections.abc import Iterator

import pytest

from parvis.plugins import ErrorCode, Refused
from parvis.plugins.docs.formats.pdf import to_pdf

from .documents import PIXEL, block, doc, goldens, paragraph

FILE = "ab" * 32
IMAGE = b"/Subtype /Image"


def test_every_block_can_be_printed() -> None:
    for golden in [*goldens("editor"), *goldens("coming")]:
        assert to_pdf(golden.document, golden.name, {}).startswith(b"%PDF-")


def inflated(pdf: bytes) -> bytes:
    """Return a file together with what its compressed parts hold."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    inner = [zlib.decompressobj().decompress(s) for s in streams if s[:1] == b"\x78"]
    return b"\n".join([pdf, *inner])


def test_a_pdf_can_be_read_aloud() -> None:
    pdf = inflated(to_pdf(doc(block("heading", "Title", level=1), paragraph("w")), "The title", {}))
    assert b"/MarkInfo" in pdf
    assert b"/StructTreeRoot" in pdf
    assert b'pdfuaid:part="1"' in pdf
    assert b"The title" in pdf


def test_numbers_of_lists_and_widths_of_images_count() -> None:
    def made(start: int, width: int) -> bytes:
        items = block("orderedList", block("listItem", paragraph("x")), start=start)
        return to_pdf(doc(items, block("image", file=FILE, width=width)), "", {FILE: PIXEL})

    assert made(7, 20) == made(7, 20)
    assert made(7, 20) != made(8, 20)
    assert made(7, 20) != made(7, 40)


def test_an_image_is_in_the_pdf_if_it_was_given() -> None:
    document = doc(block("image", file=FILE, alt="a pixel"))
    assert IMAGE in inflated(to_pdf(document, "", {FILE: PIXEL}))
    assert IMAGE not in inflated(to_pdf(document, "", {}))
    assert IMAGE not in inflated(to_pdf(document, "", {FILE: b"<svg>"}))


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """What was opened of files and sockets while the test ran."""
    names: list[str] = []
    watching = True

    def watch(event: str, args: tuple[object, ...]) -> None:
        if watching and event in {"socket.connect", "socket.getaddrinfo", "open", "urllib.Request"}:
            names.append(f"{event} {args[0]}")

    sys.addaudithook(watch)  # There is no way to take it off again.
    yield names
    watching = False


def test_nothing_is_fetched_for_a_pdf(opened: list[str]) -> None:
    # A client that lies may name anything: all of these were no hash, or lead nowhere.
    images = ["file:///etc/passwd", "http://127.0.0.1:9/x.png", "data:image/png;base64,AA", FILE]
    document = doc(*(block("image", file=name) for name in images), paragraph("x"))
    to_pdf(document, "", {name: PIXEL for name in images[:3]})
    assert [name for name in opened if "passwd" in name or not name.startswith("open ")] == []


def test_a_server_without_the_library_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(Refused, match=r"parvis\[pdf\]") as refused:
        to_pdf(doc(paragraph("x")), "", {})
    assert refused.value.code == ErrorCode.REFUSED


class WithoutPango:
    """Finds WeasyPrint as it is where Pango is missing."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")


def test_a_server_without_pango_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [WithoutPango(), *sys.meta_path])
    with pytest.raises(Refused, match=r"libpango-1\.0-0"):
        to_pdf(doc(paragraph("x")), "", {})
