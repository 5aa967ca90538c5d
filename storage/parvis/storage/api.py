"""The contract between the node and whatever survives its crashes.

A store keeps, per tenant: rooms, the log of each of their parts, snapshots, quarantined updates,
the plugins' own tables, cursors of durable consumers, and jobs. Every adapter passes
`parvis.storage.conformance`.

Three promises carry the rest:

1. What `append` reported as logged survives a kill of the process and a loss of power.
2. A part's offsets are gap-free and count from 1.
3. Only the holder of the newest fence of a room can append to it. The *store* issues fences:
   node A opens the room and gets fence 7; node B opens it and gets 8; from then on every append
   of A is answered `FENCED`, however late its packets arrive.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

SqlValue = None | int | float | str | bytes
"""What a statement may carry and a query may return."""


@dataclass(frozen=True, slots=True)
class Address:
    """Names one part of one room of one tenant. The main part has no name."""

    tenant: str
    room: str
    part: str = ""

    def __str__(self) -> str:
        return f"{self.room}:{self.part}" if self.part else self.room


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement with ``?`` placeholders, for a plugin's own tables."""

    sql: str
    args: tuple[SqlValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One update on its way into a log, with all that commits together with it.

    Attributes:
        update: The bytes to log; may be empty when only the statements matter. It takes an
            offset all the same.
        sender: Id of the user who sent it, as proven by the session.
        time: Seconds since the epoch, as the home saw it.
        key: Idempotency key, 1 to 64 bytes, unique within the part. An entry whose key is already
            in the log is not logged again: its old offset is the answer.
        preconditions: Queries that must each return a first row whose first column is true
            (neither NULL nor 0), seen inside the transaction; else the entry is refused.
        statements: Run in the same transaction, in order, after the preconditions.
    """

    update: bytes
    sender: str
    time: float
    key: bytes
    preconditions: tuple[Statement, ...] = ()
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries for one part of one room.

    Attributes:
        expected: Offset of the end of the log as the caller knows it. If the log is elsewhere
            the answer is CONFLICT, unless this is a repeated call whose answer got lost: all
            entries are already logged, or all that was logged beyond `expected` came from this
            batch (then those that were refused are tried again, and go to the end).
    """

    room: str
    part: str
    fence: int
    expected: int
    entries: tuple[Entry, ...]


class Status(enum.Enum):
    """What became of one batch."""

    LOGGED = "logged"
    """Every entry is durable or refused for itself."""
    FENCED = "fenced"
    """A newer fence exists; this home must let go of the room."""
    CONFLICT = "conflict"
    """The log's end is not where the caller believed."""
    GONE = "gone"
    """The room does not exist or was deleted."""
    FAILED = "failed"
    """A passing fault of the store; nothing of this batch was logged."""


@dataclass(frozen=True, slots=True)
class Appended:
    """The answer to one batch.

    Attributes:
        offsets: One per entry, in order; 0 for an entry that was refused. Empty unless LOGGED.
        end: Offset of the end of the log after this call (as far as known).
        refusals: Index of a refused entry → why (a failed precondition or statement).
        detail: For the operator's log; empty when LOGGED.
    """

    status: Status
    offsets: tuple[int, ...] = ()
    end: int = 0
    refusals: Mapping[int, str] = field(default_factory=dict[int, str])
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LoggedUpdate:
    """One row of a log. An empty update was set aside or carried statements only."""

    offset: int
    update: bytes
    sender: str
    time: float
    key: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State after `offset` updates: a cache, never the truth.

    Attributes:
        state: One update that is worth the log up to `offset`.
        index: What the server keeps beside the state (opaque to the store), may be empty.
    """

    incarnation: int
    offset: int
    state: bytes
    index: bytes = b""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a part's log ends, and in which life of the part.

    Attributes:
        since: Offset of the last row of earlier lives, 0 in the first life. A replica is built
            from the rows after it; those before it are history.
        first: Offset of the first row that is kept; after a compaction it is worth all before it.
    """

    incarnation: int
    offset: int
    since: int = 0
    first: int = 1


@dataclass(frozen=True, slots=True)
class Opened:
    """A room taken over by its home.

    Attributes:
        fence: Newer than every fence issued for this room before.
        parts: Head of each part that has a log; others start at offset 0, incarnation 1.
    """

    fence: int
    created: bool
    parts: Mapping[str, Head]


@dataclass(frozen=True, slots=True)
class RoomInfo:
    """What a listing shows of a room."""

    room: str
    created: float
    creator: str
    deleted: float | None
    parts: Mapping[str, Head]
    size: int
    """Bytes of log and snapshots, all parts together."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An update that broke a replica, kept for the administrator and never applied.

    Attributes:
        offset: Its place in the log if it had been logged, else 0.
        digest: SHA-256 of the update.
    """

    room: str
    part: str
    offset: int
    update: bytes
    digest: bytes
    sender: str
    time: float
    reason: str


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of a plugin's schema: SQL scripts by store kind, e.g. ``sqlite``."""

    number: int
    title: str
    scripts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lag:
    """A log that a durable consumer has not read to its end."""

    room: str
    part: str
    after: int
    end: int


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work that must happen at least once.

    Attributes:
        id: Given by the store; 0 before it is enqueued.
        queue: Who works on it, e.g. ``webhooks``.
        key: Enqueueing the same (queue, key) twice keeps one job while the first is unfinished.
        payload: At most 256 KiB; opaque to the store.
        due: Seconds since the epoch before which nobody claims it.
        attempts: How often it was claimed.
    """

    queue: str
    key: str
    payload: bytes
    due: float
    id: int = 0
    attempts: int = 0
    error: str = ""


class Store(Protocol):
    """Keeps rooms durable. Safe to use from one event loop; calls may overlap.

    All methods raise :exc:`~parvis.storage.errors.StoreUnavailable` on a passing fault, except
    `append`, which answers a status per batch.
    """

    kind: str
    """``memory``, ``sqlite`` or ``postgres``: picks a plugin's migration scripts."""

    async def close(self) -> None:
        """Finish what is under way and let go of all files and connections."""
        ...

    async def check(self) -> None:
        """Return if a write would succeed now; raise `StoreUnavailable` otherwise."""
        ...

    # Rooms

    async def open_room(self, tenant: str, room: str, *, creator: str | None, now: float) -> Opened:
        """Take the room over: issue the next fence and say where its logs end.

        Args:
            creator: Id of the user in whose name a missing room is created; None to create nothing.

        Raises:
            RoomNotFound: If it does not exist and `creator` is None.
            RoomDeleted: If it was deleted, whoever asks.
        """
        ...

    async def room(self, tenant: str, room: str) -> RoomInfo | None:
        """Describe a room, also a deleted one; None if it never existed."""
        ...

    async def rooms(
        self, tenant: str, *, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[RoomInfo]:
        """List living rooms whose name starts with `prefix` and sorts after `after`, by name."""
        ...

    async def delete_room(self, tenant: str, room: str, *, now: float) -> None:
        """Delete logs, snapshots, cursors and what was set aside; leave a tombstone.

        The fence is raised, so that its home is answered GONE. Rows of plugins and jobs stay.
        Deleting a deleted room changes nothing.

        Raises:
            RoomNotFound: If it never existed.
        """
        ...

    async def tenants(self) -> Sequence[str]:
        """Name every tenant that has data here."""
        ...

    # The log

    async def append(self, tenant: str, batches: Sequence[Batch]) -> Sequence[Appended]:
        """Make batches durable, each all or nothing, with one answer per batch, in order.

        Never raises for a fault of the store: that is `Status.FAILED`, for every batch concerned.
        Several batches of the same part are taken in the order given.
        """
        ...

    async def rebuild(
        self, address: Address, fence: int, *, expected: int, entry: Entry
    ) -> Appended:
        """Begin a new life of a part: log an entry that holds its whole state, and start from it.

        Offsets go on counting, the incarnation goes up by one, the snapshot is dropped, and
        `Head.since` becomes the offset before the entry. A repeated call answers as before and
        begins no other life.

        Args:
            expected: As in `Batch`: nothing may have been logged that the state does not hold.
        """
        ...

    async def snapshot(self, address: Address) -> Snapshot | None:
        """Return the newest snapshot of the part's current incarnation.

        None if there is none, or if it was damaged where it lay, which is logged.
        """
        ...

    async def save_snapshot(self, address: Address, fence: int, snapshot: Snapshot) -> bool:
        """Keep a snapshot instead of one of the same or an earlier offset.

        Returns:
            False, and nothing changed, if the caller is fenced or the room is gone, or if the
            snapshot is older than the one kept, of another incarnation, or ahead of the log.
        """
        ...

    async def compact(self, address: Address, fence: int, *, through: int, base: bytes) -> bool:
        """Replace the rows up to an offset by one that is worth them all.

        The row at `through` gets `base` as its update and loses its sender; rows before it are
        gone, and `Head.first` says so. Keys of rows that are gone may be forgotten.

        Returns:
            False, and nothing changed, if the caller is fenced or the room is gone, or if there is
            no such row in the log (any more).
        """
        ...

    async def read(
        self, address: Address, *, after: int, limit: int = 1000, max_bytes: int = 4 * 1024 * 1024
    ) -> Sequence[LoggedUpdate]:
        """Return the rows after an offset, in order: at least one if there is one."""
        ...

    async def read_back(
        self,
        address: Address,
        *,
        before: int | None = None,
        limit: int = 1000,
        max_bytes: int = 4 * 1024 * 1024,
    ) -> Sequence[LoggedUpdate]:
        """Return the rows before an offset (None: from the end), newest first: at least one."""
        ...

    # Quarantine

    async def quarantine(self, tenant: str, poison: Quarantined) -> None:
        """Keep a poison update; if it stands in the log, its row there becomes empty.

        Doing it again changes nothing.
        """
        ...

    async def quarantined(self, tenant: str, room: str | None = None) -> Sequence[Quarantined]:
        """List what was set aside, oldest first."""
        ...

    async def release(self, tenant: str, poison: Quarantined) -> bool:
        """Forget an update that was set aside, known by its place and digest.

        Returns:
            False if it was not there.
        """
        ...

    # Tables of plugins

    async def migrate(self, plugin: str, migrations: Sequence[Migration]) -> None:
        """Bring a plugin's tables to the newest number, now and in every tenant opened later.

        Raises:
            StatementRefused: If a script fails, or would on an empty database. Of the tenant
                where it failed nothing changed.
            SchemaTooNew: If a tenant's tables were made by a later version of the plugin.
        """
        ...

    async def query(self, tenant: str, statement: Statement) -> Sequence[tuple[SqlValue, ...]]:
        """Read rows. Raises `StatementRefused` for invalid SQL or one that would write."""
        ...

    async def execute(self, tenant: str, statements: Sequence[Statement]) -> None:
        """Run statements in one transaction, all or none. Raises `StatementRefused`."""
        ...

    # Durable consumers and jobs

    async def cursor(self, consumer: str, address: Address) -> int:
        """Return the offset up to which a consumer has worked through a log; 0 at first."""
        ...

    async def advance(self, consumer: str, address: Address, offset: int) -> None:
        """Move a cursor forward, at most to the log's end; a lower offset changes nothing."""
        ...

    async def lagging(
        self,
        consumer: str,
        tenant: str,
        *,
        prefix: str = "",
        after: tuple[str, str] = ("", ""),
        limit: int = 100,
    ) -> Sequence[Lag]:
        """List logs, of rooms whose name starts with `prefix`, that a consumer has yet to read.

        They come by room and part; `after` (a room and a part) skips up to that one, for a
        consumer that cannot get past some of them.
        """
        ...

    async def enqueue(self, tenant: str, job: Job) -> int:
        """Keep a job and return its id; the id of the unfinished one with the same key, if any."""
        ...

    async def claim(
        self, tenant: str, queue: str, *, now: float, lease: float, limit: int = 10
    ) -> Sequence[Job]:
        """Take due jobs, oldest first, that nobody else may claim for `lease` seconds."""
        ...

    async def finish(self, tenant: str, job: int) -> None:
        """Forget a job that has been done."""
        ...

    async def retry(self, tenant: str, job: int, *, due: float, error: str) -> None:
        """Give a claimed job back, to be claimed again after `due`."""
        ...
