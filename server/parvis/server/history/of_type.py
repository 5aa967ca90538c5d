"""The history as a room type gets it from its node: of its own rooms, by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from parvis.plugins import Caller, ErrorCode, Refused, Restored, Timeline, Version
from parvis.plugins.history import PAUSE, Still, always
from parvis.storage import Address

from ..hosting.registry import AnyType
from .past import Past, require_document


class HistoryOfType:
    """Implements `parvis.plugins.History`.

    Args:
        room: Returns the name of a room for its key. Raises `Refused`.
    """

    def __init__(self, past: Past, kind: AnyType, room: Callable[[str], str]) -> None:
        self._past = past
        self._kind = kind
        self._room = room

    def _address(self, tenant: str, key: str, part: str) -> Address:
        if part and part not in self._kind.parts:
            raise Refused(ErrorCode.INVALID_NAME, f"{self._kind.name} has no part {part[:40]!r}")
        require_document(self._kind, part)
        return Address(tenant, self._room(key), part)

    async def timeline(
        self,
        tenant: str,
        key: str,
        part: str = "",
        *,
        before: int = 0,
        limit: int = 50,
        pause: float = PAUSE,
    ) -> Timeline:
        return await self._past.timeline(self._address(tenant, key, part), before, limit, pause)

    async def at(self, tenant: str, key: str, part: str = "", *, offset: int) -> bytes:
        return await self._past.at(self._address(tenant, key, part), offset)

    async def offset(self, tenant: str, key: str, part: str = "", *, time: float) -> int:
        return await self._past.offset(self._address(tenant, key, part), time)

    async def blame(
        self,
        tenant: str,
        key: str,
        part: str = "",
        *,
        offset: int | None = None,
        root: str | None = None,
        pause: float = PAUSE,
    ) -> Sequence[Mapping[str, Any]]:
        return await self._past.blame(self._address(tenant, key, part), offset, root, pause)

    async def versions(self, tenant: str, key: str, part: str = "") -> Sequence[Version]:
        return await self._past.versions(self._address(tenant, key, part))

    async def name(
        self,
        caller: Caller,
        key: str,
        part: str = "",
        *,
        name: str,
        offset: int | None = None,
        id: str | None = None,
        still: Still = always,
    ) -> Version:
        address = self._address(caller.tenant, key, part)
        return await self._past.name(self._kind, caller, address, name, offset, id, still)

    async def rename(self, caller: Caller, key: str, part: str = "", *, id: str, name: str) -> None:
        address = self._address(caller.tenant, key, part)
        await self._past.rename(self._kind, caller, address, id, name)

    async def forget(self, caller: Caller, key: str, part: str = "", *, id: str) -> None:
        address = self._address(caller.tenant, key, part)
        await self._past.forget(self._kind, caller, address, id)

    async def restore(
        self, caller: Caller, key: str, part: str = "", *, offset: int, still: Still = always
    ) -> Restored:
        address = self._address(caller.tenant, key, part)
        return await self._past.restore(self._kind, caller, address, offset, still)

    async def rollback(
        self,
        caller: Caller,
        key: str,
        part: str = "",
        *,
        author: str,
        first: int,
        last: int,
        still: Still = always,
    ) -> Restored:
        address = self._address(caller.tenant, key, part)
        return await self._past.rollback(self._kind, caller, address, author, first, last, still)
