"""Plain documents: any Yjs application's, and who may do what in them."""

import pytest

from parvis.plugins import EDITOR, NOTHING, OWNER, VIEWER, Access, Caller, Grant
from parvis.plugins.plain import Plain, PlainSettings

MEMBER = Caller("t", "ada", member=True)


def holder(rooms: str, access: Access) -> Caller:
    return Caller("t", "app-1", grants=(Grant(rooms, access),))


@pytest.mark.parametrize(
    ("members", "caller", "access"),
    [
        ("edit", MEMBER, EDITOR),
        ("view", MEMBER, VIEWER),
        ("nothing", MEMBER, NOTHING),
        ("nothing", Caller("t", "boss", member=True, admin=True), OWNER),
        ("nothing", Caller("t", "somebody", anyone=True), OWNER),
        ("edit", Caller("t", "nobody"), NOTHING),
        ("edit", holder("plain/doc", VIEWER), VIEWER),
        ("edit", holder("plain/do*", EDITOR), EDITOR),
        ("edit", holder("plain/other", EDITOR), NOTHING),
        ("edit", holder("board/doc", EDITOR), NOTHING),
    ],
)
async def test_who_may_do_what(members: str, caller: Caller, access: Access) -> None:
    kind = Plain(PlainSettings(members=members))  # type: ignore[arg-type]  # one of the literals
    assert await kind.authorize(caller, "doc", "") == access


def test_it_has_no_parts_so_that_an_applications_names_stay_whole() -> None:
    assert Plain.parts == {}
    assert Plain.schema == 0
