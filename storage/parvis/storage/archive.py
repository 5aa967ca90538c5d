"""The contract for moving everything a store keeps: backup, restore, and from one store to another.

An archive gives a *cut* of a scope, which is one tenant or the accounts, and takes the rows of one
in again at an empty place. It is opened by URL (`parvis.storage.factory.open_archive`), beside the
node that serves the same store: a cut disturbs nobody.

Names and columns of tables, and what they mean, are the same in all stores; SQLite's
``migrations/sqlite`` say what they are. A store that keeps them in another way translates:

* values are `SqlValue`: truth is 0 or 1, a moment is a float of seconds;
* ``tenant`` columns that a store adds to every table are left out, so are generated columns;
* left out is what a store keeps about itself (versions of the schema, the pulse of its health
  check, sequences) and what is derived from other rows (indexes, views, shadow tables);
* a full-text table of SQLite is the table of its rows, led by the column ``rowid``.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from parvis.storage.api import Migration, SqlValue

Row = tuple[SqlValue, ...]

PAGE_ROWS = 1000
PAGE_BYTES = 1024 * 1024
"""About how much a page of rows holds at most; a single row may be larger."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it stands in an archive.

    Attributes:
        key: The columns by which rows are ordered and told apart: the primary key, or all columns
            if there is none. NULL comes before numbers, numbers before text, text (by code points)
            before bytes.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """What the rows of a scope mean.

    Attributes:
        kind: Of the store that was read, as in `Store.kind`.
        schema: Number of the newest migration of that store's own tables in this scope.
        plugins: Number of the newest migration of each plugin's tables; empty for the accounts.
        tables: Each after those that it refers to.
    """

    kind: str
    schema: int
    plugins: Mapping[str, int]
    tables: tuple[Table, ...]


class Cut(Protocol):
    """What a scope held at one moment, whatever is written meanwhile."""

    @property
    def layout(self) -> Layout: ...

    @property
    def size(self) -> int:
        """About how many bytes all rows take, for a progress bar."""
        ...

    def pages(self, table: str) -> AsyncIterator[Sequence[Row]]:
        """Yield a table's rows in the order of its key, in pages. One table at a time."""
        ...


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a table has been loaded.

    Attributes:
        rows: So many are durable.
        digest: What the caller said of them, see `Load.add`.
    """

    rows: int
    digest: bytes


class Load(Protocol):
    """Takes the rows of one scope in, table by table, in the order of `Layout.tables`.

    What was added stays when the process is killed: the next `Archive.load` of the same scope goes
    on from `marks`. Nobody can see the scope before `finish`.
    """

    @property
    def marks(self) -> Mapping[str, Mark]:
        """The tables of which something is there already."""
        ...

    async def add(self, table: str, rows: Sequence[Row], mark: Mark) -> None:
        """Keep rows, in the order of their key, and the mark: both or none.

        Args:
            rows: With the columns that the layout gave for this table.
            mark: `mark.rows` counts all rows of the table so far, with these. The digest is the
                caller's: it lets one that comes again see whether the same rows are there.

        Raises:
            StatementRefused: If the rows break a constraint.
        """
        ...

    async def restart(self) -> None:
        """Forget all that was added; the marks are empty again."""
        ...

    async def finish(self) -> None:
        """Check that references hold, set counters past the highest ids, and show the scope.

        Raises:
            StatementRefused: If a row refers to one that is not there.
        """
        ...


class Archive(Protocol):
    """Reads a store whole, or fills an empty one.

    All methods raise `StoreUnavailable` on a passing fault.
    """

    kind: str
    """As in `Store.kind`."""

    async def close(self) -> None:
        """Let go of all files and connections."""
        ...

    async def tenants(self) -> Sequence[str]:
        """Name every tenant that has data here, in order."""
        ...

    def cut(self, tenant: str | None) -> AbstractAsyncContextManager[Cut]:
        """Read one tenant, or the accounts (None), as they are when the context is entered.

        Raises:
            StorageError: If there is no such tenant, or its data is damaged.
            SchemaTooNew: If it was written by a later version of Parvis.
        """
        ...

    async def begin(self, origin: str) -> None:
        """Reserve this place, which must be empty, for what comes from `origin`.

        Until `end` no node opens it: half of a restored store must not look like all of it.
        Beginning again with the same origin goes on where the last attempt ended.

        Args:
            origin: Says what is being loaded, for this check and for messages; up to 1,000
                characters.

        Raises:
            PlaceTaken: If there are tenants, accounts or secrets here, or if something else is
                being loaded.
        """
        ...

    def load(
        self,
        tenant: str | None,
        layout: Layout,
        plugins: Mapping[str, Sequence[Migration]],
    ) -> AbstractAsyncContextManager[Load]:
        """Take in one tenant, or the accounts (None), between `begin` and `end`.

        Plugins' tables are made as they were at the numbers that the layout names; the node brings
        them up to date when it opens the tenant. A store whose tenants share their tables refuses
        numbers other than its own. A column that the layout lacks gets its default.

        Args:
            plugins: All migrations of the plugins that are installed.

        Raises:
            SchemaTooNew: If a table or a column is not known here, or if a plugin's number is
                higher than what is installed, or if a plugin is not.
            PlaceTaken: If the scope was finished before.
        """
        ...

    async def loaded(self) -> Sequence[str | None]:
        """Name the scopes that were finished since `begin`."""
        ...

    async def end(self) -> None:
        """Open the place for nodes; all scopes are in."""
        ...
