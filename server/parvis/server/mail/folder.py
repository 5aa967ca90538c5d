"""Writes letters to files, until a mail server is set."""

import asyncio
import os
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from ..ports import Clock

UNSAFE: Final = re.compile(r"[^A-Za-z0-9@._+-]")


class FolderCarrier:
    """Writes each letter to ``<time>-<to>.eml``, whole or not at all, for its owner's eyes only."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder: Final = folder
        self._clock = clock

    async def carry(self, message: EmailMessage, to: str) -> str:
        time = datetime.fromtimestamp(self._clock.time(), UTC)
        # A dot in front would hide the file.
        name = f"{time:%Y%m%dT%H%M%S.%f}Z-{UNSAFE.sub('_', to)[:100]}"
        return str(await asyncio.to_thread(_write, self.folder, name, message.as_bytes()))

    async def look(self) -> str:
        return f"mail.host is not set: letters are written to {self.folder}"

    def close(self) -> None:
        """Nothing is open."""


def _write(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    passing = folder / f".{name}.{os.getpid()}"
    descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        number = 1
        while True:
            path = folder / (f"{name}.eml" if number == 1 else f"{name}_{number}.eml")
            try:
                # Unlike a rename this never takes the place of another letter.
                os.link(passing, path)
            except FileExistsError:
                number += 1
            else:
                return path
    finally:
        passing.unlink()
