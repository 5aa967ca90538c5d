"""How comments are kept: threads and messages, as maps with readable names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pycrdt import Doc, Map

from parvis.plugins import ErrorCode, Refused

from .office import BASE62


class Board:
    """The comments of a document, with readable names.

    A message's key is ``thread:time:id``, so that those of a thread come in the order of time.
    """

    def __init__(self, doc: Doc[Any]) -> None:
        self.threads: Map[Any] = doc.get("threads", type=Map[Any])
        self.messages: Map[Any] = doc.get("messages", type=Map[Any])

    def thread(self, id: str) -> Map[Any]:
        """Return a thread. Raises `Refused` if there is none."""
        if id not in self.threads:
            raise Refused(ErrorCode.CONFLICT, "the thread is not there any more")
        return cast("Map[Any]", self.threads[id])

    def _keys(self) -> list[str]:
        return list(self.messages.keys())

    def of_thread(self, id: str) -> list[str]:
        """Return the keys of a thread's messages, oldest first."""
        return sorted(key for key in self._keys() if key.startswith(f"{id}:"))

    def key(self, message: str) -> str | None:
        """Return the key of a message, by its id or its key."""
        if message in self.messages:
            return message
        return next((key for key in self._keys() if key.endswith(f":{message}")), None)

    def message(self, key: str) -> dict[str, Any]:
        return dict(cast("Mapping[str, Any]", self.messages[key]))

    def new_key(self, thread: str, message: str, now: float) -> str:
        """Return the key of a new message, behind all others of its thread.

        Raises:
            Refused: If there is a message with this id. Else whoever knows somebody's message could
                stand in the way of its author.
        """
        if self.key(message) is not None:
            raise Refused(ErrorCode.CONFLICT, "there is a message with this id in another thread")
        there = self.of_thread(thread)
        # Two messages of one moment stay in the order in which they came.
        moment = max(int(now * 1000), int(there[-1].split(":")[1], 36) + 1 if there else 0)
        return f"{thread}:{_base36(moment)}:{message}"


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = BASE62[digit] + digits
    return digits or "0"
