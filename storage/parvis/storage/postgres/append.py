"""Append: batches become rows of the log, each batch all or nothing.

Plain batches of a call go to the function `parvis.append` together, in one round trip. What that
function does not decide, and what carries statements, is looked at here, batch by batch, in one
transaction with a savepoint per entry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from asyncpg import Connection

from parvis.storage.api import Address, Appended, Batch, Entry, Status
from parvis.storage.batches import plain, repeats, wrong_key
from parvis.storage.errors import StatementRefused, StorageError
from parvis.storage.postgres import statements
from parvis.storage.postgres.engine import Engine
from parvis.storage.postgres.faults import CONNECTION_LOST, code_of

_TOGETHER = "SELECT verdicts, ends, known_fences FROM parvis.append($1, $2, $3)"
# As in the function: each room by its key, in the order of their names.
_LOCK = """
    SELECT locked.* FROM (
        SELECT DISTINCT name COLLATE "C" AS name FROM unnest($2::text[]) AS name ORDER BY 1
    ) AS wanted
    CROSS JOIN LATERAL (
        SELECT room.name, id, fence, deleted IS NOT NULL FROM parvis.parvis_room AS room
        WHERE tenant = $1 AND room.name = wanted.name FOR NO KEY UPDATE
    ) AS locked
"""
_PART = (
    "SELECT id, end_offset FROM parvis.parvis_part WHERE tenant = $1 AND room = $2 AND name = $3"
)
_KNOWN = """
    SELECT key, "offset" FROM parvis.parvis_log WHERE tenant = $1 AND part = $2 AND key = ANY ($3)
"""
_NEW_PART = """
    INSERT INTO parvis.parvis_part (tenant, room, name) VALUES ($1, $2, $3) RETURNING id
"""
_INSERT = """
    INSERT INTO parvis.parvis_log (tenant, part, "offset", body, sender, time, key)
    SELECT $1, $2, entry.* FROM unnest(
        $3::bigint[], $4::bytea[], $5::text[], $6::double precision[], $7::bytea[]
    ) AS entry
"""
_GROW = """
    UPDATE parvis.parvis_part SET end_offset = $3, size = size + $4 WHERE tenant = $1 AND id = $2
"""
_BEGIN_LIFE = """
    UPDATE parvis.parvis_part SET incarnation = incarnation + 1, since = $3
    WHERE tenant = $1 AND id = $2 AND since < $3 RETURNING id
"""
_FORGET = "DELETE FROM parvis.parvis_snapshot WHERE tenant = $1 AND part = $2"

_LOGGED, _GONE, _FENCED = 0, 1, 2
"""Verdicts of `parvis.append`; another says: look closer."""


async def append(engine: Engine, tenant: str, batches: Sequence[Batch]) -> list[Appended]:
    """Make batches durable; a fault answers FAILED for those concerned."""
    answers: dict[int, Appended] = {}
    if together := plain(batches):
        answers = await _together(engine, tenant, {at: batches[at] for at in together})
    rest = {at: batch for at, batch in enumerate(batches) if at not in answers}
    if rest:
        answers |= await _singly(engine, tenant, rest)
    return [answers[at] for at in range(len(batches))]


async def rebuild(engine: Engine, address: Address, batch: Batch) -> Appended:
    """Append an entry that begins a new life of its part."""

    async def work(connection: Connection) -> Appended:
        rooms = await _lock(connection, address.tenant, [batch])
        appending = _Appending(connection, address.tenant, batch, rooms)
        answer = await appending.run()
        if answer.status is Status.LOGGED and answer.offsets[0]:
            place = (address.tenant, appending.part)
            since = answer.offsets[0] - 1
            if await connection.fetchval(_BEGIN_LIFE, *place, since) is not None:
                await connection.execute(_FORGET, *place)
        return answer

    try:
        return await engine.run(address.tenant, work)
    except StorageError as error:
        return Appended(Status.FAILED, detail=str(error))


async def _together(
    engine: Engine, tenant: str, batches: Mapping[int, Batch]
) -> dict[int, Appended]:
    """Append plain batches in one call; those that are missing in the answer need a closer look."""
    many = list(batches.values())
    heads = [
        (
            batch.room,
            batch.part,
            batch.fence,
            batch.expected,
            len(batch.entries),
            sum([len(entry.update) for entry in batch.entries]),
        )
        for batch in many
    ]
    rows = [
        (number, place, entry.update, entry.sender, entry.time, entry.key)
        for number, batch in enumerate(many, 1)
        for place, entry in enumerate(batch.entries, 1)
    ]
    try:
        verdicts, ends, fences = await engine.call(tenant, _TOGETHER, tenant, heads, rows)
    except StorageError as error:
        if _concerns_all(error):
            failed = Appended(Status.FAILED, detail=str(error))
            return dict.fromkeys(batches, failed)
        return {}  # a key is known or a text is none: which, shows when they go one by one
    answers: dict[int, Appended] = {}
    for at, batch, verdict, end, fence in zip(batches, many, verdicts, ends, fences, strict=True):
        if verdict == _LOGGED:
            following = end + 1 + len(batch.entries)
            answers[at] = Appended(Status.LOGGED, tuple(range(end + 1, following)), following - 1)
        elif verdict == _GONE:
            answers[at] = Appended(Status.GONE, detail="no such room")
        elif verdict == _FENCED:
            answers[at] = _fenced(fence, batch, end)
    return answers


async def _singly(engine: Engine, tenant: str, batches: Mapping[int, Batch]) -> dict[int, Appended]:
    """Append batches one after the other in one transaction; in several, if one of them fails."""

    async def work(connection: Connection) -> list[Appended]:
        rooms = await _lock(connection, tenant, list(batches.values()))
        return [
            await _Appending(connection, tenant, batch, rooms).run() for batch in batches.values()
        ]

    try:
        return dict(zip(batches, await engine.run(tenant, work), strict=True))
    except StorageError as error:
        if len(batches) == 1 or _concerns_all(error):
            return dict.fromkeys(batches, Appended(Status.FAILED, detail=str(error)))
    # One that fails must not keep the others back; their order stays.
    answers: dict[int, Appended] = {}
    for at, batch in batches.items():
        answers |= await _singly(engine, tenant, {at: batch})
    return answers


def _concerns_all(error: StorageError) -> bool:
    """Tell whether every other call would fail now, too."""
    cause = error.__cause__
    if cause is None:
        return True
    if isinstance(cause, ValueError):
        return False
    return isinstance(cause, CONNECTION_LOST) or code_of(cause)[:2] in (
        "08",
        "57",
        "25",
        "28",
        "3D",
    )


def _fenced(fence: int, batch: Batch, end: int) -> Appended:
    detail = f"the room's fence is {fence}, the caller's {batch.fence}"
    return Appended(Status.FENCED, end=end, detail=detail)


def _wrong_sender(entry: Entry) -> str:
    """Return what keeps PostgreSQL from storing a sender's id, or an empty string."""
    try:
        fine = b"\0" not in entry.sender.encode()
    except UnicodeEncodeError:
        fine = False
    return "" if fine else f"a sender's id that is no text: {entry.sender!r}"


@dataclass(frozen=True, slots=True)
class _Room:
    """A room that is locked."""

    id: int
    fence: int
    deleted: bool


async def _lock(
    connection: Connection, tenant: str, batches: Sequence[Batch]
) -> Mapping[str, _Room]:
    names = sorted({batch.room for batch in batches})
    rows = await connection.fetch(_LOCK, tenant, names)
    return {name: _Room(id, fence, deleted) for name, id, fence, deleted in rows}


@dataclass(slots=True)
class _Appending:
    """One batch on its way into the log."""

    connection: Connection
    tenant: str
    batch: Batch
    rooms: Mapping[str, _Room]
    part: int | None = None
    end: int = 0
    known: dict[bytes, int] = field(default_factory=dict[bytes, int])

    async def run(self) -> Appended:
        batch = self.batch
        room = self.rooms.get(batch.room)
        if room is None:
            return Appended(Status.GONE, detail="no such room")
        if room.deleted:
            return Appended(Status.GONE, detail="the room was deleted")
        row = await self.connection.fetchrow(_PART, self.tenant, room.id, batch.part)
        if row is not None:
            self.part, self.end = row
        if room.fence != batch.fence:
            return _fenced(room.fence, batch, self.end)
        keys = list(dict.fromkeys(entry.key for entry in batch.entries))
        if self.part is not None:
            rows = await self.connection.fetch(_KNOWN, self.tenant, self.part, keys)
            self.known = {bytes(key): offset for key, offset in rows}
        if batch.expected != self.end and not repeats(
            [self.known.get(key) for key in keys], batch.expected, self.end
        ):
            detail = f"the log ends at {self.end}, the caller expected {batch.expected}"
            return Appended(Status.CONFLICT, end=self.end, detail=detail)
        return await self._append(room)

    async def _append(self, room: _Room) -> Appended:
        offsets: list[int] = []
        refusals: dict[int, str] = {}
        fresh: list[Entry] = []
        before = self.end
        for index, entry in enumerate(self.batch.entries):
            if entry.key not in self.known:
                try:
                    await self._admit(entry)
                except StatementRefused as refused:
                    refusals[index] = str(refused)
                    offsets.append(0)
                    continue
                fresh.append(entry)
                self.end += 1
                self.known[entry.key] = self.end
            offsets.append(self.known[entry.key])
        if fresh:
            await self._log(room, before, fresh)
        return Appended(Status.LOGGED, tuple(offsets), self.end, refusals)

    async def _admit(self, entry: Entry) -> None:
        """Run an entry's statements. Raises `StatementRefused`; then nothing of it was done."""
        if reason := wrong_key(entry) or _wrong_sender(entry):
            raise StatementRefused(reason)
        if entry.preconditions or entry.statements:
            async with statements.as_plugin(self.connection):
                await self._run(entry)

    async def _log(self, room: _Room, before: int, fresh: Sequence[Entry]) -> None:
        if self.part is None:
            place = (self.tenant, room.id, self.batch.part)
            self.part = await self.connection.fetchval(_NEW_PART, *place)
        await self.connection.execute(
            _INSERT,
            self.tenant,
            self.part,
            list(range(before + 1, self.end + 1)),
            [entry.update for entry in fresh],
            [entry.sender for entry in fresh],
            [entry.time for entry in fresh],
            [entry.key for entry in fresh],
        )
        size = sum(len(entry.update) for entry in fresh)
        await self.connection.execute(_GROW, self.tenant, self.part, self.end, size)

    async def _run(self, entry: Entry) -> None:
        if entry.preconditions:
            async with statements.reading(self.connection):
                for place, precondition in enumerate(entry.preconditions):
                    if not await statements.holds(self.connection, precondition):
                        raise StatementRefused(f"precondition {place} does not hold")
        for statement in entry.statements:
            await statements.run(self.connection, statement)
