"""A disk whose syncs fail on command, and that loses what was not synced when the power goes.

    with faulty_disk(folder) as disk, start_server(folder, settings=disk.environment) as server:
        disk.fail()
        ...  # nothing is acknowledged
        server.kill()
        disk.lose_power(server.data, chance)
        server.start()  # with what was durable, and some of the rest, torn

The disk itself is `disk.c`, which a node loads before its C library.
"""

from __future__ import annotations

import mmap
import random
import struct
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.services import program

SECTOR: Final = 512
"""Bytes that a disk writes whole or not at all."""

FAIL, FAILED, DONE, STILL = range(4)
"""Where the numbers of the control file are."""

_NUMBER: Final = struct.Struct("=q")
_WRITTEN: Final = struct.Struct("=qq")


class FaultyDisk:
    """What `disk.c` follows and obeys.

    Args:
        folder: Its own, apart from the data folder.
        library: The compiled `disk.c`.
    """

    def __init__(self, folder: Path, library: Path, control: mmap.mmap) -> None:
        self._folder = folder
        self._control = control
        self.environment: Final = {"LD_PRELOAD": str(library), "FAULTY_DISK": str(folder)}

    @property
    def failed(self) -> int:
        """How many syncs have failed."""
        return self._read(FAILED)

    @property
    def done(self) -> int:
        """How many syncs have succeeded."""
        return self._read(DONE)

    def fail(self, times: int = -1) -> None:
        """Have so many of the next syncs fail, or all; what they should have written is dropped."""
        self._write(FAIL, times)

    def mend(self) -> None:
        """Have syncs succeed again; what was dropped stays dropped."""
        self._write(FAIL, 0)

    def stand_still(self, still: bool) -> None:
        """Let no sync begin, until told to."""
        self._write(STILL, int(still))

    def lose_power(self, data: Path, chance: random.Random) -> None:
        """Leave in a data folder what was durable, and any of the sectors that were not.

        Nobody may have the folder open.
        """
        share = chance.choice((0.0, 0.5, 0.9))
        for file in (*data.rglob("*.db"), *data.rglob("*.db-wal")):
            self._lose(file, chance, share)
        for index in data.rglob("*.db-shm"):
            index.unlink()
        self.mend()
        self.stand_still(False)

    def _lose(self, file: Path, chance: random.Random, share: float) -> None:
        durable = self._folder / file.name
        now = file.read_bytes()
        kept = bytearray(durable.read_bytes() if durable.exists() else b"")
        for suffix in (".dirty", ".dropped"):
            written = self._folder / (file.name + suffix)
            if not written.exists():
                continue
            for offset, length in _WRITTEN.iter_unpack(written.read_bytes()):
                first = offset - offset % SECTOR
                for at in range(first, min(offset + length, len(now)), SECTOR):
                    if chance.random() < share:
                        sector = now[at : at + SECTOR]
                        kept.extend(bytes(max(0, at + len(sector) - len(kept))))
                        kept[at : at + len(sector)] = sector
            written.unlink()
        durable.write_bytes(kept)
        file.write_bytes(kept)

    def _read(self, index: int) -> int:
        (number,) = _NUMBER.unpack_from(self._control, index * _NUMBER.size)
        return int(number)

    def _write(self, index: int, number: int) -> None:
        _NUMBER.pack_into(self._control, index * _NUMBER.size, number)


@contextmanager
def faulty_disk(folder: Path) -> Generator[FaultyDisk]:
    """A disk that works, until told otherwise."""
    own = folder / "disk"
    own.mkdir(parents=True)
    library = own / "disk.so"
    source = Path(__file__).with_name("disk.c")
    words = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(library)]
    compiler = program("gcc", "gcc libc6-dev")
    subprocess.run([compiler, *words, source, "-ldl", "-lpthread"], check=True)
    path = own / "control"
    path.write_bytes(bytes(4 * _NUMBER.size))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as control:
        yield FaultyDisk(own, library, control)
