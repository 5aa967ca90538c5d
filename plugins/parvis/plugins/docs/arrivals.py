"""Documents of other servers: what becomes of them here, as ``parvis room import`` asks."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from parvis.plugins import Adopted, Caller, Foreign

from .contents import PATIENCE
from .documents import TITLE, Documents
from .office import BASE62, Office

ADOPT: Final = "parvis.plugins.docs.formats.foreign:adopt"


def key_of(name: str) -> str:
    """Return the key of the document that another server called by this name."""
    digest = hashlib.blake2b(name.encode(errors="surrogatepass"), person=b"parvis docs").digest()
    number, key = int.from_bytes(digest, "big"), ""
    for _ in range(16):
        number, digit = divmod(number, len(BASE62))
        key += BASE62[digit]
    return key


class Arrivals:
    """Makes documents of those that move in."""

    def __init__(self, office: Office, documents: Documents) -> None:
        self._office = office
        self._documents = documents

    async def adopted(self, owner: Caller, key: str, foreign: Foreign) -> Adopted:
        """Say what becomes of a document; see `parvis.plugins.RoomType.on_import`."""
        updates = list(foreign.updates)
        moved: dict[str, Any] = await self._office.node.compute(
            ADOPT, updates, foreign.name, timeout=PATIENCE
        )
        title = str(moved["title"] or foreign.name)[:TITLE]

        async def make() -> None:
            await self._documents.create(owner, title, seed=moved["update"], key=key)

        return Adopted(moved["update"], make, moved["notes"])
