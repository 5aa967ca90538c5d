"""What came of a check."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class State(enum.Enum):
    """How good a finding is. Only `FAIL` changes the exit status."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one check.

    Attributes:
        detail: For people, without secrets.
        hint: What to do about it; shown unless the state is `OK`.
        figures: For programs, in JSON values.
    """

    name: str
    state: State
    detail: str
    hint: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def good(self) -> bool:
        """Whether nothing is broken."""
        return self.state is not State.FAIL


def ok(name: str, detail: str, **figures: Any) -> Finding:
    """Say that something is as it should be."""
    return Finding(name, State.OK, detail, figures=figures)


def warn(name: str, detail: str, hint: str = "", **figures: Any) -> Finding:
    """Say that a person should look soon."""
    return Finding(name, State.WARN, detail, hint, figures)


def fail(name: str, detail: str, hint: str = "", **figures: Any) -> Finding:
    """Say that something is broken, or about to lose what people wrote."""
    return Finding(name, State.FAIL, detail, hint, figures)


def judged(good: bool, name: str, detail: str, hint: str = "") -> Finding:
    """Say how something is that is either right or wrong."""
    return ok(name, detail) if good else fail(name, detail, hint)
