"""Numbered migrations of the store's own tables, from ``migrations/sqlite/<kind>/NNNN_what.sql``.

A file's number is kept in ``user_version``, and with it the oldest number a program must know to
use the file all the same (``parvis_compat``): a step that only adds what older programs may
ignore leaves it alone, another says ``-- compat: NNNN`` on a line of its own.
"""

import re
import sqlite3
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from parvis.storage.errors import SchemaTooNew
from parvis.storage.sqlite.statements import split_script
from parvis.storage.sqlite.transaction import transaction

_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
_COMPAT = re.compile(r"^-- compat: (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Step:
    """One migration.

    Attributes:
        compat: Programs that know fewer steps than this cannot use the file any more; 0: no change.
    """

    number: int
    title: str
    statements: tuple[str, ...]
    compat: int


@cache
def steps(kind: str) -> tuple[Step, ...]:
    """Return the migrations of one kind of file, ``tenant`` or ``control``, in order."""
    found: list[Step] = []
    for entry in (files("parvis.storage") / "migrations" / "sqlite" / kind).iterdir():
        match = _FILE_NAME.fullmatch(entry.name)
        if match:
            sql = entry.read_text(encoding="utf-8")
            compat = _COMPAT.search(sql)
            found.append(
                Step(
                    number=int(match[1]),
                    title=match[2].replace("_", " "),
                    statements=tuple(split_script(sql)),
                    compat=int(compat[1]) if compat else 0,
                )
            )
    return tuple(sorted(found, key=lambda step: step.number))


def bring_up(connection: sqlite3.Connection, steps: tuple[Step, ...], name: str) -> None:
    """Apply the steps that a file has not seen yet, all or none.

    Raises:
        SchemaTooNew: If a later program has changed the file so that this one cannot use it.
    """
    newest = steps[-1].number
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > newest:
        compat = int(connection.execute("SELECT number FROM parvis_compat").fetchone()[0])
        if compat > newest:
            raise SchemaTooNew(
                f"{name} has schema {version}, and this version of Parvis knows {newest}",
                hint="Start the later version again, or restore a backup made before it.",
            )
        return
    if version == newest:
        return
    with transaction(connection, "BEGIN IMMEDIATE"):
        if version == 0:
            connection.execute("CREATE TABLE parvis_compat (number INTEGER NOT NULL) STRICT")
            connection.execute("INSERT INTO parvis_compat VALUES (1)")
        for step in steps:
            if step.number > version:
                for statement in step.statements:
                    connection.execute(statement)
                connection.execute(
                    "UPDATE parvis_compat SET number = max(number, ?)", (step.compat,)
                )
        connection.execute(f"PRAGMA user_version = {newest}")
