"""Room names in requests, and what a caller may do in the room."""

from typing import Any

from parvis.plugins import NOTHING, Access, Caller, Refused, RoomType
from parvis.protocol import RoomName

from .contract import Api


def find(api: Api, name: str) -> tuple[RoomType[Any], RoomName]:
    """Return the room type and the parsed name of a room. Raises `Refused`."""
    parsed = api.registry.parse(name)
    return api.registry.get(parsed.type), parsed


async def authorized(kind: RoomType[Any], caller: Caller, name: RoomName) -> Access:
    """Return what a caller may do in a room; nothing if the room type refuses."""
    try:
        return await kind.authorize(caller, name.key, name.part)
    except Refused:
        return NOTHING
