"""How a session gets its seat in a part, in every dialect."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from parvis.plugins import Access, Caller, Refused, overrides
from parvis.protocol import ErrorCode, RoomName

from ..hosting.registry import AnyType
from .part import LivePart
from .seat import Seat

if TYPE_CHECKING:
    from ..core import Core
    from .room import LiveRoom

logger = logging.getLogger(__name__)

SeatT = TypeVar("SeatT", bound=Seat)

LOOK: Final = Access.of(["view"])
"""What a client with another schema may do at most: others could not read what it writes."""


async def authorize(core: Core, caller: Caller, name: RoomName) -> Access:
    """Ask the room type what a caller may do; the room is not loaded for it.

    Raises:
        Refused: If it may not even read, or the room type's answer failed.
    """
    kind = core.registry.get(name.type)
    try:
        access = await kind.authorize(caller, name.key, name.part)
    except Refused:
        raise
    except Exception:
        logger.exception("%s: authorize failed", name)
        raise Refused(ErrorCode.INTERNAL, "internal error") from None
    read = kind.parts[name.part].read if name.part else kind.read
    if not access.may(read):
        raise Refused(ErrorCode.PERMISSION_DENIED, "you may not open this")
    return access


def creator(core: Core, name: RoomName, caller: Caller, access: Access) -> str | None:
    """Return the id of the user in whose name a missing room is created; None: not for this one."""
    kind = core.registry.get(name.type)
    vouched = caller.member or bool(caller.granted(str(name)))
    may = {
        "anyone": access.may(kind.write),
        "members": access.may(kind.write) and vouched,
        "admins": caller.admin,
        "nobody": False,
    }
    allowed = caller.anyone or may[core.registry.settings(kind.name).create]
    return caller.user if allowed else None


async def join(
    core: Core,
    caller: Caller,
    name: RoomName,
    make_seat: Callable[[LivePart, Access], SeatT],
    entered: Callable[[SeatT, Sequence[bytes]], None],
    *,
    schema: int = 0,
    state: bytes | None = None,
) -> None:
    """Give a session a seat in a part.

    Args:
        entered: Called with the seat and what the client lacks. The seat gets every update from
            the very next one on: nothing comes between.
        schema: Version of the room type's schema that the client showed; 0: none.
        state: What the client has; None: it will ask later.

    Raises:
        Refused: If the caller may not, or the room cannot be had.
        Malformed: If `state` is not one.
    """
    rights = core.rights_changed
    access = await authorize(core, caller, name)
    kind = core.registry.get(name.type)
    foreign = bool(kind.schema) and schema != kind.schema
    if foreign:
        access &= LOOK
    may_create = creator(core, name, caller, access)
    async with core.directory.hold(kind, caller.tenant, name.room, may_create) as room:
        part = await room.open_part(name.part)
        seat = make_seat(part, access)
        seat.foreign = foreign
        if overrides(kind, "on_join"):
            async with room.turn:
                await _on_join(kind, seat)
        try:
            await part.seat(seat, state, lambda missing: entered(seat, missing))
        except Exception:
            _depart(core, seat)
            raise
        if core.rights_changed != rights:
            # Perhaps in this room, when the seat was not there yet.
            await _authorize_again_or_dismiss(core, seat)


async def authorize_everybody_again(core: Core, room: LiveRoom) -> None:
    """Ask anew what everybody in a room may do; who may not even read is taken out."""
    for part in tuple(room.parts.values()):
        judged: dict[Caller, Access | Refused] = {}
        for seat in tuple(part.seats):
            if seat.caller not in judged:
                judged[seat.caller] = await _judged(core, seat)
            _settle(room, seat, judged[seat.caller])


async def _authorize_again_or_dismiss(core: Core, seat: Seat) -> None:
    _settle(seat.live.room, seat, await _judged(core, seat))


async def _judged(core: Core, seat: Seat) -> Access | Refused:
    try:
        return await authorize(core, seat.caller, core.registry.parse(str(seat.live.address)))
    except Refused as refusal:
        return refusal


def _settle(room: LiveRoom, seat: Seat, judged: Access | Refused) -> None:
    if isinstance(judged, Refused):
        room.dismiss(seat, judged.code, judged.reason)
    else:
        _allow(seat, judged)


def _allow(seat: Seat, access: Access) -> None:
    if seat.foreign:
        access &= LOOK
    if not seat.left and access != seat.access:
        seat.live.change_access(seat, access)


async def authorize_again(core: Core, caller: Caller, seat: Seat) -> None:
    """Ask anew what a peer may do, after it has shown something new.

    Raises:
        Refused: If it may not even read any more.
    """
    _allow(seat, await authorize(core, caller, core.registry.parse(str(seat.live.address))))


async def _on_join(kind: AnyType, seat: Seat) -> None:
    try:
        await kind.on_join(seat.live.room, seat)
    except Refused:
        raise
    except Exception:
        logger.exception("%s: on_join failed", seat.live.address)
        raise Refused(ErrorCode.INTERNAL, "internal error") from None


def leave(core: Core, seat: Seat) -> None:
    """Take a session out of a part; the room hears of it and may be let go."""
    if not seat.left:
        _depart(core, seat)


def _depart(core: Core, seat: Seat) -> None:
    room = seat.live.room
    seat.live.leave(seat)
    if overrides(room.kind, "on_leave") and not room.lost:
        core.spawn(_on_leave(core, seat))
    core.directory.left(room)


async def _on_leave(core: Core, seat: Seat) -> None:
    room = seat.live.room
    room.holders += 1
    try:
        async with room.turn:
            await room.call("on_leave", room.kind.on_leave(room, seat))
    finally:
        room.holders -= 1
        core.directory.left(room)
