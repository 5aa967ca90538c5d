"""Numbered SQL files of a plugin: ``migrations/<store kind>/NNNN_what.sql`` in its package."""

import re
from collections import defaultdict
from collections.abc import Sequence
from importlib.resources import files

from parvis.storage import Migration

FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


def migrations_in(package: str) -> Sequence[Migration]:
    """Read a package's migrations, in order.

    Raises:
        ValueError: If a file's name is not ``NNNN_what.sql``, or numbers do not run from 1.
    """
    scripts: defaultdict[int, dict[str, str]] = defaultdict(dict)
    titles: dict[int, str] = {}
    for kind in files(package).joinpath("migrations").iterdir():
        for script in kind.iterdir():
            if not (match := FILE.fullmatch(script.name)):
                raise ValueError(f"expected NNNN_what.sql, got {kind.name}/{script.name}")
            number = int(match[1])
            titles[number] = match[2].replace("_", " ")
            scripts[number][kind.name] = script.read_text(encoding="utf-8")
    if sorted(scripts) != list(range(1, len(scripts) + 1)):
        raise ValueError(f"expected migrations numbered from 1, got {sorted(scripts)}")
    return [Migration(number, titles[number], scripts[number]) for number in sorted(scripts)]
