"""How much HTML is taken, found out before a parser sees it: some costs a parser too much time."""

from __future__ import annotations

import re
from typing import Final

from .limits import TooLarge

MAX_TAGS: Final = 400_000
MAX_ATTRIBUTES: Final = 500
"""Attributes of one tag. libxml2 compares each with all the others."""

_SPACE: Final = rb"[ \t\n\f\r]"
_TAG: Final = re.compile(rb"<([a-zA-Z][^ \t\n\f\r/>]*)")
_ATTRIBUTE: Final = re.compile(
    rb"[ \t\n\f\r/]*"
    rb"[^ \t\n\f\r/>][^ \t\n\f\r/>=]*"  # a name; the first letter of one may even be =
    rb"(?:" + _SPACE + rb"*=" + _SPACE + rb"*"
    rb"""(?:"[^"]*(?:"|\Z)|'[^']*(?:'|\Z)|[^ \t\n\f\r>"'][^ \t\n\f\r>]*)?)?"""
)
_END: Final = re.compile(rb"[ \t\n\f\r/]*>?")
_RAW: Final = {name: re.compile(rb"</" + name, re.IGNORECASE) for name in (b"script", b"style")}
"""Elements whose content is no HTML, and how they end."""


def require_bounded(raw: bytes) -> None:
    """Return if a parser may have this HTML. Takes time in proportion to its length.

    Tags are found as HTML's tokenizer finds them (section 13.2.5 of the standard); those in
    comments count.

    Raises:
        TooLarge: If there are too many tags, or attributes in one of them.
    """
    if raw.count(b"<") > MAX_TAGS:
        raise TooLarge(f"HTML of more than {MAX_TAGS} tags")
    at = 0
    while (tag := _TAG.search(raw, at)) is not None:
        at, count = tag.end(), 0
        while (attribute := _ATTRIBUTE.match(raw, at)) is not None:
            at, count = attribute.end(), count + 1
            if count > MAX_ATTRIBUTES:
                raise TooLarge(f"HTML with more than {MAX_ATTRIBUTES} attributes in one tag")
        end = _END.match(raw, at)
        if end is None:
            return
        at = end.end()
        closed = raw.endswith(b"/>", 0, at)  # which some parsers take for the element's end
        if not closed and (ends := _RAW.get(tag[1].lower())) is not None:
            over = ends.search(raw, at)
            at = len(raw) if over is None else over.start()
