"""Which backups stay: those of the last days, and the newest ones."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .errors import BackupError

SUFFIX: Final = ".parvis.age"
_NAME: Final = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{8}" + re.escape(SUFFIX))
_RULE: Final = re.compile(r"(\d{1,5})(d?)")

DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Keep:
    """What stays; a backup that either of them keeps stays. The newest one always does.

    Attributes:
        newest: So many; None says nothing.
        days: Those not older; None says nothing.
    """

    newest: int | None = None
    days: int | None = None

    def __bool__(self) -> bool:
        return self.newest is not None or self.days is not None


def keep_of(rules: Sequence[str]) -> Keep:
    """Read rules like ``14`` and ``30d``. Raises `BackupError`."""
    newest: int | None = None
    days: int | None = None
    for rule in rules:
        found = _RULE.fullmatch(rule)
        if found is None or not int(found[1]):
            raise BackupError(
                f"{rule!r} says not what to keep", "Expected a number, or days like 30d."
            )
        if found[2]:
            days = int(found[1])
        else:
            newest = int(found[1])
    return Keep(newest, days)


def name_of(stamp: str, id: str) -> str:
    """Return the file name of a backup.

    Args:
        stamp: When it is made, as ``20261120T152200Z``.
    """
    return f"{stamp}-{id[:8]}{SUFFIX}"


def outdated(names: Sequence[str], keep: Keep, *, oldest: str) -> list[str]:
    """Return the names of backups that need not stay; other names are nobody's business here.

    Args:
        oldest: The stamp of the moment `keep.days` ago.
    """
    backups = sorted((name for name in names if _NAME.fullmatch(name)), reverse=True)
    if not keep:
        return []
    stay = set(backups[: max(1, keep.newest or 0)])
    if keep.days is not None:
        stay.update(name for name in backups if name[:16] >= oldest)
    return sorted(name for name in backups if name not in stay)


def remove_outdated(folder: Path, keep: Keep, *, oldest: str) -> list[str]:
    """Delete backups that need not stay, and return their names."""
    names = outdated([entry.name for entry in folder.iterdir()], keep, oldest=oldest)
    for name in names:
        (folder / name).unlink(missing_ok=True)
    return names
