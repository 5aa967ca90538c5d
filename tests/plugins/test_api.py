"""The small things a room type is made of."""

import sys
from pathlib import Path

import pytest

from parvis.plugins import (
    EDITOR,
    NOTHING,
    VIEWER,
    Access,
    Caller,
    ErrorCode,
    Grant,
    OpaqueLog,
    Refused,
    RoomType,
    YDoc,
    migrations_in,
    overrides,
)


def test_access_is_a_set_of_capabilities() -> None:
    assert (VIEWER | Access.of(["calendar.freebusy"])).may("calendar.freebusy")
    assert EDITOR & VIEWER == VIEWER
    assert not NOTHING
    assert not VIEWER.may("edit")


@pytest.mark.parametrize(
    ("rooms", "name", "covered"),
    [
        ("plain/a", "plain/a", True),
        ("plain/a", "plain/ab", False),
        ("plain/a*", "plain/ab", True),
        ("plain/*", "plain/", True),
        ("plain/a", "plain/a:notes", False),
    ],
)
def test_a_grant_covers_a_name_or_a_beginning(rooms: str, name: str, covered: bool) -> None:
    assert Grant(rooms, VIEWER).covers(name) is covered


def test_grants_add_up() -> None:
    grants = (Grant("plain/a", VIEWER), Grant("plain/*", Access.of(["edit"])))
    caller = Caller("t", "app", grants=grants)
    assert caller.granted("plain/a") == Access.of(["view", "edit"])
    assert caller.granted("plain/b") == Access.of(["edit"])
    assert caller.granted("board/a") == NOTHING


def test_a_refusal_carries_its_code_and_reason() -> None:
    refused = Refused(ErrorCode.CONFLICT, "taken")
    assert (refused.code, refused.reason, str(refused)) == (
        ErrorCode.CONFLICT,
        "taken",
        "CONFLICT: taken",
    )


class Silent(RoomType[OpaqueLog]):
    """Overrides one hook."""

    name = "silent"
    replica = OpaqueLog

    async def on_close(self, room: object) -> None:
        """Do nothing, but on purpose."""


def test_only_what_is_overridden_counts() -> None:
    assert overrides(Silent(), "on_close")
    assert not overrides(Silent(), "on_open")


def test_replicas_say_how_they_deliver() -> None:
    assert YDoc.delivery == "fast"
    assert OpaqueLog.delivery == "ordered"
    assert YDoc(7).doc.client_id == 7


def schema(folder: Path, *names: str) -> str:
    """Make a package with these files below ``schema``; return its name."""
    package = f"migrated_{folder.name.replace('-', '_')}"
    for name in names:
        file = folder / package / "migrations" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"-- {name}")
    (folder / package / "__init__.py").write_text("")
    return package


def test_migrations_are_read_in_order_for_each_kind_of_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    names = ("sqlite/0002_more_things.sql", "sqlite/0001_things.sql", "postgres/0001_things.sql")
    found = migrations_in(schema(tmp_path, *names))
    assert [(each.number, each.title, sorted(each.scripts)) for each in found] == [
        (1, "things", ["postgres", "sqlite"]),
        (2, "more things", ["sqlite"]),
    ]
    assert found[1].scripts["sqlite"] == "-- sqlite/0002_more_things.sql"


@pytest.mark.parametrize("names", [("sqlite/things.sql",), ("sqlite/0002_things.sql",)])
def test_files_that_are_no_numbered_migrations_are_refused(
    names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ValueError, match="expected"):
        migrations_in(schema(tmp_path, *names))
