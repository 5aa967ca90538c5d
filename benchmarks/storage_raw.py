"""What the drivers take at best: the rows of a log, as fast as `executemany` and COPY write them.

The tables have the same two indexes as the stores' own; there are no fences, offsets or tenants.
"""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import asyncpg
from benchmarks.storage_load import Flush, Keys, entries

ROWS = 1000
"""In each commit."""


def rows(keys: Keys, start: int) -> list[tuple[int, int, bytes, str, float, bytes]]:
    """Return rows as they are in a log."""
    return [
        (1, start + number, entry.update, entry.sender, entry.time, entry.key)
        for number, entry in enumerate(entries(ROWS, keys))
    ]


@asynccontextmanager
async def raw_sqlite(folder: Path) -> AsyncGenerator[Flush]:
    """Insert with `executemany` into a synced write-ahead log."""
    with closing(sqlite3.connect(folder / "raw.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            'CREATE TABLE log (part, "offset", body, sender, time, key,'
            ' PRIMARY KEY (part, "offset")) WITHOUT ROWID'
        )
        connection.execute("CREATE UNIQUE INDEX log_key ON log (part, key)")
        keys = Keys()
        end = 0

        async def flush() -> int:
            nonlocal end
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", rows(keys, end))
            connection.execute("COMMIT")
            end += ROWS
            return ROWS

        yield flush


@asynccontextmanager
async def raw_postgres(owner: str) -> AsyncGenerator[Flush]:
    """Copy, binary, into a table that has nothing else on it."""
    connection = await asyncpg.connect(owner)
    await connection.execute(
        'CREATE TABLE raw_log (part INT, "offset" INT, body BYTEA, sender TEXT, time FLOAT8,'
        ' key BYTEA, PRIMARY KEY (part, "offset"), UNIQUE (part, key))'
    )
    keys = Keys()
    end = 0

    async def flush() -> int:
        nonlocal end
        await connection.copy_records_to_table(
            "raw_log",
            records=rows(keys, end),
            columns=["part", "offset", "body", "sender", "time", "key"],
        )
        end += ROWS
        return ROWS

    yield flush
    await connection.execute("DROP TABLE raw_log")
    await connection.close()
