"""The names that content may use, read from schema.json without its machinery.

`parvis.plugins.docs.schema` makes of it what checks whole documents, in helpers; a node that looks
at each update needs no more than this.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any, Final

SPEC: Final[dict[str, Any]] = json.loads(
    files("parvis.plugins.docs").joinpath("schema.json").read_text(encoding="utf-8")
)
"""The file as it is."""

VERSION: Final[int] = SPEC["version"]
"""Shown by a client when it joins; whoever shows another one may only view."""

ELEMENTS: Final = frozenset(SPEC["nodes"]) - {SPEC["top"], "text"}
"""Nodes that stand in the fragment as XML elements; the document and texts do not."""

MARKS: Final = frozenset(SPEC["marks"])

_HASHED: Final = re.compile(r"(.+)--[A-Za-z0-9+/=]{8}", re.DOTALL)


def mark(format: str) -> str:
    """Return the mark that a format stands for: one that may overlap itself carries a hash."""
    match = _HASHED.fullmatch(format)
    return match[1] if match else format
