"""Finds out what a source is, and opens it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from .databases import open_database
from .files import SQLITE_HEAD, Files
from .sources import KINDS, Source, SourceError
from .y_leveldb import YLevelDB

Open = Callable[[Path, Path], Source]


def _files(path: Path, folder: Path) -> Source:
    return Files(path)


def _leveldb(path: Path, folder: Path) -> Source:
    return YLevelDB(path)


OPEN: Final[Mapping[str, Open]] = {
    "files": _files,
    "database": open_database,
    "leveldb": _leveldb,
}
"""What a path looks like → what opens it."""


def open_source(path: Path, folder: Path, expected: str | None = None) -> Source:
    """Open a source of whatever kind it is.

    Args:
        folder: A scratch folder that nothing else uses, for copies.
        expected: One of `KINDS`, if the operator said what it is.

    Raises:
        SourceError: If it is none, another one, or cannot be read.
    """
    source = OPEN[_form(path)](path, folder)
    if expected is not None and source.kind != expected:
        raise SourceError(
            f"{path} is no {expected} ({KINDS[expected]}) but {source.kind} ({KINDS[source.kind]})"
        )
    return source


def _form(path: Path) -> str:
    try:
        if path.is_dir():
            return "leveldb" if any(_is_leveldb(file.name) for file in path.iterdir()) else "files"
        with path.open("rb") as file:
            head = file.read(len(SQLITE_HEAD))
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from None
    return "database" if head == SQLITE_HEAD else "files"


def _is_leveldb(name: str) -> bool:
    return name == "CURRENT" or name.startswith("MANIFEST-") or name.endswith(".ldb")
