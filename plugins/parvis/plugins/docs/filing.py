"""Files of documents: images, kept by the hash of what they hold."""

from __future__ import annotations

from typing import Any, Final

from parvis.plugins import Caller, ErrorCode, Refused, Statement
from parvis.storage import Stream

from .contents import CONVERT, READING
from .office import Office, missing
from .rights import Rights

SAFE: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Types that a browser may show by itself: none of them can hold a program."""

MOST: Final = 2_000
"""Files of one document."""


class Filing:
    """Takes and gives images."""

    def __init__(self, office: Office, rights: Rights) -> None:
        self._office = office
        self._rights = rights

    async def keep(self, caller: Caller, key: str, content: bytes) -> dict[str, Any]:
        """Keep an image, without what it says about its maker; its content says what it is."""
        await self._rights.require(caller, key, "edit")
        tenant, node = caller.tenant, self._office.node
        async with self._office.work(caller):
            image: dict[str, Any] = await node.compute(f"{CONVERT}:image", content, timeout=READING)
        safe: bytes = image["bytes"]
        async with self._office.lock(tenant, "files"):
            sql = "SELECT count(*), coalesce(sum(size), 0) FROM docs_file WHERE document = ?"
            count, total = (await node.query(tenant, sql, key))[0]
            assert isinstance(count, int) and isinstance(total, int)
            if count >= MOST or total + len(safe) > self._office.settings.max_files:
                raise Refused(ErrorCode.TOO_LARGE, "the document has no room for more images")
            # Rights may have gone, or the document, while the image was looked at.
            await self._rights.require(caller, key, "edit")
            digest = await node.blobs.put(tenant, safe)
            row = (key, digest, image["type"], len(safe), image["width"], image["height"])
            sql = "INSERT INTO docs_file VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
            await node.execute(tenant, Statement(sql, (*row, caller.user, node.now())))
        return {
            "hash": digest,
            "type": image["type"],
            "size": len(safe),
            "width": image["width"],
            "height": image["height"],
        }

    async def give(self, caller: Caller, key: str, digest: str) -> tuple[Stream, str]:
        """Return a file of a document, and its media type."""
        await self._rights.require(caller, key)
        node = self._office.node
        sql = "SELECT type FROM docs_file WHERE document = ? AND digest = ?"
        rows = await node.query(caller.tenant, sql, key, digest)
        content = await node.blobs.stream(caller.tenant, digest) if rows else None
        if content is None:
            raise missing()
        return content, str(rows[0][0])
