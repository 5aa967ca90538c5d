"""What workers died over, kept in the data folder by the supervisor for the workers to come."""

import dataclasses
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, cast

import msgpack

from parvis.server.firewall.watch import Suspect
from parvis.storage import Address

FILE: Final = "suspects.msgpack"

FORGET: Final = 24 * 3600.0
"""Seconds after which a death does not count any more."""

MOST: Final = 64
"""Deaths that are remembered; beyond it the oldest are forgotten."""


class Suspects:
    """The deaths of the last day, oldest first, also after a loss of power.

    Args:
        folder: The data folder.
        now: Seconds since the epoch.
    """

    def __init__(self, folder: Path, now: float) -> None:
        self._file = folder / FILE
        self._kept = [each for each in _read(self._file) if now - each.time < FORGET]

    @property
    def kept(self) -> tuple[Suspect, ...]:
        return tuple(self._kept)

    def add(self, suspect: Suspect, now: float) -> None:
        """Remember one more death."""
        fresh = [each for each in self._kept if now - each.time < FORGET]
        self._kept = [*fresh, suspect][-MOST:]
        self._write()

    def settle(self, digests: Iterable[bytes]) -> None:
        """Drop updates that have been judged; the deaths still count for their room."""
        settled = frozenset(digests)
        kept = [_without(each, settled) for each in self._kept]
        if kept != self._kept:
            self._kept = kept
            self._write()

    def _write(self) -> None:
        rows = [dataclasses.astuple(each) for each in self._kept]
        draft = self._file.with_suffix(".draft")
        with open(draft, "wb", opener=_private) as file:
            file.write(msgpack.packb(rows))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _without(suspect: Suspect, settled: frozenset[bytes]) -> Suspect:
    if settled.isdisjoint(suspect.digests):
        return suspect
    left = [at for at, digest in enumerate(suspect.digests) if digest not in settled]
    return dataclasses.replace(
        suspect,
        digests=tuple(suspect.digests[at] for at in left),
        updates=tuple(suspect.updates[at] for at in left) if suspect.updates else (),
        sessions=tuple(suspect.sessions[at] for at in left) if suspect.sessions else (),
    )


def _read(file: Path) -> list[Suspect]:
    try:
        rows = cast("list[list[Any]]", msgpack.unpackb(file.read_bytes(), use_list=False))
        return [Suspect(row[0], Address(*row[1]), *row[2:]) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, IndexError):
        # It is a memory of accidents: to start without it is better than not to start.
        return []
