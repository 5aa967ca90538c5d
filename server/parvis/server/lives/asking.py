"""What an operator asks about the lives of a part: JSON in and out, for commands."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, cast

from parvis.plugins import Caller, ErrorCode, Refused
from parvis.protocol import RoomName
from parvis.storage import Address, Store

from ..hosting.host import SERVER
from ..hosting.registry import Registry
from ..ports import Helpers
from .rows import Rescue, Rows

if TYPE_CHECKING:
    from ..core import Core

Json = Any

READING: Final = 300.0
"""Seconds that a helper may take to read a rescue."""

FORMATS: Final = ("update", "added", "json", "text")
"""The whole document as one Yjs update; only what was rescued, as one that builds on the life
before; all roots as JSON; plain text."""


async def rebuild(
    core: Core, *, tenant: str, room: str, dry_run: bool, now: bool, positions: bool
) -> Json:
    """Begin a new life of a part, or say what that would do; see `Rebuilding`."""
    name = core.registry.parse(room)
    kind, address = core.registry.get(name.type), Address(tenant, name.room, name.part)
    assert core.rebuilding is not None  # since before operators were let in
    if dry_run:
        done = await core.rebuilding.look(kind, address)
    else:
        done = await core.rebuilding.rebuild(kind, address, at_once=now, positions=positions)
    rescues = await core.lives.rows.rescues(address)
    return asdict(done) | {"room": str(name), "rescued": len(rescues)}


async def restore(
    core: Core,
    *,
    tenant: str,
    room: str,
    offset: int | None,
    time: float | None,
    version: str | None,
) -> Json:
    """Change a part back to what it was at a moment, by one more update; see `Past.restore`."""
    name = core.registry.parse(room)
    kind, address = core.registry.get(name.type), Address(tenant, name.room, name.part)
    past = core.history
    assert past is not None  # since before operators were let in
    if time is not None:
        offset = await past.offset(address, time)
    elif version is not None:
        versions = await past.versions(address)
        offset = next((each.offset for each in versions if each.id == version), None)
    if offset is None:
        raise Refused(ErrorCode.CONFLICT, f"there is no version {str(version)[:64]!r}")
    caller = Caller(tenant, SERVER, "Parvis")
    return asdict(await past.restore(kind, caller, address, offset)) | {
        "room": str(name),
        "moment": offset,
    }


class Rescued:
    """The rescues of all parts, whether a node runs or not."""

    def __init__(self, store: Store, registry: Registry, helpers: Helpers) -> None:
        self._rows = Rows(store)
        self._registry = registry
        self._helpers = helpers

    async def list(self, *, tenant: str, room: str) -> Json:
        """List what was rescued of a part, oldest first."""
        return [asdict(each) for each in await self._rows.rescues(self._address(tenant, room))]

    async def show(self, *, tenant: str, room: str, id: str) -> Json:
        """Describe a rescue: what the document said before, and with it."""
        address = self._address(tenant, room)
        rescue, content = await self._find(address, id)
        before = await self._rows.state(address, rescue.incarnation)
        return asdict(rescue) | {
            "before": await self._run("to_json", before),
            "with": await self._run("to_json", await self._whole(before, content)),
        }

    async def export(self, *, tenant: str, room: str, id: str, format: str) -> Json:
        """Return a rescue, as base64 in ``data``, in one of `FORMATS`."""
        address = self._address(tenant, room)
        rescue, content = await self._find(address, id)
        if format not in FORMATS:
            known = ", ".join(FORMATS)
            raise Refused(ErrorCode.REFUSED, f"a rescue has the forms {known}, not {format[:40]!r}")
        if format != "added":
            before = await self._rows.state(address, rescue.incarnation)
            content = await self._whole(before, content)
        if format == "json":
            values = await self._run("to_json", content)
            content = json.dumps(values, ensure_ascii=False, indent=2).encode() + b"\n"
        elif format == "text":
            roots: dict[str, str] = await self._helpers.run("roots", content, timeout=READING)
            texts = [
                str(await self._helpers.run("text", content, each, timeout=READING))
                for each in sorted(roots)
            ]
            content = "\n\n".join(text for text in texts if text).encode()
        return {"data": base64.b64encode(content).decode()}

    async def drop(self, *, tenant: str, room: str, id: str) -> Json:
        """Forget a rescue."""
        address = self._address(tenant, room)
        rescue, _ = await self._find(address, id)
        await self._rows.drop(address, id)
        return asdict(rescue)

    def _address(self, tenant: str, room: str) -> Address:
        name: RoomName = self._registry.parse(room)
        return Address(tenant, name.room, name.part)

    async def _find(self, address: Address, id: str) -> tuple[Rescue, bytes]:
        found = await self._rows.rescued(address, id)
        if found is None:
            raise Refused(ErrorCode.CONFLICT, f"nothing was rescued as {id[:64]!r}")
        return found

    async def _whole(self, before: bytes, content: bytes) -> bytes:
        whole: bytes = await self._helpers.run("merge", [before, content], timeout=READING)
        return whole

    async def _run(self, task: str, update: bytes) -> Json:
        return _plain(await self._helpers.run(task, update, timeout=READING))


def _plain(value: Any) -> Json:
    """Return a value as JSON has it: binary values in base64."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case dict():
            return {key: _plain(each) for key, each in cast("dict[str, Any]", value).items()}
        case list():
            return [_plain(each) for each in cast("Sequence[Any]", value)]
        case _:
            return value
