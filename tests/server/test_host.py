"""What a node offers a room type outside of any one room: `parvis.plugins.Node`, all of it."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from parvis.plugins import (
    EDITOR,
    VIEWER,
    Access,
    Caller,
    Node,
    Notice,
    OpaqueLog,
    Person,
    Refused,
    Words,
)
from parvis.protocol import CloseCode, ErrorCode, hocuspocus as h, messages as m, yjs as y
from parvis.server.firewall.helpers import HelperPool
from parvis.server.hosting import workshop as workshops
from parvis.server.hosting.workshop import HELPERS, Workshop, packages
from parvis.server.testing import Lobby, live_room
from tests.checkout import CHECKOUT
from tests.clocks import SetClock
from tests.server.dialects.stock_people import HocuspocusPerson, YPerson
from tests.server.rooms.lab import EDITOR_CALLER, Board, Draft, Mail, lab, read

CHORES = "tests.server.chores"
ADA = Caller("kit", "ada", "Ada", member=True)


class Listed(Board):
    """Who may do what stands in a list that changes."""

    def __init__(self) -> None:
        super().__init__()
        self.rights: dict[str, Access] = {}
        self.asked = 0
        self.when_asked: Callable[[], Awaitable[None]] | None = None

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        self.asked += 1
        access = self.rights.get(caller.user)
        if self.when_asked is not None:
            ask, self.when_asked = self.when_asked, None
            await ask()
        if access is None:
            raise Refused(ErrorCode.PERMISSION_DENIED, "you are not listed")
        return access


@asynccontextmanager
async def listed(**rights: Access) -> AsyncGenerator[tuple[Lobby, Listed, Node]]:
    kind = Listed()
    kind.rights = rights
    async with live_room(kind, "b1") as lobby:
        yield lobby, kind, lobby.node


# Rooms


async def test_a_room_type_that_vouches_opens_and_creates_without_being_asked() -> None:
    async with listed() as (lobby, kind, node):
        stranger = Caller("kit", "eve")
        async with node.open(stranger, "new", vouched=True) as room, room.edit(stranger) as edit:
            edit.append(Draft(7).write("hello"))
        assert kind.asked == 0
        made = await lobby.core.store.room("kit", "board/new")
        assert made is not None
        assert made.creator == "eve"
        with pytest.raises(Refused, match="not listed"):
            async with node.open(stranger, "new"):
                raise AssertionError("nobody vouched")


async def test_what_is_opened_is_a_room_and_not_a_part() -> None:
    async with listed(ada=EDITOR) as (_, _, node):
        for key in ("b1:notes", "b1:none", ""):
            with pytest.raises(Refused) as refused:
                async with node.open(ADA, key, vouched=True):
                    raise AssertionError("that is no room")
            assert refused.value.code is ErrorCode.INVALID_NAME


async def test_a_deleted_room_is_gone_for_those_in_it_and_for_good() -> None:
    async with listed(ada=EDITOR) as (lobby, _, node):
        ada = await lobby.join("ada")
        await node.delete("kit", "b1")
        left = await ada.expect(m.Left)
        assert isinstance(left, m.Left)
        assert left.code == ErrorCode.ROOM_DELETED
        await node.delete("kit", "b1")
        with pytest.raises(Refused) as refused:
            async with node.open(ADA, "b1", vouched=True):
                raise AssertionError("it was deleted")
        assert refused.value.code is ErrorCode.ROOM_DELETED


async def test_deleting_a_room_that_never_was_does_nothing() -> None:
    async with listed() as (lobby, _, node):
        await node.delete("kit", "never")
        assert await lobby.core.store.room("kit", "board/never") is None


async def test_rows_of_the_log_are_read_part_by_part() -> None:
    async with listed(ada=EDITOR) as (lobby, _, node):
        ada, draft = await lobby.join("ada"), Draft(7)
        notes = await lobby.join("ada", "notes")
        updates = [draft.write(letter) for letter in "abc"]
        for update in updates:
            await ada.update(update)
        await notes.update(note := Draft(8).write("n"))
        rows = await node.log("kit", "b1")
        assert [(row.offset, row.update, row.sender) for row in rows] == [
            (number, update, "ada") for number, update in enumerate(updates, 1)
        ]
        assert [row.offset for row in await node.log("kit", "b1", after=1, limit=1)] == [2]
        assert [row.update for row in await node.log("kit", "b1", "notes")] == [note]
        assert list(await node.log("kit", "b2")) == []
        assert list(await node.log("other", "b1")) == []


async def test_the_server_edits_in_its_own_name() -> None:
    async with listed() as (_, _, node):
        server = node.caller("kit")
        assert (server.tenant, server.member, server.admin) == ("kit", False, False)
        async with node.open(server, "b1", vouched=True) as room, room.edit(server) as edit:
            edit.append(Draft(7).write("x"))
        assert [row.sender for row in await node.log("kit", "b1")] == [server.user]


# Rights that change


async def test_whose_rights_changed_is_told_or_taken_out_in_every_part() -> None:
    async with listed(ada=EDITOR, bob=EDITOR, eve=VIEWER) as (lobby, kind, node):
        ada, bob, eve = [await lobby.join(who) for who in ("ada", "bob", "eve")]
        notes = await lobby.join("bob", "notes")
        kind.rights = {"ada": EDITOR, "eve": EDITOR}
        await node.reauthorize("kit", "b1")
        for seat in (bob, notes):
            assert seat.received == [
                m.Left(seat.channel, ErrorCode.PERMISSION_DENIED, "you are not listed")
            ]
        assert eve.received == [
            m.AccessChanged(eve.channel, sorted(EDITOR.capabilities)),
            m.Resync(eve.channel, b"\x00"),
        ]
        assert ada.received == []
        assert [peer.caller.user for peer in lobby.room.peers] == ["ada", "eve"]
        await eve.update(Draft(7).write("now I may"))
        assert [type(message) for message in ada.received] == [m.Changed]


async def test_a_client_of_another_schema_stays_a_viewer() -> None:
    class Schemed(Listed):
        schema = 2

    kind = Schemed()
    kind.rights = {"ada": VIEWER}
    async with live_room(kind, "b1") as lobby, lobby.node.open(ADA, "b1", vouched=True):
        ada = await lobby.join("ada", schema=1)
        kind.rights = {"ada": EDITOR}
        await lobby.node.reauthorize("kit", "b1")
        assert ada.received == []
        assert lobby.room.peers[0].access == VIEWER


async def test_people_with_the_same_rights_are_asked_about_once() -> None:
    async with listed(ada=EDITOR) as (lobby, kind, node):
        for _ in range(5):
            await lobby.join("ada")
        kind.asked = 0
        await node.reauthorize("kit", "b1")
        assert kind.asked == 1


async def test_who_loses_the_right_while_joining_does_not_stay() -> None:
    async with listed(ada=EDITOR, bob=EDITOR) as (lobby, kind, node):
        await lobby.join("ada")

        async def revoke() -> None:
            del kind.rights["bob"]
            await node.reauthorize("kit", "b1")

        kind.when_asked = revoke
        bob = await lobby.join("bob")
        assert [type(message) for message in bob.received] == [m.Left]
        assert [peer.caller.user for peer in lobby.room.peers] == ["ada"]


async def test_stock_clients_whose_rights_changed_are_told_or_sent_away() -> None:
    kind = Listed()
    kind.rights = {"ada": EDITOR, "bob": EDITOR, "eve": EDITOR}
    async with lab(kind) as it:
        ada, eve, bob = HocuspocusPerson(it), HocuspocusPerson(it), YPerson(it, "bob")
        await ada.open("board/r", "ada")
        await eve.open("board/r", "eve")
        kind.rights = {"ada": VIEWER}
        await it.lobby.node.reauthorize("kit", "r")
        assert ada.heard("board/r")[-1] == h.Authenticated("readonly")
        assert eve.transport.closed == (CloseCode.STOCK_FORBIDDEN, "you are not listed")
        assert bob.transport.closed == (CloseCode.STOCK_FORBIDDEN, "you are not listed")
        before = len(ada.heard("board/r"))
        await it.lobby.node.reauthorize("kit", "r")
        assert len(ada.heard("board/r")) == before
        kind.rights = {"ada": EDITOR}
        await it.lobby.node.reauthorize("kit", "r")
        told = ada.heard("board/r")[before:]
        assert h.Authenticated("read-write") in told
        assert [type(each) for each in told if isinstance(each, y.SyncStep1)] == [y.SyncStep1]


async def test_rights_in_a_room_that_is_not_live_need_nobody_to_be_asked() -> None:
    async with listed() as (lobby, kind, node):
        await node.reauthorize("kit", "b1")
        assert kind.asked == 0
        assert lobby.core.directory.live("kit", "board/b1") is None


# The state of a document


async def test_the_state_is_the_document_with_what_has_just_come() -> None:
    async with lab() as it:
        ada, draft = await it.join("ada"), Draft(7)
        it.store.stall()
        ada.update(draft.write("not "))
        ada.update(draft.write("durable"))
        assert read(*await it.room.state()) == "not durable"
        it.store.resume()
        assert read(*await it.room.state("notes")) == ""


async def test_an_ordered_part_has_no_such_state() -> None:
    async with lab(Mail()) as it:
        await it.join("ada")
        with pytest.raises(TypeError, match="holds no document"):
            await it.room.state()


# Work in helpers


@pytest.fixture
def chores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets helpers import these tests' modules, as they do installed ones."""
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))


pytestmark = pytest.mark.usefixtures("chores")


async def test_a_function_of_the_room_types_package_runs_elsewhere() -> None:
    async with live_room(Listed(), "b1") as lobby:
        values: list[Any] = [1, "é", b"\x00", [None, 2.5], {"k": True}]
        assert await lobby.node.compute(f"{CHORES}:echo", *values) == values
        process, nice = await lobby.node.compute(f"{CHORES}:whose", 0)
        assert process != os.getpid()
        assert nice == min(19, os.nice(0) + workshops.CONFINED.nice)


async def test_a_refusal_comes_back_with_its_code() -> None:
    async with live_room(Listed(), "b1") as lobby:
        with pytest.raises(Refused) as refused:
            await lobby.node.compute(f"{CHORES}:decline", "taken")
        assert (refused.value.code, refused.value.reason) == (ErrorCode.CONFLICT, "taken")


@pytest.mark.parametrize(
    ("chore", "code"),
    [
        ("stumble", ErrorCode.INTERNAL),
        ("die", ErrorCode.INTERNAL),
        ("missing", ErrorCode.INTERNAL),
        ("swell", ErrorCode.TOO_LARGE),
    ],
)
async def test_what_goes_wrong_elsewhere_costs_only_the_question(
    chore: str, code: ErrorCode
) -> None:
    async with live_room(Listed(), "b1") as lobby:
        with pytest.raises(Refused) as refused:
            await lobby.node.compute(f"{CHORES}:{chore}")
        assert refused.value.code is code
        assert await lobby.node.compute(f"{CHORES}:echo", 1) == [1]


async def test_what_takes_too_long_is_ended() -> None:
    clock = SetClock()
    async with live_room(Listed(), "b1", clock=clock) as lobby:
        assert await lobby.node.compute(f"{CHORES}:echo") == []  # a helper is there
        work = asyncio.ensure_future(lobby.node.compute(f"{CHORES}:forever", timeout=5))
        await asyncio.sleep(0)  # one turn: the helper has its question
        clock.pass_time(6)
        with pytest.raises(Refused) as refused:
            await work
        assert refused.value.code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize(
    "task",
    [
        "os:system",
        "parvis.server.firewall.tasks:scan",
        "tests.serverless:echo",
        "tests.server.chores",
        "tests.server.chores:os.system",
        ":echo",
        "",
    ],
)
async def test_only_functions_of_the_room_types_own_package_are_called(task: str) -> None:
    async with live_room(Listed(), "b1") as lobby:
        with pytest.raises(ValueError, match="no function of the room type's package"):
            await lobby.node.compute(task)


def test_the_packages_of_a_room_type_are_those_it_and_its_bases_stand_in() -> None:
    assert set(packages(Listed())) == {"tests.server", "tests.server.rooms"}


class Hall(HelperPool):
    """Helpers that are all busy until `open`, and say what they were given."""

    def __init__(self) -> None:
        super().__init__(HELPERS, SetClock())
        self.begun: list[Any] = []
        self.open = asyncio.Event()

    async def run(self, task: str, *args: Any, timeout: float = 30.0) -> Any:  # noqa: ASYNC109  as in `Helpers`
        self.begun.append(args[1])
        await self.open.wait()
        return {"result": None}


async def test_people_cannot_keep_the_helper_busy_that_upkeep_needs() -> None:
    hall = Hall()
    workshop = Workshop(hall)
    work = [
        asyncio.create_task(workshop.compute(Listed(), f"{CHORES}:echo", (n,), 1))
        for n in range(HELPERS + 2)
    ]
    work.append(
        asyncio.create_task(workshop.compute(Listed(), f"{CHORES}:echo", ("own",), 1, upkeep=True))
    )
    for _ in range(5):
        await asyncio.sleep(0)
    assert sorted(map(str, hall.begun)) == ["['own']", "[0]", "[1]"]
    hall.open.set()
    await asyncio.gather(*work)
    assert len(hall.begun) == len(work)
    await hall.close()


async def test_no_more_work_is_taken_on_than_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshops, "MOST_WAITING", 0)
    helpers = HelperPool(1, SetClock())
    with pytest.raises(Refused) as refused:
        await Workshop(helpers).compute(Listed(), f"{CHORES}:echo", (), 1)
    assert refused.value.code is ErrorCode.TRY_AGAIN
    await helpers.close()


async def test_without_a_helper_the_answer_is_to_try_again() -> None:
    helpers = HelperPool(1, SetClock())
    await helpers.close()
    with pytest.raises(Refused) as refused:
        await Workshop(helpers).compute(Listed(), f"{CHORES}:echo", (), 1)
    assert refused.value.code is ErrorCode.TRY_AGAIN


# Beside rooms, and people


async def test_files_are_kept_for_a_room_type() -> None:
    async with live_room(Board(), "b1") as lobby:
        digest = await lobby.node.blobs.put("kit", b"picture")
        assert await lobby.blobs.get("kit", digest) == b"picture"


async def test_people_are_those_whom_the_test_gave_an_account() -> None:
    async with live_room(Board(), "b1") as lobby:
        zoe, ada = lobby.folk.add("zoe"), lobby.folk.add("ada", language="fr")
        assert ada == Person("ada", "Ada", "ada@example.org", "#4338ca", "fr")
        assert await lobby.node.people("kit") == [ada, zoe]
        assert await lobby.node.people("other") == []
        assert await lobby.node.person("kit", "ada") == ada
        assert await lobby.node.person("other", "ada") is None


async def test_notices_are_kept_once_and_never_to_their_actor() -> None:
    async with live_room(Board(), "b1") as lobby:
        words = {"en": Words("Ada mentioned you")}
        notice = Notice("bob", "b1:c1", "board.mention", words, "/board/b1", "ada")
        for _ in range(2):
            await lobby.node.notify("kit", notice)
        await lobby.node.notify("kit", Notice("ada", "b1:c1", "board.mention", words, "/", "ada"))
        assert lobby.folk.notices == [notice]


async def test_somebody_with_an_account_needs_no_invitation() -> None:
    async with live_room(Board(), "b1") as lobby:
        bob = lobby.folk.add("bob")
        assert (await lobby.node.invite(ADA, "BOB@example.org")).person == bob
        assert (await lobby.node.invite(ADA, "new@example.org", path="/board/b1")).person is None
        assert lobby.folk.invited == [("new@example.org", ADA, "/board/b1")]
        for caller, email in ((Caller("kit", "guest-1"), "x@example.org"), (ADA, "nobody")):
            with pytest.raises(Refused):
                await lobby.node.invite(caller, email)


class Doors(Board):
    """Lets in whoever was granted the room."""

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        return caller.granted(f"board/{key}")


async def test_a_guest_gets_a_token_for_some_rooms_and_nothing_else() -> None:
    async with live_room(Doors(), "b1", clock=SetClock()) as lobby:
        lobby.folk.add("ada")
        node = lobby.node
        guest = await node.guest("ada", "kit", " Zoe  Q ", ["board/b1"], ["view"], seconds=60)
        assert (guest.caller.tenant, guest.caller.name) == ("kit", "Zoe Q")
        assert guest.caller.color.startswith("#")
        assert not guest.caller.member
        assert guest.expires == node.now() + 60
        assert guest.token.count(".") == 2
        async with node.open(node.caller("kit"), "b1", vouched=True):
            assert (await lobby.join(guest.caller)).joined.access == ["view"]
        with pytest.raises(Refused):
            async with node.open(guest.caller, "b2"):
                raise AssertionError("that room was not granted")


@pytest.mark.parametrize(
    ("host", "tenant", "name"),
    [
        ("eve", "kit", "Zoe"),
        ("ada", "other", "Zoe"),
        ("ada", "kit", " "),
        ("ada", "kit", "x" * 101),
    ],
)
async def test_no_guest_comes_without_a_host_and_a_name(host: str, tenant: str, name: str) -> None:
    async with live_room(Doors(), "b1") as lobby:
        lobby.folk.add("ada")
        with pytest.raises(Refused):
            await lobby.node.guest(host, tenant, name, ["board/b1"], ["view"], seconds=60)


async def test_a_room_type_lets_guests_into_its_own_rooms_only() -> None:
    async with live_room(Doors(), "b1") as lobby:
        lobby.folk.add("ada")
        with pytest.raises(ValueError, match="cannot let anybody into"):
            await lobby.node.guest("ada", "kit", "Zoe", ["plain/b1"], ["view"], seconds=60)


async def test_chance_comes_from_the_node() -> None:
    drawn: list[list[bytes]] = []
    for _ in range(2):
        async with lab() as it:
            drawn.append([it.lobby.node.chance(16), it.lobby.node.chance(16)])
    assert drawn[0] == drawn[1], "the node's chance is seeded, and nothing else is asked"
    assert len({*drawn[0]}) == 2
    assert [len(each) for each in drawn[0]] == [16, 16]


async def test_what_the_lifespan_is_given_is_such_a_node() -> None:
    given: list[Node] = []

    class Kept(Mail):
        replica = OpaqueLog

        @asynccontextmanager
        async def lifespan(self, node: Node) -> AsyncGenerator[None]:
            given.append(node)
            yield

    async with live_room(Kept(), "r") as lobby:
        server = given[0].caller("kit")
        hold = given[0].open(EDITOR_CALLER, "r", vouched=True)
        async with hold as room, room.edit(server) as edit:
            edit.append(b"letter")
        assert [row.update for row in await lobby.node.log("kit", "r")] == [b"letter"]
