"""Bad input in the browser: what nobody's friend pastes, drops, imports, forges and types."""

import base64
import io
import struct
import zlib
from collections.abc import Mapping
from typing import Any, Final

from PIL import Image
from pycrdt import XmlElement, XmlFragment, XmlText

from parvis.plugins.docs.schema import check
from tests.authors import author_of
from tests.browser.conftest import RunInBrowser
from tests.running import Server

TOO_MUCH = "Too much to paste at once:"
BLOCKS = f"{TOO_MUCH} up to 20,000 paragraphs fit. Paste it in parts, or import it as a file."
LONG = "Nothing was changed: a paragraph holds up to 100,000 characters. Break it into several."
DEEP = "Nothing was changed: lists and quotes nest up to 32 levels deep."


def test_a_paste_that_does_not_fit_is_refused_in_words_and_nothing_is_lost(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-hostile", "pastes", node)
    documents: dict[str, Any] = result.pop("documents")
    for document in documents.values():
        check(document)
    blocks = {name: len(document["content"]) for name, document in documents.items()}
    assert (blocks.pop("breaks without an end"), blocks.pop("a novel")) == (3, 2001)
    assert set(blocks.values()) == {2}
    # A word alone joins the words at the caret, without its quotes.
    *_, last = documents["a word in deep quotes"]["content"]
    assert last["content"] == [{"type": "text", "text": "Last.deep§"}]
    fits = "Up to 2 million fit; paste it in parts, or import it as a file."
    assert result == {
        "said": {
            "text of 50 MB": [f"{TOO_MUCH} 53 million characters. {fits}"],
            "HTML of 50 MB": [f"{TOO_MUCH} 12 million characters. {fits}"],
            "text of 5 MB": [f"{TOO_MUCH} 5 million characters. {fits}"],
            "a line of a megabyte": [LONG],
            "too many paragraphs": [BLOCKS],
            "too many lines": [BLOCKS],
            "a word in deep quotes": [],
            "a deep quote": [DEEP],
            "a deep list": [DEEP],
            "tags without an end": [],
            "breaks without an end": [],
            "a novel": [],
        },
        "missing": [],
        "crimes": [],
        "errors": [],
    }


def png(width: int, height: int) -> bytes:
    """Return a red image."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(out, "PNG")
    return out.getvalue()


def bomb() -> bytes:
    """Return a small file that says it is an image of 3.6 gigapixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    body = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


GOOD: Final = png(40, 30)
SCRIPT: Final = b"<script>hacked('image')</script>"
SVG: Final = b"<svg xmlns='http://www.w3.org/2000/svg' onload='hacked(1)'>" + SCRIPT + b"</svg>"
HTML: Final = b"<!doctype html><body onload='hacked(1)'>" + SCRIPT
FILES: Final[Mapping[str, tuple[str, bytes]]] = {
    "bomb.png": ("image/png", bomb()),
    "truncated.png": ("image/png", png(800, 600)[:300]),
    "text.jpg": ("image/jpeg", b"no image at all"),
    "drawing.svg": ("image/svg+xml", SVG),
    "drawing.png": ("image/png", SVG),
    "page.png": ("image/png", HTML),
    "page.html": ("text/html", HTML),
    "both.gif": ("image/gif", b"GIF89a/*" + SCRIPT + b"*/=1;hacked(1)//"),
}
NOT_TAKEN = (
    "This image cannot be shown here: it is damaged, or not what its name says."
    " PNG, JPEG, GIF and WebP work."
)


def listed(files: Mapping[str, tuple[str, bytes]]) -> list[dict[str, str | int]]:
    """Return files as the scenarios take them."""
    return [
        {"name": name, "type": kind, "base64": base64.b64encode(content).decode()}
        for name, (kind, content) in files.items()
    ]


def test_hostile_images_are_refused_in_words_and_run_nothing(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    polyglot = {"polyglot.png": ("image/png", GOOD + SCRIPT)}
    large = {"name": "large.png", "type": "image/png", "size": 20 * 2**20 + 1}
    hostile = [*listed(FILES), large]
    result = run_in_browser(
        "docs-hostile", "images", node, hostile=hostile, polyglot=listed(polyglot)[0]
    )
    kinds = "is not an image that can be shown here. PNG, JPEG, GIF and WebP can."
    assert result == {
        "said": {
            "bomb.png": "This image is too large. Up to 20 MB and 40 million pixels work,"
            " as long as the document has room.",
            "truncated.png": NOT_TAKEN,
            "text.jpg": NOT_TAKEN,
            "drawing.svg": f"drawing.svg {kinds}",
            "drawing.png": NOT_TAKEN,
            "page.png": NOT_TAKEN,
            "page.html": f"page.html {kinds}",
            "both.gif": NOT_TAKEN,
            "large.png": "large.png is too large. Images may have up to 20 MB.",
        },
        "dropped": [f"page.html {kinds}"],
        "stayed": True,
        "text": "First.Still here.",
        "polyglot": {"width": 40, "clean": True, "type": "image/png", "nosniff": "nosniff"},
        "crimes": [],
        "errors": [],
    }


def test_a_good_image_comes_in_three_ways_and_stays(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    files = {f"{way}.png": ("image/png", png(40 + at, 30)) for at, way in enumerate("abc")}
    result = run_in_browser("docs-hostile", "good_images", node, files=listed(files))
    assert result == {
        "both": [[40, 41, 42], [40, 41, 42]],
        "reloaded": [40, 41, 42],
        "offline": [40, 41, 42],
        "errors": [],
    }


def test_nothing_of_a_hostile_page_runs_however_it_comes_in(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    ada = author_of(node, "ada@example.org")
    key = ada.new_document(title="Forged", format="markdown", content="Plain words.")

    def write(fragment: XmlFragment) -> None:
        block = XmlElement("paragraph")
        fragment.children.append(block)
        text = XmlText()
        block.children.append(text)
        for scheme in ("javascript:", "JAVA\tSCRIPT:", "data:text/html,"):
            text.insert(len(str(text)), "x", {"link": {"href": f"{scheme}hacked('forged')"}})

    ada.forge(key, write)
    result = run_in_browser("docs-hostile", "markup", node, forged=key)
    good = {"links": ["https://example.org/good"], "odd": 0}
    # A picture of elsewhere becomes a link: nothing is fetched from there.
    page = {"links": ["https://evil.example/i.png", "https://example.org/good"], "odd": 0}
    none: Any = {"links": [], "odd": 0}
    ways = ["pasted", "as our own", "page.html", "notes.md", "forged", "typed"]
    unsafe = (
        "This address cannot be a link."
        " Web addresses (https), mail addresses and phone numbers can."
    )
    assert result == {
        "found": {
            "pasted": page,
            "as our own": good,
            "page.html": page,
            "notes.md": good,
            "forged": none,
            "typed": none,
        },
        "exported": dict.fromkeys(ways),
        "written": "Plain words.\nxxx",
        "refusals": [unsafe] * 3,
        "foreign": [],
        "crimes": [],
        "errors": [],
    }
