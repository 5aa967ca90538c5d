"""Whiteboards: a Yjs document per board, to watch with a link, to draw on by invitation."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from pycrdt import Array

from parvis.plugins import (
    EDITOR,
    OWNER,
    VIEWER,
    Access,
    Answer,
    Caller,
    Commit,
    ErrorCode,
    HttpRequest,
    HttpResponse,
    Job,
    Node,
    Part,
    Peer,
    Refused,
    Request,
    Room,
    RoomType,
    Route,
    Statement,
    Submission,
    YDoc,
    migrations_in,
)

COUNT = """
INSERT INTO whiteboard_strokes (board, upto, strokes) VALUES (?, ?, ?)
ON CONFLICT (board) DO UPDATE SET upto = excluded.upto, strokes = strokes + excluded.strokes
"""


@dataclass(frozen=True, slots=True)
class WhiteboardSettings:
    """``[rooms.whiteboard]``.

    Attributes:
        max_stroke: Longest update taken from one pen stroke, in bytes.
    """

    max_stroke: int = 64 * 1024


class Board(YDoc):
    """What is drawn."""

    @property
    def strokes(self) -> Array[str]:
        """SVG paths, the oldest first."""
        strokes: Array[str] = self.doc.get("strokes", type=Array)
        return strokes


class Whiteboard(RoomType[Board]):
    """Rooms addressed as ``whiteboard/<board>``; the part ``legend`` explains what is drawn."""

    name = "whiteboard"
    replica = Board
    parts: ClassVar[Mapping[str, Part]] = {"legend": Part(YDoc)}
    Settings = WhiteboardSettings
    migrations = migrations_in("parvis_whiteboard")

    settings: WhiteboardSettings
    node: Node

    def __init__(self, settings: WhiteboardSettings | None = None) -> None:
        super().__init__(settings)
        self.routes: Sequence[Route] = (Route("GET", "boards", self.boards),)

    @asynccontextmanager
    async def lifespan(self, node: Node) -> AsyncGenerator[None]:
        self.node = node
        yield

    # Who may do what

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        if caller.anyone or caller.admin:
            return OWNER
        artists = await self.node.query(
            caller.tenant, "SELECT person, owner FROM whiteboard_artists WHERE board = ?", key
        )
        owns = {person: bool(owner) for person, owner in artists}
        if caller.user in owns:
            return OWNER if owns[caller.user] else EDITOR
        if not owns and caller.member:
            return OWNER  # whoever comes first makes the board
        return VIEWER | caller.granted(f"whiteboard/{key}")

    async def on_join(self, room: Room[Board], peer: Peer) -> None:
        if peer.access.may("admin"):
            async with room.edit(peer.caller) as edit:
                edit.execute(
                    "INSERT INTO whiteboard_artists VALUES (?, ?, 1) ON CONFLICT DO NOTHING",
                    room.key,
                    peer.caller.user,
                )

    async def on_update(self, room: Room[Board], peer: Peer, submission: Submission) -> None:
        longest = self.settings.max_stroke
        if len(submission.update) > longest:
            raise Refused(ErrorCode.TOO_LARGE, f"a stroke may take {longest} bytes")

    # What people ask for

    async def on_command(self, room: Room[Board], caller: Caller, command: Request) -> Answer:
        if command.name == "invite" and isinstance(command.body, str):
            return await self._invite(room, caller, command.body)
        if command.name == "wipe":
            return await self._wipe(room, caller)
        raise Refused(ErrorCode.UNKNOWN_COMMAND, "a whiteboard takes invite and wipe")

    async def _invite(self, room: Room[Board], caller: Caller, person: str) -> Answer:
        async with room.edit(caller) as edit:
            self._must_own(edit.require, room, caller)
            edit.execute(
                "INSERT INTO whiteboard_artists VALUES (?, ?, 0) ON CONFLICT DO NOTHING",
                room.key,
                person,
            )
        return Answer(person, edit.offset)

    async def _wipe(self, room: Room[Board], caller: Caller) -> Answer:
        async with room.edit(caller) as edit:
            self._must_own(edit.require, room, caller)
            strokes = edit.document(Board).strokes
            wiped = len(strokes)
            strokes.clear()
        room.broadcast("wiped", caller.user)
        return Answer(wiped, edit.offset)

    @staticmethod
    def _must_own(require: Any, room: Room[Board], caller: Caller) -> None:
        require(
            "SELECT count(*) FROM whiteboard_artists WHERE board = ? AND person = ? AND owner = 1",
            room.key,
            caller.user,
        )

    async def boards(self, request: HttpRequest) -> HttpResponse:
        """``GET /api/v1/whiteboard/boards``: the caller's boards, and how much was drawn."""
        rows = await self.node.query(
            request.caller.tenant,
            """
            SELECT DISTINCT board, coalesce(strokes, 0), coalesce(lines, 0) FROM whiteboard_artists
            LEFT JOIN whiteboard_strokes USING (board) LEFT JOIN whiteboard_digests USING (board)
            WHERE person = ? OR ? ORDER BY board
            """,
            request.caller.user,
            request.caller.admin or request.caller.anyone,
        )
        boards = [
            {"board": board, "strokes": strokes, "lines": lines} for board, strokes, lines in rows
        ]
        return HttpResponse({"boards": boards})

    # What follows from it

    async def on_commit(self, commit: Commit) -> None:
        """Count strokes, each once, however often they are shown."""
        board = commit.room.removeprefix("whiteboard/")
        if commit.part:
            return
        seen = await self.node.query(
            commit.tenant, "SELECT upto FROM whiteboard_strokes WHERE board = ?", board
        )
        upto = seen[0][0] if seen else 0
        assert isinstance(upto, int)
        fresh = [row for row in commit.updates if row.offset > upto]
        strokes = sum(1 for row in fresh if row.update)
        if fresh:
            await self.node.execute(
                commit.tenant, Statement(COUNT, (board, fresh[-1].offset, strokes))
            )
        if strokes:
            await self.node.enqueue(commit.tenant, board, b"")

    async def on_job(self, node: Node, tenant: str, job: Job) -> None:
        """Note how many lines stand on a board now."""
        artist = Caller(tenant, "whiteboard", admin=True)
        async with node.open(artist, job.key) as room:
            lines = len(room.replica.strokes)
            await node.execute(
                tenant,
                Statement(
                    "INSERT INTO whiteboard_digests VALUES (?, ?)"
                    " ON CONFLICT (board) DO UPDATE SET lines = excluded.lines",
                    (job.key, lines),
                ),
            )
