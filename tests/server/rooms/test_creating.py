"""Who creates a room by joining one that does not exist: `[rooms.<type>] create`."""

import pytest

from parvis.plugins import EDITOR, VIEWER, Access, Caller, Grant
from parvis.protocol import RoomName
from parvis.server.rooms.joining import creator
from tests.server.rooms.lab import lab

ROOM = RoomName("board", "r")
MEMBER = Caller("kit", "ada", member=True)
ADMIN = Caller("kit", "root", member=True, admin=True)
VOUCHED = Caller("kit", "app:shop:7", grants=(Grant("board/r", EDITOR),))
ELSEWHERE = Caller("kit", "app:shop:8", grants=(Grant("board/other", EDITOR),))
STRANGER = Caller("kit", "nobody")


@pytest.mark.parametrize(
    ("create", "may"),
    [
        ("anyone", {"ada", "root", "app:shop:7", "app:shop:8", "nobody"}),
        ("members", {"ada", "root", "app:shop:7"}),
        ("admins", {"root"}),
        ("nobody", set[str]()),
    ],
)
async def test_a_room_is_created_for_those_the_setting_names(create: str, may: set[str]) -> None:
    async with lab(settings={"create": create}) as it:
        callers = (MEMBER, ADMIN, VOUCHED, ELSEWHERE, STRANGER)
        created = {creator(it.core, ROOM, caller, EDITOR) for caller in callers} - {None}
        assert created == may


@pytest.mark.parametrize("access", [VIEWER, Access()])
async def test_a_room_is_created_for_nobody_who_may_not_write_in_it(access: Access) -> None:
    async with lab(settings={"create": "anyone"}) as it:
        assert creator(it.core, ROOM, MEMBER, access) is None
