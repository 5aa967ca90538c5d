"""From a document's name in its source to the key of its room."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .sources import SourceError


@dataclass(frozen=True, slots=True)
class Naming:
    """How names become keys.

    Attributes:
        pattern: What a name must match as a whole; its first group, or else all of it, is the key.
            None: every name is a key.
        prefix: Put before each key.
    """

    pattern: re.Pattern[str] | None = None
    prefix: str = ""

    def key(self, name: str) -> str | None:
        """Return the key of a document; None: this one is to be left out."""
        if self.pattern is None:
            return self.prefix + name
        found = self.pattern.fullmatch(name)
        if found is None:
            return None
        key = found[1] if self.pattern.groups else found[0]
        return self.prefix + (key or "")

    def keys(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return name → key of those that are not left out.

        Raises:
            SourceError: If two of them would meet in one room.
        """
        names_of: dict[str, str] = {}
        for name in names:
            if (key := self.key(name)) is None:
                continue
            if key in names_of:
                raise SourceError(
                    f"{names_of[key][:80]!r} and {name[:80]!r} would both become {key[:80]!r}",
                    "Give --key-from a pattern whose group differs.",
                )
            names_of[key] = name
        return {name: key for key, name in names_of.items()}


def naming(pattern: str | None, prefix: str) -> Naming:
    """Read the options. Raises `SourceError` if that is no regular expression."""
    try:
        compiled = re.compile(pattern) if pattern is not None else None
    except re.error as error:
        raise SourceError(f"--key-from {pattern!r} is no regular expression: {error}") from None
    return Naming(compiled, prefix)
