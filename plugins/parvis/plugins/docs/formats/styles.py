"""What the style attributes of pasted and exported HTML mean in words of the schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

Style = Mapping[str, str]

_COLOR: Final = re.compile(r"rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)(?:[\s,/]+([\d.]+%?))?\s*\)")
_NO_COLOR: Final = {"transparent", "white", "inherit", "initial", "none", "auto", "windowtext"}
ALIGNED: Final = {"left", "center", "right", "justify"}


def parse(style: str) -> Style:
    """Return the declarations of a style attribute, names and values in lower case."""
    found: dict[str, str] = {}
    for declaration in style[:10_000].split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            value = value.replace("!important", "")
            found[name.strip().lower()] = " ".join(value.split()).lower()
    return found


def hidden(style: Style) -> bool:
    """Say whether something is not shown."""
    return style.get("display") == "none" or style.get("mso-hide") == "all"


def bold(style: Style) -> bool | None:
    """Say whether text is bold; None: as what is around it."""
    weight = style.get("font-weight", "")
    if weight.isdigit():
        return int(weight) >= 600
    return {"bold": True, "bolder": True, "normal": False, "lighter": False}.get(weight)


def italic(style: Style) -> bool | None:
    """Say whether text is italic; None: as what is around it."""
    return {"italic": True, "oblique": True, "normal": False}.get(style.get("font-style", ""))


def lines(style: Style) -> set[str]:
    """Return which marks a text's lines mean: ``underline``, ``strike``."""
    decoration = style.get("text-decoration", "") + " " + style.get("text-decoration-line", "")
    found: set[str] = set()
    if "underline" in decoration:
        found.add("underline")
    if "line-through" in decoration:
        found.add("strike")
    return found


def shifted(style: Style) -> str | None:
    """Return ``subscript`` or ``superscript``."""
    return {"sub": "subscript", "super": "superscript"}.get(style.get("vertical-align", ""))


def highlight(style: Style) -> str | None:
    """Return the colour behind a text as the schema spells it, or None for none or white."""
    value = style.get("background-color") or style.get("mso-highlight") or style.get("background")
    if not value or value in _NO_COLOR:
        return None
    if re.fullmatch(r"#[0-9a-f]{6}", value):
        return None if value == "#ffffff" else value
    if re.fullmatch(r"#[0-9a-f]{3}", value):
        value = "#" + "".join(2 * digit for digit in value[1:])
        return None if value == "#ffffff" else value
    if match := _COLOR.fullmatch(value):
        red, green, blue = (min(int(part), 255) for part in match.group(1, 2, 3))
        faint = match[4] is not None and float(match[4].rstrip("%") or 0) == 0
        if faint or (red, green, blue) == (255, 255, 255):
            return None
        return f"#{red:02x}{green:02x}{blue:02x}"
    return value if re.fullmatch(r"[a-z]{1,32}", value) else None


def align(style: Style) -> str | None:
    """Return how a block is aligned; None: as usual."""
    value = {"start": "left", "end": "right"}.get(style.get("text-align", ""))
    value = value or style.get("text-align")
    return value if value in ALIGNED and value != "left" else None


def word_level(style: Style) -> int:
    """Return how deep an item of Word's lists is, from 1; 0: it is none."""
    match = re.search(r"level(\d)", style.get("mso-list", ""))
    return int(match[1]) if match else 0
