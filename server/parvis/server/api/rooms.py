"""Rooms, without loading them: listed, described, deleted."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

from aiohttp import web

from parvis.plugins import Caller, ErrorCode, Refused, RoomType
from parvis.protocol import RoomName
from parvis.storage import RoomInfo

from .contract import Api, Call
from .faults import Fault
from .names import authorized, find
from .queries import number

MAX_PAGE: Final = 1000


async def list_rooms(api: Api, call: Call) -> web.Response:
    """List the rooms that the caller may read, by name, a page at a time.

    Query: ``prefix``, ``after`` (the ``next`` of the page before), ``limit`` (1 to 1000).
    """
    query = call.request.query
    limit = number(call.request, "limit", 100, low=1, high=MAX_PAGE)
    prefix, after = query.get("prefix", ""), query.get("after", "")
    # One more, to know whether others follow. Only rooms that the caller may read count for that:
    # otherwise names, or that there are some, could be learnt by asking for them piece by piece.
    rooms: list[RoomInfo] = []
    async with aclosing(_readable(api, call.who.caller, prefix, after)) as readable:
        async for room in readable:
            rooms.append(room)
            if len(rooms) > limit:
                break
    page = rooms[:limit]
    following = page[-1].room if len(rooms) > len(page) else None
    return web.json_response({"rooms": [described(room) for room in page], "next": following})


async def show_room(api: Api, call: Call) -> web.Response:
    """Describe a room."""
    kind, name = await _require(api, call, None)
    room = await api.store.room(call.who.caller.tenant, name.room)
    if room is None:
        raise Refused(ErrorCode.ROOM_NOT_FOUND, f"there is no room {name.room}")
    if room.deleted is not None:
        raise Refused(ErrorCode.ROOM_DELETED, f"the room {name.room} was deleted")
    access = await authorized(kind, call.who.caller, name)
    body = described(room) | {"capabilities": sorted(access.capabilities)}
    return web.json_response({"room": body})


async def delete_room(api: Api, call: Call) -> web.Response:
    """Delete a room for everybody; its name does not come back."""
    _, name = await _require(api, call, "admin")
    await api.directory.delete(call.who.caller.tenant, name.room)
    return web.Response(status=204)


def described(room: RoomInfo) -> dict[str, Any]:
    """Return what the API shows of a room."""
    return {
        "room": room.room,
        "created": room.created,
        "creator": room.creator,
        "size": room.size,
        "parts": {
            name: {"incarnation": head.incarnation, "offset": head.offset}
            for name, head in sorted(room.parts.items())
        },
    }


async def _require(api: Api, call: Call, capability: str | None) -> tuple[RoomType[Any], RoomName]:
    """Return the room in the path if the caller has a capability there; None: may read it."""
    path = call.request.match_info
    kind, name = find(api, f"{path['type']}/{path['key']}")
    if name.part:
        raise Fault(400, "invalid_name", "expected a room, got a part of one")
    access = await authorized(kind, call.who.caller, name)
    # Asked before the store is, so that nobody learns which rooms exist.
    if not access.may(capability or kind.read):
        raise Refused(ErrorCode.PERMISSION_DENIED, f"you may not {capability or kind.read} here")
    return kind, name


async def _readable(api: Api, caller: Caller, prefix: str, after: str) -> AsyncGenerator[RoomInfo]:
    """Yield, by name, the rooms that the caller may read."""
    while found := await api.store.rooms(caller.tenant, prefix=prefix, after=after, limit=MAX_PAGE):
        for room in found:
            if await _visible(api, caller, room.room):
                yield room
        after = found[-1].room


async def _visible(api: Api, caller: Caller, room: str) -> bool:
    try:
        kind, name = find(api, room)
    except Refused:
        return False  # Of a room type that is not installed now.
    return (await authorized(kind, caller, name)).may(kind.read)
