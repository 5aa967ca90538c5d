"""What the memory store keeps for one tenant: rooms with their logs, and the plugins' tables."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from parvis.storage.api import (
    Head,
    Job,
    LoggedUpdate,
    Migration,
    Quarantined,
    RoomInfo,
    Snapshot,
    Statement,
)
from parvis.storage.errors import SchemaTooNew, StatementRefused
from parvis.storage.sqlite.statements import PluginSql, TransactionLost
from parvis.storage.sqlite.tables import run_script
from parvis.storage.sqlite.transaction import transaction


@dataclass(slots=True)
class Part:
    """The log of one part; row `n` has offset `n + 1`, and counts from `first` on."""

    incarnation: int = 1
    since: int = 0
    first: int = 1
    rows: list[LoggedUpdate] = field(default_factory=list[LoggedUpdate])
    keys: dict[bytes, int] = field(default_factory=dict[bytes, int])
    snapshot: Snapshot | None = None
    cursors: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def head(self) -> Head:
        """Where the log ends."""
        return Head(self.incarnation, len(self.rows), self.since, self.first)

    @property
    def size(self) -> int:
        """Bytes of log and snapshot."""
        size = sum(len(row.update) for row in self.rows)
        if self.snapshot is not None:
            size += len(self.snapshot.state) + len(self.snapshot.index)
        return size


@dataclass(slots=True)
class Room:
    """A room, or the tombstone of one."""

    name: str
    creator: str
    created: float
    fence: int = 1
    deleted: float | None = None
    parts: dict[str, Part] = field(default_factory=dict[str, Part])

    @property
    def info(self) -> RoomInfo:
        """What a listing shows."""
        return RoomInfo(
            room=self.name,
            created=self.created,
            creator=self.creator,
            deleted=self.deleted,
            parts=self.heads,
            size=sum(part.size for part in self.parts.values()),
        )

    @property
    def heads(self) -> Mapping[str, Head]:
        """Where each log ends, by part name."""
        return {name: self.parts[name].head for name in sorted(self.parts)}


@dataclass(slots=True)
class HeldJob:
    """A job, and until when somebody has claimed it."""

    job: Job
    held: float = 0


class Tables:
    """Plugins' tables of one tenant: SQLite in memory, so that they can be rolled back."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self.execute = self._connection.execute
        self.execute("PRAGMA foreign_keys = ON")
        self.sql = PluginSql(self._connection)
        self._numbers: dict[str, int] = {}

    def transaction(self) -> AbstractContextManager[None]:
        """Run a block in one transaction, all or nothing."""
        return transaction(self._connection)

    def run(self, statements: Sequence[Statement]) -> None:
        """Run statements in one transaction, all or none."""
        try:
            with self.transaction():
                for statement in statements:
                    self.sql.run(statement)
        except TransactionLost as lost:
            raise StatementRefused(str(lost)) from lost

    def migrate(self, plugin: str, steps: Sequence[tuple[Migration, str]]) -> None:
        """Run the scripts that these tables have not seen, all or none."""
        number = self._numbers.get(plugin, 0)
        newest = steps[-1][0].number if steps else 0
        if number > newest:
            raise SchemaTooNew(f"tables of {plugin} have number {number}, not {newest}")
        try:
            with self.transaction():
                for migration, script in steps:
                    if migration.number > number:
                        run_script(self.sql, plugin, migration, script)
        except TransactionLost as lost:
            raise StatementRefused(str(lost)) from lost
        self._numbers[plugin] = newest

    def close(self) -> None:
        """Forget the tables."""
        self._connection.close()


@dataclass(slots=True)
class Tenant:
    """Everything of one tenant."""

    rooms: dict[str, Room] = field(default_factory=dict[str, Room])
    quarantine: list[Quarantined] = field(default_factory=list[Quarantined])
    jobs: dict[int, HeldJob] = field(default_factory=dict[int, HeldJob])
    last_job: int = 0
    tables: Tables = field(default_factory=Tables)

    def part(self, room: str, part: str) -> Part | None:
        """Return a living room's part, if it has a log."""
        found = self.rooms.get(room)
        return found.parts.get(part) if found else None
