"""Numbered migrations of the store's own tables, from ``migrations/postgres/NNNN_what.sql``.

A file is one transaction. Two lines of their own say more:

* ``-- compat: NNNN``: programs that know fewer steps than this cannot use the tables any more. A
  step that only adds what older programs may ignore has none, so that old and new nodes run side
  by side (expand); what they needed goes in a later one (contract).
* ``-- background``: one statement that changes some rows and is run again until it finds none,
  each time in a transaction of its own, after all other steps and while nodes serve.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
_COMPAT = re.compile(r"^-- compat: (\d+)$", re.MULTILINE)
_BACKGROUND = re.compile(r"^-- background$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Step:
    """One migration.

    Attributes:
        compat: Programs that know fewer steps than this cannot use the tables; 0: no change.
        background: Run again and again until it changes no row.
    """

    number: int
    title: str
    sql: str
    compat: int = 0
    background: bool = False


@cache
def own_steps() -> Sequence[Step]:
    """Return the migrations of this version of Parvis, in order."""
    return steps_in(files("parvis.storage") / "migrations" / "postgres")


def steps_in(folder: Traversable) -> Sequence[Step]:
    """Return the migrations in a folder, in order."""
    found: list[Step] = []
    for entry in folder.iterdir():
        if match := _FILE_NAME.fullmatch(entry.name):
            sql = entry.read_text(encoding="utf-8")
            compat = _COMPAT.search(sql)
            found.append(
                Step(
                    number=int(match[1]),
                    title=match[2].replace("_", " "),
                    sql=sql,
                    compat=int(compat[1]) if compat else 0,
                    background=bool(_BACKGROUND.search(sql)),
                )
            )
    return tuple(sorted(found, key=lambda step: step.number))
