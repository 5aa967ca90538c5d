"""The room type: hooks that hand over to whoever knows."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Final

from parvis.plugins import (
    Access,
    Adopted,
    Answer,
    Caller,
    Commit,
    ErrorCode,
    Foreign,
    Job,
    Node,
    Part,
    Peer,
    Refused,
    Request,
    Room,
    RoomType,
    Route,
    Submission,
    Version,
    YDoc,
    migrations_in,
)

from .arrivals import Arrivals, key_of
from .changes import Changes
from .commands import SLOW, Commands
from .comments import Comments
from .content_routes import ContentRoutes
from .contents import TASKS, Contents
from .documents import Documents
from .filing import Filing
from .formats.names import WRITTEN
from .history import History
from .links import Links
from .listing import Listing
from .members import Members
from .notices import Notices
from .office import Office, missing
from .ownership import Ownership
from .rights import Rights
from .routes import Shelves
from .searching import Searching
from .seeds import CONTENT_ROOT
from .settings import DocsSettings
from .sharing import Sharing
from .sharing_routes import SharingRoutes
from .spaces import Spaces
from .upkeep import Upkeep
from .versions import Versions
from .vocabulary import ELEMENTS, MARKS, VERSION, mark

logger = logging.getLogger(__name__)

PDF: Final = "parvis.plugins.docs.formats.pdf_library"

SERVER_ONLY: Final = "docs.server"
"""A capability that nobody has: the server's own parts are changed by commands only."""

AGAIN: Final = 60.0
"""Seconds in which a person's next look at the same document is not noted."""


class Docs(RoomType[YDoc]):
    """Rooms addressed as ``docs/<key>``, made by ``POST /api/v1/docs/documents`` only."""

    name = "docs"
    replica = YDoc
    parts = {  # noqa: RUF012  as the base class has it
        "comments": Part(YDoc, write=SERVER_ONLY, history=SERVER_ONLY),
        "meta": Part(YDoc, write=SERVER_ONLY, history=SERVER_ONLY),
    }
    schema = VERSION
    Settings = DocsSettings
    migrations = migrations_in("parvis.plugins.docs")
    restores = f"{TASKS}:reverted"
    beside = SLOW
    exports = MappingProxyType({format: f"{TASKS}:as_{format}" for format in WRITTEN})

    checks = MappingProxyType({"docs pdf": f"{PDF}:found"})

    def __init__(self, settings: object = None) -> None:
        super().__init__(settings)
        self._office = office = Office(self.settings)
        self._rights = rights = Rights(office)
        self._changes = changes = Changes(office, rights)
        self._listing = listing = Listing(office)
        self._documents = documents = Documents(office, rights, changes, listing)
        self._looked: dict[tuple[str, str, str], float] = {}
        shelves = Shelves(
            rights,
            listing,
            documents,
            Spaces(office, rights, changes),
            Searching(office, rights, listing),
        )
        notices = Notices(office, rights)
        links = Links(office, rights, changes)
        sharing = Sharing(office, rights, links)
        people = SharingRoutes(
            office,
            documents,
            sharing,
            Members(office, rights, changes, sharing, notices),
            links,
            Ownership(office, rights, changes, notices),
        )
        history = History(office, rights)
        contents = ContentRoutes(
            office,
            Contents(office, rights, documents, history),
            Filing(office, rights),
            history,
        )
        self._arrivals = Arrivals(office, documents)
        self._upkeep = Upkeep(office, notices)
        self._versions = versions = Versions(office, rights)
        self._commands = Commands(rights, documents, Comments(office, notices), versions)
        self.routes: Sequence[Route] = (
            *shelves.routes(),
            *contents.routes(),
            *people.routes(),
        )

    @asynccontextmanager
    async def lifespan(self, node: Node) -> AsyncGenerator[None]:
        self._office.opens(node)
        try:
            yield
        finally:
            self._office.opens(None)

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        standing = await self._rights.standing(caller, key)
        # Who may not see a document is told what they would be told if there were none.
        if standing is None or not standing.access.may("view"):
            raise missing()
        return standing.access

    async def on_join(self, room: Room[YDoc], peer: Peer) -> None:
        caller, now = peer.caller, self._office.node.now()
        if peer.part:
            return
        await self._office.remember(caller)
        look = (caller.tenant, caller.user, room.key)
        if caller.member and self._looked.get(look, 0.0) + AGAIN < now:
            await self._documents.opened(caller, room.key)
            if len(self._looked) > 10_000:
                self._looked.clear()
            self._looked[look] = now

    async def on_update(self, room: Room[YDoc], peer: Peer, submission: Submission) -> None:
        if foreign := submission.roots - {CONTENT_ROOT}:
            raise _unknown("a document has one root", foreign)
        if foreign := submission.elements - ELEMENTS:
            raise _unknown("the schema knows no element", foreign)
        if foreign := frozenset(map(mark, submission.formats)) - MARKS:
            raise _unknown("the schema knows no mark", foreign)

    async def on_command(self, room: Room[YDoc], caller: Caller, command: Request) -> Answer:
        return await self._commands.do(room, caller, command)

    async def on_version(
        self, room: Room[YDoc], caller: Caller, id: str, version: Version | None
    ) -> None:
        await self._versions.show(room, caller, id, version)

    async def on_commit(self, commit: Commit) -> None:
        await self._upkeep.committed(commit)

    async def on_delete(self, node: Node, tenant: str, key: str) -> None:
        await self._documents.forget(tenant, key)

    def import_key(self, name: str) -> str:
        return key_of(name)

    async def on_import(self, node: Node, owner: Caller, key: str, foreign: Foreign) -> Adopted:
        return await self._arrivals.adopted(owner, key, foreign)

    async def on_job(self, node: Node, tenant: str, job: Job) -> None:
        key = job.payload.decode()
        match job.key.partition(":")[0]:
            case "purge":
                await self._documents.purge(tenant, key)
            case "index":
                await self._upkeep.look(tenant, key)
            case "ends":
                await self._changes.of(tenant, key)
            case _:
                logger.warning("%s: no such job", job.key)


def _unknown(what: str, names: frozenset[str]) -> Refused:
    listed = ", ".join(repr(name[:40]) for name in sorted(names)[:5])
    return Refused(ErrorCode.INVALID_UPDATE, f"{what}: {listed}")
