"""The formats that documents are written in and read from: their media types and files' names."""

from collections.abc import Mapping
from typing import Final

WRITTEN: Final[Mapping[str, tuple[str, str]]] = {
    "json": ("application/json", "json"),
    "markdown": ("text/markdown; charset=utf-8", "md"),
    "html": ("text/html; charset=utf-8", "html"),
    "text": ("text/plain; charset=utf-8", "txt"),
    "pdf": ("application/pdf", "pdf"),
}
"""Media type and the end of a file's name, by format."""

READ: Final = ("markdown", "html", "text", "json")

ENDS: Final[Mapping[str, str]] = {
    "md": "markdown",
    "markdown": "markdown",
    "html": "html",
    "htm": "html",
    "txt": "text",
    "text": "text",
    "json": "json",
}
"""The format of a file that is read, by the end of its name."""

TYPES: Final[Mapping[str, str]] = {WRITTEN[format][0].partition(";")[0]: format for format in READ}
"""The same by its media type."""
