"""What administrators did about updates in quarantine: a line of JSON each, kept for good."""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

NAME: Final = "quarantine.log"


class Journal:
    """``DATA/quarantine.log``, to which lines are only ever added."""

    def __init__(self, data: Path) -> None:
        self._path = data / NAME

    async def note(self, line: Mapping[str, Any]) -> None:
        """Add a line, durable when this returns. Raises OSError."""
        await asyncio.to_thread(self._add, json.dumps(line, ensure_ascii=False) + "\n")

    def _add(self, line: str) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with open(descriptor, "ab") as file:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
