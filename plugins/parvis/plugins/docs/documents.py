"""The life of a document: made, renamed, moved, duplicated, binned, restored, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from parvis.plugins import Caller, ErrorCode, Refused, Room, Statement, YDoc, straight

from .changes import Changes
from .listing import Listing
from .notices import path_of
from .office import Office, malformed
from .rights import Rights, Standing
from .roles import EDIT
from .seeds import blank, facts
from .vocabulary import VERSION

TITLE: Final = 300
"""Characters of a title, at most."""

BY_DOCUMENT: Final = ("docs_opened", "docs_file")
"""Tables with rows that go with their document, besides those that `forget` names."""


def title_of(text: str) -> str:
    """Return a title in one line, without signs that turn the words behind it around.

    Raises `Refused` if it is too long.
    """
    title = " ".join(straight(text).split())
    if len(title) > TITLE:
        raise malformed(f"a title has at most {TITLE} characters, not {len(title)}")
    return title


class Documents:
    """What happens to documents as a whole. Rights are asked here, not by whoever calls."""

    def __init__(self, office: Office, rights: Rights, changes: Changes, listing: Listing) -> None:
        self._office = office
        self._rights = rights
        self._changes = changes
        self._listing = listing

    async def show(self, caller: Caller, key: str) -> dict[str, Any]:
        """Return a document as the HTTP API shows it. Raises `Refused`."""
        standing = await self._rights.require(caller, key)
        return await self.shown(caller, standing)

    async def shown(self, caller: Caller, standing: Standing) -> dict[str, Any]:
        person = await self._rights.identity(caller)
        return await self._listing.one(caller, person, standing)

    async def may_create(self, caller: Caller, space: str | None) -> None:
        """Raise `Refused` if the caller may not make a document in a space, or at all."""
        if not (caller.member or caller.anyone):
            raise Refused(ErrorCode.PERMISSION_DENIED, "only people with an account make documents")
        if space is not None:
            await self._rights.space(caller, space, EDIT)

    async def create(
        self,
        caller: Caller,
        title: str = "",
        space: str | None = None,
        *,
        seed: bytes = b"",
        files: Sequence[Statement] = (),
        key: str = "",
    ) -> dict[str, Any]:
        """Make a document and return it as the HTTP API shows it.

        Args:
            seed: Its content; empty: one empty paragraph.
            files: Rows that say which files it shows, for `key`.
        """
        await self.may_create(caller, space)
        title, key, node = title_of(title), key or self._office.new_key(), self._office.node
        now = node.now()
        async with node.open(caller, key, vouched=True) as room:
            # Nobody sees the document before its row is there, and that comes with its content.
            async with room.edit(caller, "meta") as edit:
                facts(edit.document(YDoc).doc).update(
                    {"title": title, "schema": VERSION, "created": now, "bin": False}
                )
            async with room.edit(caller) as edit:
                edit.append(seed or blank(self._office.new_key()))
                edit.execute(
                    "INSERT INTO docs_document"
                    " (key, title, owner, space, editors_share, created, updated, updated_by)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    *(key, title, caller.user, space, int(self._office.settings.editors_share)),
                    *(now, now, caller.user),
                )
                edit.execute(
                    "INSERT INTO docs_search (rowid, title, body)"
                    " SELECT id, title, '' FROM docs_document WHERE key = ?",
                    key,
                )
                edit.execute("INSERT INTO docs_opened VALUES (?, ?, ?)", caller.user, key, now)
                for statement in files:
                    edit.execute(statement.sql, *statement.args)
        return await self.show(caller, key)

    async def rename(self, caller: Caller, room: Room[Any], title: str) -> int:
        """Give a document another title, in its meta part and in the listings, or in neither."""
        title = title_of(title)
        async with self._office.lock(room.tenant, room.key), room.edit(caller, "meta") as edit:
            facts(edit.document(YDoc).doc)["title"] = title
            edit.execute("UPDATE docs_document SET title = ? WHERE key = ?", title, room.key)
            edit.execute(
                "UPDATE docs_search SET title = ?"
                " WHERE rowid = (SELECT id FROM docs_document WHERE key = ?)",
                *(title, room.key),
            )
        return edit.offset

    async def change(
        self,
        caller: Caller,
        key: str,
        *,
        title: str | None = None,
        space: str | None = None,
        moves: bool = False,
        editors_share: bool | None = None,
    ) -> dict[str, Any]:
        """Rename a document, move it, or say whether its editors may share it.

        Args:
            space: Where it goes, if it `moves`; None: into no space.
        """
        standing = await self._rights.require(caller, key)
        if title is not None:
            await self._rights.require(caller, key, "edit")
        if moves or editors_share is not None:
            await self._rights.require(caller, key, "admin")
        if moves and space is not None:
            await self._rights.space(caller, space, EDIT)
        node = self._office.node
        if title is not None and title_of(title) != standing.title:
            async with node.open(caller, key, vouched=True) as room:
                await self.rename(caller, room, title)
        if moves and space != standing.space:
            sql = "UPDATE docs_document SET space = ? WHERE key = ?"
            await node.execute(caller.tenant, Statement(sql, (space, key)))
        if editors_share is not None and editors_share != standing.editors_share:
            sql = "UPDATE docs_document SET editors_share = ? WHERE key = ?"
            await node.execute(caller.tenant, Statement(sql, (int(editors_share), key)))
        if moves or editors_share is not None:
            await self._changes.of(caller.tenant, key)
        return await self.show(caller, key)

    async def bin(self, caller: Caller, key: str) -> dict[str, Any]:
        """Put a document into the bin: only its owner sees it any more, and nobody changes it."""
        await self._rights.owned(caller, key)
        try:
            return await self._set_deleted(caller, key, self._office.node.now())
        except Refused as refusal:
            if refusal.code is ErrorCode.ROOM_DELETED:
                # Somebody deleted the room itself, behind our back: what is left here goes, too.
                await self.purge(caller.tenant, key)
            raise

    async def restore(self, caller: Caller, key: str) -> dict[str, Any]:
        """Take a document out of the bin; whoever could see it can again."""
        await self._rights.owned(caller, key)
        return await self._set_deleted(caller, key, None)

    async def _set_deleted(self, caller: Caller, key: str, time: float | None) -> dict[str, Any]:
        node = self._office.node
        async with (
            self._office.lock(caller.tenant, key),
            node.open(caller, key, vouched=True) as room,
            room.edit(caller, "meta") as edit,
        ):
            facts(edit.document(YDoc).doc)["bin"] = time is not None
            edit.execute(
                "UPDATE docs_document SET deleted = ? WHERE key = ?"
                " AND (deleted IS NULL) = (? IS NOT NULL)",
                *(time, key, time),
            )
        await self._changes.of(caller.tenant, key)
        return await self.show(caller, key)

    async def delete(self, caller: Caller, key: str) -> None:
        """Delete a document in the bin for good, with its history and its files."""
        standing = await self._rights.owned(caller, key)
        if standing.deleted is None:
            raise Refused(ErrorCode.CONFLICT, "a document is deleted from the bin; put it there")
        # Should the node die on the way, the job goes on.
        await self._office.node.enqueue(caller.tenant, f"purge:{key}", key.encode())
        await self.purge(caller.tenant, key)

    async def purge(self, tenant: str, key: str) -> None:
        """Delete a document's room, and with it, by `forget`, all the rest."""
        await self._office.node.delete(tenant, key)

    async def forget(self, tenant: str, key: str) -> None:
        """Remove what is kept beside the room of a document that is no more; again: nothing."""
        node = self._office.node
        document = "SELECT id FROM docs_document WHERE key = ?"
        links = "SELECT id FROM docs_link WHERE document = ?"
        async with self._office.lock(tenant, "files"):
            only_here = (
                "SELECT DISTINCT digest FROM docs_file f WHERE document = ? AND NOT EXISTS"
                " (SELECT 1 FROM docs_file WHERE digest = f.digest AND document <> f.document)"
            )
            blobs = await node.query(tenant, only_here, key)
            for (digest,) in blobs:
                await node.blobs.delete(tenant, str(digest))
            await node.execute(
                tenant,
                Statement(f"DELETE FROM docs_search WHERE rowid = ({document})", (key,)),
                Statement(f"DELETE FROM docs_follower WHERE link IN ({links})", (key,)),
                Statement("DELETE FROM docs_link WHERE document = ?", (key,)),
                Statement("DELETE FROM docs_member WHERE place = ?", (key,)),
                Statement("DELETE FROM docs_invited WHERE place = ?", (key,)),
                *[Statement(f"DELETE FROM {t} WHERE document = ?", (key,)) for t in BY_DOCUMENT],
                Statement("DELETE FROM docs_document WHERE key = ?", (key,)),
            )
        await node.recall(tenant, path_of(key))

    async def opened(self, caller: Caller, key: str) -> None:
        """Note that somebody with an account looks at a document now."""
        now = self._office.node.now()
        sql = (
            "INSERT INTO docs_opened VALUES (?, ?, ?)"
            " ON CONFLICT (person, document)"
            " DO UPDATE SET time = max(docs_opened.time, excluded.time)"
        )
        await self._office.node.execute(caller.tenant, Statement(sql, (caller.user, key, now)))
