"""Files of one document each: a raw Yjs update, or the updates that pycrdt's FileYStore wrote."""

import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from parvis.protocol.errors import Malformed, NotAllowed, TooDeep, TooLarge
from parvis.protocol.lib0 import Reader
from parvis.protocol.update import STORED, scan

from .sources import DocumentBroken, Found, Row, SourceError

SUFFIXES: Final = (".yjs", ".ydoc", ".yupdate", ".update", ".ystore", ".bin", ".y")
"""What a file's name may end in that is no part of the document's name."""

STORE_HEAD: Final = b"VERSION:"
STORE_VERSION: Final = 2
"""Of FileYStore's files; the older ones are said to be so."""

SQLITE_HEAD: Final = b"SQLite format 3\x00"

LARGEST: Final = 1024**3
"""Bytes of one file; a Yjs document of this size is none."""


class Files:
    """The files of a folder and of those below it, or one file."""

    def __init__(self, path: Path) -> None:
        """Look at what is there; hidden files are left alone.

        Raises:
            SourceError: If that cannot be read.
        """
        self.path = str(path)
        self.notes: list[str] = []
        try:
            files = list(_below(path)) if path.is_dir() else [path]
            self._files = {_name(file, path): file for file in files}
            self._sizes = {name: file.stat().st_size for name, file in self._files.items()}
        except OSError as error:
            raise SourceError(f"{error.filename or path}: {error.strerror}") from None
        if len(self._files) < len(files):
            raise SourceError(
                f"{path}: two files have the same name but for their ending",
                f"The endings {', '.join(SUFFIXES)} are no part of a document's name.",
            )
        stores = [self._head(name) == STORE_HEAD for name in self._files]
        self.kind = "pycrdt-store" if stores and all(stores) else "yjs"

    def documents(self) -> Sequence[Found]:
        return [Found(name, self._sizes[name], 1) for name in sorted(self._files)]

    def rows(self, name: str) -> Sequence[Row]:
        try:
            if self._sizes[name] > LARGEST:
                raise DocumentBroken(f"a file of {self._sizes[name]} bytes is no Yjs update")
            data = self._files[name].read_bytes()
        except OSError as error:
            raise DocumentBroken(f"{error.filename}: {error.strerror}") from None
        if data.startswith(STORE_HEAD):
            return _stored(data)
        return [Row(_update(data))]

    def notes_of(self, name: str, rows: Sequence[Row]) -> Sequence[str]:
        return ()

    def close(self) -> None:
        """Nothing is open."""

    def _head(self, name: str) -> bytes:
        with self._files[name].open("rb") as file:
            return file.read(len(STORE_HEAD))


def _below(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for parent, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            # Reading a pipe would wait for ever.
            if not name.startswith(".") and (file := Path(parent, name)).is_file():
                yield file


def _name(file: Path, top: Path) -> str:
    name = file.name if file == top else file.relative_to(top).as_posix()
    stem, dot, end = name.rpartition(".")
    return stem if stem and f"{dot}{end}" in SUFFIXES else name


def _update(data: bytes) -> bytes:
    """Return the one update that a file holds. Raises `DocumentBroken`."""
    if not data:
        raise DocumentBroken("the file is empty")
    if data.startswith(SQLITE_HEAD):
        raise DocumentBroken("this is an SQLite database; import it by itself")
    try:
        scan(data, STORED)
    except (NotAllowed, TooDeep, TooLarge):
        return data  # it is one, and whoever lets documents in says why this one may not
    except Malformed as problem:
        if _begins_with_update(data, problem):
            raise DocumentBroken(
                f"an update of {problem.at} bytes has {len(data) - (problem.at or 0)} more behind"
                " it: updates one behind the other are no document, since nothing says where one"
                " ends; Y.mergeUpdates makes one of them"
            ) from None
        raise DocumentBroken(
            f"this is no Yjs update, or not all of one ({problem}); updates of version 2 (of"
            " encodeStateAsUpdateV2) must be turned by Y.convertUpdateFormatV2ToV1 first"
        ) from None
    return data


def _begins_with_update(data: bytes, problem: Malformed) -> bool:
    if not problem.at or problem.at >= len(data):
        return False
    try:
        return not scan(data[: problem.at], STORED).is_empty
    except Malformed:
        return False


def _stored(data: bytes) -> Sequence[Row]:
    """Return the rows of a FileYStore: update, metadata and time, each led by its length."""
    head, newline, _ = data.partition(b"\n")
    version = head.removeprefix(STORE_HEAD)
    if not newline or not version.isdigit() or int(version) != STORE_VERSION:
        raise DocumentBroken(
            f"a FileYStore of version {version[:20].decode(errors='replace')!r}; expected"
            f" {STORE_VERSION}"
        )
    reader, rows = Reader(data, len(head) + 1), list[Row]()
    try:
        while not reader.at_end:
            update, _, stamp = reader.var_bytes(), reader.var_bytes(), reader.var_bytes()
            rows.append(Row(update, struct.unpack("<d", stamp)[0]))
    except (Malformed, struct.error):
        raise DocumentBroken(
            f"the file ends or breaks off within update {len(rows) + 1}: what was being written"
            " when its server stopped is not all there"
        ) from None
    if not rows:
        raise DocumentBroken("the file holds no update")
    return rows
