"""What an operator's tools ask a store about itself: sizes, shape, settings, clock.

An inspection reads beside the node that serves, or while none does, and changes nothing. It is
opened with `parvis.storage.factory.open_inspection`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from parvis.storage.api import Address, LoggedUpdate, Migration, RoomInfo
from parvis.storage.packing import PackedSnapshot


@dataclass(frozen=True, slots=True)
class TableSize:
    """How large a table is, of all tenants together.

    Attributes:
        rows: As far as the database knows without counting, where it can say that.
        size: Bytes, those of its indexes included.
    """

    table: str
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a store is.

    Attributes:
        total: Bytes of all that the database keeps on disk.
        tables: By size, the largest first.
        unread: Bytes of files that there was no time for: they are in no table.
    """

    total: int
    tables: Sequence[TableSize]
    unread: int = 0


@dataclass(frozen=True, slots=True)
class StateSize:
    """A snapshot, and how large it lies there.

    Attributes:
        size: Bytes, packed.
    """

    address: Address
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Aside:
    """How many updates of a tenant are in quarantine.

    Attributes:
        size: Bytes of them all.
        newest: When the last one was set aside, in seconds since the epoch.
    """

    tenant: str
    number: int
    size: int
    newest: float


@dataclass(frozen=True, slots=True)
class Drift:
    """Something that migrations made and that is not there any more, or is there otherwise.

    Attributes:
        place: The file or schema.
        what: ``table``, ``column``, ``index``, ``key``, ``function``, ``protection``, ``right`` or
            ``version``.
        name: Of what is meant.
        detail: What was expected and what was found.
        repair: SQL that brings it back, if that is simple; empty otherwise.
    """

    place: str
    what: str
    name: str
    detail: str
    repair: str = ""


@dataclass(frozen=True, slots=True)
class Soundness:
    """What a look at the pages of a file said.

    Attributes:
        answer: ``ok``, what is wrong, or nothing: there was no time.
    """

    name: str
    size: int
    answer: str


class Inspection(Protocol):
    """Looks at a store. Every method raises `StorageError` if it cannot be read."""

    kind: str
    """``memory``, ``sqlite`` or ``postgres``."""

    async def close(self) -> None:
        """Let go of everything."""
        ...

    async def check(self) -> None:
        """Return if there is a store that this version of Parvis can use."""
        ...

    async def tenants(self) -> Sequence[str]:
        """Name every tenant that has data."""
        ...

    async def sizes(self, *, patience: float) -> Sizes:
        """Measure the store.

        Args:
            patience: Seconds after which files that are left are only measured as a whole.
        """
        ...

    async def states(self, *, most: int) -> Sequence[StateSize]:
        """Return the largest snapshots of living rooms of all tenants, the largest first."""
        ...

    async def snapshot(self, address: Address) -> PackedSnapshot | None:
        """Return a snapshot as it lies there, damaged or not."""
        ...

    async def rooms(self, tenant: str, *, after: str = "", limit: int = 100) -> Sequence[RoomInfo]:
        """List living rooms, by name; see `Store.rooms`."""
        ...

    async def read(
        self, address: Address, *, after: int, max_bytes: int = 4 * 1024 * 1024
    ) -> Sequence[LoggedUpdate]:
        """Return the rows of a log after an offset; see `Store.read`."""
        ...

    async def newest(self) -> float:
        """Return when the newest row of a log was written, in seconds since the epoch; 0: never."""
        ...

    async def quarantined(self) -> Sequence[Aside]:
        """Count what is in quarantine, of each tenant that has any, by name."""
        ...

    async def drift(self, plugins: Mapping[str, Sequence[Migration]]) -> Sequence[Drift]:
        """Compare the tables, indexes and rights with what migrations make.

        Args:
            plugins: Migrations by whose tables they make.
        """
        ...

    async def sound(self, *, patience: float) -> Sequence[Soundness]:
        """Read the pages of each file, as far as there is time; none where a server does that.

        Args:
            patience: Seconds.
        """
        ...

    async def settings(self) -> Mapping[str, str]:
        """Return the settings of the database that durability depends on."""
        ...

    async def clock(self) -> float | None:
        """Return the time on the database's own machine; None if that is this one."""
        ...
