"""Importing as operations: JSON in and out, the same over the operator's socket and in a process
that holds the data folder itself."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Sequence
from typing import Any

from parvis.plugins import ErrorCode, Refused

from .sources import Row
from .taking import Intake, Mode

Json = Any


async def plan(intake: Intake, *, tenant: str, type: str, owner: str | None, keys: Json) -> Json:
    """Say into which rooms documents would go; see `Intake.plan`."""
    planned = await intake.plan(tenant, type, owner, [str(key) for key in keys])
    return [{"room": room, "problem": problem, "there": there} for room, problem, there in planned]


async def take(
    intake: Intake,
    *,
    tenant: str,
    type: str,
    owner: str | None,
    key: str,
    rows: Json,
    mode: str,
) -> Json:
    """Take a document in; see `Intake.take`.

    Args:
        rows: Pairs of an update in base64 and when it was written, or null.
    """
    try:
        wanted = Mode(mode)
    except ValueError:
        reason = f"expected one of {', '.join(Mode)}, got {mode[:20]!r}"
        raise Refused(ErrorCode.MALFORMED, reason) from None
    taken = await intake.take(tenant, type, owner, key, _rows(rows), mode=wanted)
    return dataclasses.asdict(taken) | {"notes": list(taken.notes)}


def written(rows: Sequence[Row]) -> Json:
    """Return rows as `take` reads them."""
    return [[base64.b64encode(row.update).decode(), row.time] for row in rows]


def _rows(rows: Json) -> Sequence[Row]:
    try:
        return [
            Row(base64.b64decode(update, validate=True), None if time is None else float(time))
            for update, time in rows
        ]
    except (TypeError, ValueError, binascii.Error):
        raise Refused(ErrorCode.MALFORMED, "expected updates in base64, with their times") from None
