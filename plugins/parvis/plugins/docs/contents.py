"""Content in and out: documents made from files, added to, duplicated, exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from parvis.plugins import Caller, ErrorCode, Refused, Statement, straight

from .documents import TITLE, Documents
from .formats.names import ENDS, READ, TYPES
from .office import Office, malformed
from .rights import Rights
from .roles import EDIT

TASKS: Final = "parvis.plugins.docs.tasks"
CONVERT: Final = "parvis.plugins.docs.formats.convert"

PATIENCE: Final = 120.0
"""Seconds that a conversion may take; a PDF of 100,000 words takes 12 on a quiet machine."""

READING: Final = 30.0
"""Seconds that reading a file may take: people wait for the same few helpers."""

TRIES: Final = 5
"""Times that content is added to a new document in which others begin to write meanwhile."""

PICTURED: Final = frozenset({"html", "pdf"})
"""Formats that carry their images along."""

PICTURES: Final = 40 * 1024 * 1024
"""Bytes of images in one file; those beyond show their words instead."""

COPY: Final[Mapping[str, str]] = {"en": "Copy of {title}", "fr": "Copie de {title}"}


class Past(Protocol):
    """Knows how a document was; see `history.History`."""

    async def at(self, caller: Caller, key: str, offset: int) -> Mapping[str, bytes]: ...


class Contents:
    """Makes documents out of content, and content out of documents."""

    def __init__(self, office: Office, rights: Rights, documents: Documents, past: Past) -> None:
        self._office = office
        self._rights = rights
        self._documents = documents
        self._past = past

    async def create(
        self,
        caller: Caller,
        title: str,
        space: str | None,
        format: str | None = None,
        content: str | None = None,
    ) -> dict[str, Any]:
        """Make a document, empty or of some content; without a title, the content's first line."""
        if content is None:
            return await self._documents.create(caller, title, space)
        return await self.read(caller, format or "markdown", content.encode(), title, space)

    async def read(
        self,
        caller: Caller,
        format: str,
        content: bytes,
        title: str = "",
        space: str | None = None,
        fallback: str = "",
    ) -> dict[str, Any]:
        """Make a document of a file."""
        await self._documents.may_create(caller, space)
        parsed = await self._parsed(caller, format, content)
        title = title.strip() or str(parsed["title"]) or fallback
        return await self._documents.create(caller, title[:TITLE], space, seed=parsed["update"])

    async def _parsed(self, caller: Caller, format: str, content: bytes) -> dict[str, Any]:
        if format not in READ:
            raise malformed(f"expected a format of {', '.join(READ)}, got {format[:40]!r}")
        async with self._office.work(caller):
            node = self._office.node
            parsed: dict[str, Any] = await node.compute(
                f"{CONVERT}:parse", format, content, node.chance(16), timeout=READING
            )
        return parsed

    async def imported(
        self, caller: Caller, name: str, type: str, content: bytes, space: str | None
    ) -> dict[str, Any]:
        """Make a document of an uploaded file; its name says what it is, or else its type."""
        stem, _, end = name.rpartition(".")
        format = ENDS.get(end.lower()) or TYPES.get(type)
        if format is None:
            raise Refused(
                ErrorCode.REFUSED, "expected a file of Markdown, HTML, text or JSON (md, html, txt)"
            )
        return await self.read(
            caller, format, content, space=space, fallback=(stem or name).strip()
        )

    async def append(self, caller: Caller, key: str, format: str, content: str) -> int:
        """Add content at the end of a document; return its offset in the log."""
        await self._rights.require(caller, key, "edit")
        parsed = await self._parsed(caller, format, content.encode())
        node = self._office.node
        async with node.open(caller, key, vouched=True) as room:
            for _ in range(TRIES):
                async with self._office.work(caller):
                    state = list(await room.state())
                    added: dict[str, Any] = await node.compute(
                        f"{CONVERT}:append",
                        state,
                        parsed["document"],
                        node.chance(16),
                        timeout=READING,
                    )
                # Rights may have gone meanwhile, or the document into the bin.
                await self._rights.require(caller, key, "edit")
                # It takes the empty paragraph of a new document away: not if somebody has begun
                # to write in that by now.
                if added["blank"] and list(await room.state()) != state:
                    continue
                async with room.edit(caller) as edit:
                    edit.append(added["update"])
                return edit.offset
        raise Refused(ErrorCode.TRY_AGAIN, "others are beginning this document; try again")

    async def duplicate(self, caller: Caller, key: str, title: str | None) -> dict[str, Any]:
        """Make a new document of the content of another: without its past and its comments."""
        standing = await self._rights.require(caller, key)
        await self._documents.may_create(caller, None)
        if title is None:
            person = await self._office.person(caller.tenant, caller.user)
            pattern = COPY.get(person.language if person else "", COPY["en"])
            title = pattern.format(title=standing.title)[:TITLE] if standing.title else ""
        space = standing.space
        if space is not None:
            try:
                await self._rights.space(caller, space, EDIT)
            except Refused:
                space = None
        node, copy = self._office.node, self._office.new_key()
        async with self._office.work(caller):
            async with node.open(caller, key, vouched=True) as room:
                state = list(await room.state())
            seed: bytes = await node.compute(f"{TASKS}:copied", state, timeout=PATIENCE)
        files = Statement(
            "INSERT INTO docs_file SELECT ?, digest, type, size, width, height, by, time"
            " FROM docs_file WHERE document = ?",
            (copy, key),
        )
        async with self._office.lock(caller.tenant, "files"):
            return await self._documents.create(
                caller, title, space, seed=seed, files=[files], key=copy
            )

    async def export(
        self, caller: Caller, key: str, format: str, offset: int | None = None
    ) -> tuple[bytes, str]:
        """Return a document as a file, and its title.

        Args:
            offset: As it was after this one; None: as it is.
        """
        needed = "view" if offset is None else "history"
        standing = await self._rights.require(caller, key, needed)
        async with self._office.work(caller):
            if offset is None:
                async with self._office.node.open(caller, key, vouched=True) as room:
                    state = list(await room.state())
            else:
                state = [(await self._past.at(caller, key, offset))["state"]]
            written = await self._written(caller.tenant, key, state, format, standing.title)
        return written, standing.title

    async def _written(
        self, tenant: str, key: str, state: Sequence[bytes], format: str, title: str
    ) -> bytes:
        node = self._office.node
        pictures: dict[str, bytes] = {}
        if format in PICTURED:
            named = set(await node.compute(f"{CONVERT}:files", state, timeout=PATIENCE))
            # Only what was uploaded here: a text can name any file, but not thereby read it.
            sql = "SELECT digest, size FROM docs_file WHERE document = ?"
            left = PICTURES
            for digest, size in await node.query(tenant, sql, key):
                assert isinstance(size, int)
                if digest in named and size <= left:
                    content = await node.blobs.get(tenant, str(digest))
                    if content is not None:
                        pictures[str(digest)] = content
                        left -= size
        written: bytes = await node.compute(
            f"{CONVERT}:export", state, format, straight(title), pictures, timeout=PATIENCE
        )
        return written
