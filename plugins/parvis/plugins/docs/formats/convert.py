"""What a node has done in helper processes: ``compute("parvis.plugins.docs.formats.convert:…")``.

Arguments and results are plain MessagePack values. Documents are JSON in bytes, because they may be
nested deeper than such values; contents are Yjs updates that are together worth a document. What
does not fit or is too large raises `Refused` with the place and the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypedDict

from parvis.plugins import ErrorCode, Refused

from .. import fragment
from ..rewrite import rewrite as rewrite_tree
from ..schema import Invalid, Json, attributes_of, check, content_of
from . import images, text
from .html_reader import from_html
from .html_writer import to_page
from .limits import TooLarge
from .markdown_reader import from_markdown
from .markdown_writer import to_markdown
from .names import WRITTEN

MAX_INPUT = 10 * 1024 * 1024
MAX_OUTPUT = 64 * 1024 * 1024


class Parsed(TypedDict):
    """A file that was read: the document as JSON, an update that makes it, and what it says."""

    document: bytes
    update: bytes
    title: str
    excerpt: str
    text: str
    words: int


class Added(TypedDict):
    """What `append` does: the update, and whether it took an empty paragraph away."""

    update: bytes
    blank: bool


def export(updates: Sequence[bytes], format: str, title: str, images: Mapping[str, bytes]) -> bytes:
    """Return a document as a file of one of `names.WRITTEN`.

    Args:
        title: Of the file, where the format has room for one.
        images: By the hash that image nodes name; one that is missing shows its words instead.
    """
    write = _WRITERS.get(format)
    if write is None:
        raise Refused(ErrorCode.MALFORMED, f"the formats are {', '.join(WRITTEN)}")
    with _refusing():
        content = write(fragment.read(fragment.load(updates)).document, title, images)
    if len(content) > MAX_OUTPUT:
        raise Refused(ErrorCode.TOO_LARGE, f"a file of more than {MAX_OUTPUT} bytes")
    return content


def parse(format: str, content: bytes, chance: bytes) -> Parsed:
    """Read a file of one of `names.READ`; blocks get ids, made of `chance`."""
    with _refusing():
        parsed = fragment.identified(check(_parse(format, content)), fragment.new_ids(chance))
        document, _ = fragment.to_json(fragment.from_json(parsed))
        said = text.digest(document)
        return {
            "document": _dump(document),
            "update": fragment.seed(document).get_update(),
            "title": said.title,
            "excerpt": said.excerpt,
            "text": said.text,
            "words": said.words,
        }


def append(updates: Sequence[bytes], document: bytes, chance: bytes) -> Added:
    """Return an update that adds the blocks of another document at the end of this one.

    They get new ids, made of `chance`, where they have none, or those of blocks that are there.
    Where there is only an empty paragraph they take its place.
    """
    with _refusing():
        doc = fragment.load(updates)
        blank = fragment.is_blank(doc)
        taken = fragment.ids(fragment.read(doc).document)
        added = fragment.identified(check(_json(document)), fragment.new_ids(chance), taken)
        update = fragment.changes(doc, lambda: fragment.append(doc, added))
        return {"update": update, "blank": blank}


def rewrite(updates_now: Sequence[bytes], updates_then: Sequence[bytes]) -> bytes:
    """Return an update that turns a document into what it was, also what no schema knows of it.

    It changes nothing, and is two bytes long, if that is what the document is.
    """
    with _refusing():
        now, then = fragment.load(updates_now), fragment.load(updates_then)
        wanted = fragment.read_tree(fragment.root(then))
        return fragment.changes(now, lambda: rewrite_tree(now, wanted))


def files(updates: Sequence[bytes]) -> list[str]:
    """Return the hashes of a document's images: what `export` should be given."""
    with _refusing():
        return sorted(set(_files(fragment.read(fragment.load(updates)).document)))


def image(content: bytes) -> dict[str, Any]:
    """Return an uploaded image without what it says about its maker, as ``bytes``.

    ``type`` is its media type, ``width`` and ``height`` are in pixels, as people see it.
    """
    with _refusing():
        safe = images.check(content)
        return {
            "bytes": safe.content,
            "type": safe.type,
            "width": safe.width,
            "height": safe.height,
        }


# --- formats -------------------------------------------------------------------------------------


def _parse(format: str, content: bytes) -> Json:
    if len(content) > MAX_INPUT:
        raise TooLarge(f"a text of more than {MAX_INPUT} bytes")
    if format == "json":
        return _json(content)
    read = _READERS.get(format)
    if read is None:
        raise Refused(ErrorCode.MALFORMED, f"the formats are {', '.join([*_READERS, 'json'])}")
    return text.split_long(read(content))


def _decoded(content: bytes) -> str:
    """Return a text file's text: UTF-8 or UTF-16 by its mark, else what Windows wrote."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _pdf(document: Json, title: str, images: Mapping[str, bytes]) -> bytes:
    from . import pdf  # an extra, and slow to load

    return pdf.to_pdf(document, title, images)


_WRITERS: Mapping[str, Callable[[Json, str, Mapping[str, bytes]], bytes]] = {
    "json": lambda document, title, images: _dump(document),
    "markdown": lambda document, title, images: to_markdown(document).encode(),
    "html": lambda document, title, images: to_page(document, title, images).encode(),
    "text": lambda document, title, images: text.to_text(document).encode(),
    "pdf": _pdf,
}
_READERS: Mapping[str, Callable[[bytes], Json]] = {
    "markdown": lambda content: from_markdown(_decoded(content)),
    "html": from_html,
    "text": lambda content: text.from_text(_decoded(content)),
}


# --- in and out ----------------------------------------------------------------------------------


def _json(content: bytes) -> Json:
    try:
        document: Json = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Invalid("", f"this is not JSON: {error}") from error
    return document


def _dump(document: Json) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _files(node: Json) -> Iterator[str]:
    if node["type"] == "image" and (file := attributes_of(node).get("file")):
        yield str(file)
    for child in content_of(node):
        yield from _files(child)


@contextmanager
def _refusing() -> Generator[None]:
    try:
        yield
    except TooLarge as error:
        raise Refused(ErrorCode.TOO_LARGE, str(error)) from error
    except (Invalid, images.NoImage) as error:
        raise Refused(ErrorCode.MALFORMED, str(error)) from error
