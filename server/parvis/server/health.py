"""Whether the node lives and is ready, from named checks that its parts keep up to date.

A fault of this node alone (`Scope.NODE`) or a drain fails readiness, so that others take over. A
fault that all nodes share (`Scope.SHARED`), such as a store that is down, only shows as degraded:
to take every node out of service would help nobody (DESIGN section 8).
"""

import enum
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from parvis.server.ports import Clock

STUCK_AFTER: Final = 5.0
"""Seconds without a beat of the loop after which it counts as stuck."""

LAG_REMEMBERED: Final = 30.0
"""Seconds for which a late beat still counts."""


class Scope(enum.Enum):
    """Whose fault a failing check is."""

    NODE = "node"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Check:
    """The state of something the node depends on."""

    scope: Scope
    ok: bool = True
    detail: str = ""


class Health:
    """What is known about the node at the moment. Checks begin as passing."""

    def __init__(self, clock: Clock, checks: Mapping[str, Scope]) -> None:
        self._clock = clock
        self.checks = {name: Check(scope) for name, scope in checks.items()}
        self.draining = False
        self._beat = clock.monotonic()
        self._stuck_until = self._beat

    def set(self, name: str, ok: bool, detail: str = "") -> None:
        """Say how a check stands.

        Args:
            detail: For the operator, without secrets.
        """
        self.checks[name] = Check(self.checks[name].scope, ok, "" if ok else detail)

    def beat(self) -> float:
        """Note that the loop turns; to be called about once a second.

        Returns:
            Seconds since the last time.
        """
        now = self._clock.monotonic()
        since, self._beat = now - self._beat, now
        if since > STUCK_AFTER:
            self._stuck_until = now + LAG_REMEMBERED
        return since

    @property
    def stuck(self) -> bool:
        """Whether the loop stands still, or did a moment ago."""
        now = self._clock.monotonic()
        return now - self._beat > STUCK_AFTER or now < self._stuck_until


def folder_problem(folder: Path) -> str:
    """Say why nothing can be written in a folder; empty if it can. A full disk is not seen here."""
    try:
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            return "on a file system that is read-only"
    except OSError as error:
        return error.strerror or str(error)
    return "" if os.access(folder, os.W_OK | os.X_OK) else "not writable for this process"


def livez(health: Health) -> tuple[int, dict[str, Any]]:
    """Answer ``/livez``: that an answer comes at all says that process and loop live.

    Returns:
        HTTP status and JSON body.
    """
    return 200, {"status": "alive"}


def readyz(health: Health) -> tuple[int, dict[str, Any]]:
    """Answer ``/readyz``: 503 if others should take this node's sessions, else 200.

    Returns:
        HTTP status and JSON body: ``status`` is ``ready``, ``degraded`` (200), ``draining`` or
        ``failing`` (503); ``checks`` tells of each check how it stands.
    """
    failing = [check for check in health.checks.values() if not check.ok]
    if health.draining:
        status = "draining"
    elif health.stuck or any(check.scope is Scope.NODE for check in failing):
        status = "failing"
    else:
        status = "degraded" if failing else "ready"
    checks: dict[str, Any] = {
        name: {"ok": check.ok, "scope": check.scope.value}
        | ({"detail": check.detail} if check.detail else {})
        for name, check in health.checks.items()
    }
    checks["loop"] = {"ok": not health.stuck, "scope": Scope.NODE.value}
    return (503 if status in ("draining", "failing") else 200), {"status": status, "checks": checks}
