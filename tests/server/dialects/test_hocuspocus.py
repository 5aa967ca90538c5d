"""The Hocuspocus dialect: documents on one socket, tokens, and how many statuses are owed."""

import pytest

from parvis.plugins import EDITOR, VIEWER, Access, Caller, Peer, Refused, Request, Room, YDoc
from parvis.protocol import CloseCode, ErrorCode, hocuspocus as h, yjs as y
from parvis.protocol.messages import Value
from parvis.server.limits import Limits
from tests.server.dialects.stock_people import HocuspocusPerson
from tests.server.rooms.lab import Board, Draft, lab, read

DOC = "board/r"


async def test_a_provider_opens_a_document_and_is_asked_before_it_is_answered() -> None:
    async with lab() as it:
        (await it.join("eve")).update(Draft(7).write("a"))
        await it.turns()
        ada = HocuspocusPerson(it)
        await ada.open(DOC)
        kinds = [type(message) for message in ada.heard(DOC)]
        assert kinds == [h.Authenticated, y.SyncStep1, y.SyncStep2]
        assert ada.heard(DOC)[0] == h.Authenticated("read-write")
        assert ada.text(DOC) == "a"


async def test_an_answer_to_sync_step_1_is_owed_one_status_and_an_update_one() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        await ada.open(DOC)
        assert ada.statuses(DOC) == []
        ada.say(h.encode_sync_step2(DOC, b"\x00\x00"))
        await it.turns()
        assert ada.statuses(DOC) == [True]
        ada.say(h.encode_update(DOC, Draft(7).write("a")))
        await it.turns()
        assert ada.statuses(DOC) == [True, True]
        ada.say(h.encode_sync_step2(DOC, b"\x00\x00"))
        await it.turns()
        assert ada.statuses(DOC) == [True, True], "nobody asked for this one"


async def test_of_many_questions_at_once_the_first_and_the_last_are_answered_and_owed() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        await ada.open(DOC)
        ada.transport.frames.clear()
        for _ in range(1000):
            ada.say(h.encode_sync_step1(DOC, b"\x00"))
        await it.turns()
        kinds = [type(message) for message in ada.heard(DOC)]
        assert kinds == [y.SyncStep1, y.SyncStep2] * 2
        for _ in range(4):
            ada.say(h.encode_sync_step2(DOC, b"\x00\x00"))
        await it.turns()
        assert ada.statuses(DOC) == [True] * 3, "one was owed since it came in"


async def test_a_viewer_that_asks_while_nothing_can_be_shown_gets_one_answer() -> None:
    async with lab() as it:
        ada, guest = await it.join("ada"), HocuspocusPerson(it)
        await guest.open(DOC, "guest")
        guest.transport.frames.clear()
        it.store.stall()
        ada.update(Draft(7).write("a"))
        await it.store.reached()
        for _ in range(100):
            guest.say(h.encode_sync_step1(DOC, b"\x00"))
            await it.turns(1)
        it.store.resume()
        await it.turns()
        assert [type(m) for m in guest.heard(DOC)].count(y.SyncStep2) == 1
        assert guest.text(DOC) == "a"


async def test_a_status_comes_only_after_the_commit() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        await ada.open(DOC)
        it.store.stall()
        ada.say(h.encode_sync_step2(DOC, Draft(7).write("a")))
        ada.say(h.encode_update(DOC, Draft(8).write("b")))
        await it.store.reached()
        await it.turns()
        assert ada.statuses(DOC) == []
        it.store.resume()
        await it.turns()
        assert ada.statuses(DOC) == [True, True]


async def test_what_a_viewer_sends_is_refused_unless_it_is_nothing_new() -> None:
    async with lab() as it:
        ada, draft = await it.join("ada"), Draft(7)
        ada.update(draft.write("abc"))
        ada.update(draft.erase(0, 1))
        await it.turns()
        guest = HocuspocusPerson(it)
        await guest.open(DOC, "guest")
        assert guest.heard(DOC)[0] == h.Authenticated("readonly")
        guest.say(h.encode_sync_step2(DOC, draft.doc.get_update()))
        await it.turns()
        assert guest.statuses(DOC) == [True]
        guest.say(h.encode_sync_step1(DOC, b"\x00"))
        guest.say(h.encode_sync_step2(DOC, Draft(8).write("new")))
        await it.turns()
        assert guest.statuses(DOC) == [True, False]
        guest.say(h.encode_update(DOC, Draft(8).write("new")))
        await it.turns()
        assert guest.statuses(DOC) == [True, False, False]
        assert guest.transport.closed is None
        assert len(await it.log()) == 2


async def test_a_large_answer_of_a_viewer_is_looked_at_in_a_helper_and_owed_one_status() -> None:
    async with lab(limits=Limits(quick_update=100)) as it:
        ada, draft = await it.join("ada"), Draft(7)
        ada.update(draft.write("long " * 100))
        await it.until(lambda: ada.acked)
        guest = HocuspocusPerson(it)
        await guest.open(DOC, "guest")
        guest.say(h.encode_sync_step2(DOC, draft.doc.get_update()))
        await it.until(lambda: guest.statuses(DOC))
        guest.say(h.encode_sync_step1(DOC, b"\x00"))
        guest.say(h.encode_sync_step2(DOC, Draft(8).write("new " * 100)))
        await it.until(lambda: len(guest.statuses(DOC)) == 2)
        assert guest.statuses(DOC) == [True, False]
        guest.say(h.encode_sync_step1(DOC, b"\x00"))
        guest.say(h.encode_sync_step2(DOC, b"\xff" * 200))
        await it.until(lambda: guest.transport.closed)
        assert guest.transport.closed is not None
        assert guest.transport.closed[0] == CloseCode.STOCK_MALFORMED


async def test_updates_that_were_put_off_are_owed_their_status_once_they_are_durable() -> None:
    async with lab(limits=Limits(unlogged=2000)) as it:
        ada, draft = HocuspocusPerson(it), Draft(7)
        await ada.open(DOC)
        ada.say(h.encode_sync_step2(DOC, b"\x00\x00"))
        await it.turns()
        it.store.fail()
        ada.say(h.encode_update(DOC, draft.write("x" * 2500)))
        await it.turns()
        ada.say(h.encode_update(DOC, draft.write("y")))
        ada.say(h.encode_update(DOC, draft.write("z")))
        await it.turns()
        assert ada.statuses(DOC) == [True]
        it.store.resume()
        for _ in range(5):
            await it.pass_time(1)
        assert ada.statuses(DOC) == [True, True]
        asked = [each for each in ada.heard(DOC) if isinstance(each, y.SyncStep1)]
        assert len(asked) == 2
        missing = draft.doc.get_update(asked[-1].state_vector)
        ada.say(h.encode_sync_step2(DOC, missing))
        await it.turns()
        assert ada.statuses(DOC) == [True] * 4
        assert await it.logged_text() == str(draft)


async def test_two_documents_on_one_socket_are_two_rooms() -> None:
    async with lab() as it:
        ada, bob = HocuspocusPerson(it), HocuspocusPerson(it)
        for person, user in ((ada, "ada"), (bob, "bob")):
            await person.open(DOC, user)
            await person.open("board/other", user)
        ada.say(h.encode_update(DOC, Draft(7).write("one")))
        ada.say(h.encode_update("board/other", Draft(8).write("two")))
        await it.turns()
        assert bob.text(DOC) == "one"
        assert bob.text("board/other") == "two"
        assert ada.statuses(DOC) == ada.statuses("board/other") == [True]


async def test_a_session_address_is_answered_exactly() -> None:
    async with lab() as it:
        ada, address = HocuspocusPerson(it), h.join_address(DOC, "5e551")
        await it.join("eve")
        await ada.open(address)
        ada.say(h.encode_update(address, Draft(7).write("a")))
        ada.say(h.encode_query_awareness(address))
        await it.turns()
        assert ada.addresses() == {address}
        assert ada.statuses(address) == [True]
        assert await it.logged_text() == "a"


async def test_one_document_under_two_session_addresses_gets_others_updates_twice() -> None:
    async with lab() as it:
        eve = await it.join("eve")
        ada = HocuspocusPerson(it)
        addresses = [h.join_address(DOC, session) for session in ("one", "two")]
        for address in addresses:
            await ada.open(address)
        eve.update(Draft(7).write("a"))
        await it.turns()
        assert [ada.text(address) for address in addresses] == ["a", "a"]


async def test_a_wrong_token_is_refused_and_a_good_one_is_taken_afterwards() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        await ada.open(DOC, "wrong")
        assert ada.heard(DOC) == [y.PermissionDenied("this token is not valid")]
        assert ada.transport.closed is None
        await ada.open(DOC, "ada")
        assert h.Authenticated("read-write") in ada.heard(DOC)


async def test_a_document_that_may_not_be_opened_leaves_the_others_alone() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        await ada.open(DOC)
        await ada.open("nonsense/x")
        await ada.open("board/")
        assert ada.heard("nonsense/x") == [y.PermissionDenied("there is no room type 'nonsense'")]
        assert [type(each) for each in ada.heard("board/")] == [y.PermissionDenied]
        ada.say(h.encode_update(DOC, Draft(7).write("a")))
        await it.turns()
        assert ada.statuses(DOC) == [True]


async def test_one_socket_speaks_for_one_person() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        await ada.open(DOC)
        await ada.open("board/other", "bob")
        refusal = y.PermissionDenied("this socket speaks for somebody else")
        assert ada.heard("board/other") == [refusal]


async def test_a_token_of_another_tenant_does_not_open_a_document_again() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        await ada.open(DOC)
        ada.say(h.encode_token(DOC, "ada@elsewhere"))
        await it.turns()
        assert ada.session.caller.tenant == it.lobby.tenant
        assert ada.transport.closed is not None
        assert ada.transport.closed[0] == CloseCode.STOCK_FORBIDDEN


async def test_close_detaches_only_that_document() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        await ada.open(DOC)
        await ada.open("board/other")
        ada.say(h.encode_client_close(DOC))
        await it.turns()
        assert it.room.peers == []
        ada.say(h.encode_update("board/other", Draft(7).write("a")))
        await it.turns()
        assert ada.statuses("board/other") == [True]
        await ada.open(DOC)
        assert [type(each) for each in ada.heard(DOC)].count(h.Authenticated) == 2


async def test_a_document_closed_while_it_is_opened_leaves_no_seat() -> None:
    async with lab() as it:
        await it.join("eve")
        ada = HocuspocusPerson(it)
        ada.say(h.encode_token(DOC, "ada"))
        ada.say(h.encode_client_close(DOC))
        await it.turns()
        assert [peer.caller.user for peer in it.room.peers] == ["eve"]
        assert ada.heard(DOC) == []


async def test_only_servers_broadcast_stateless_messages() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        await ada.open(DOC)
        ada.say(h.encode_broadcast_stateless(DOC, "to all"))
        assert ada.transport.closed is not None
        assert ada.transport.closed[0] == CloseCode.STOCK_FORBIDDEN


async def test_less_is_kept_for_who_has_not_shown_a_token_that_holds() -> None:
    async with lab(limits=Limits(early_frames=10_000)) as it:
        ada, eve = HocuspocusPerson(it), HocuspocusPerson(it)
        await ada.open("board/quiet", "ada")
        for person in (ada, eve):
            person.say(h.encode_update(DOC, Draft(7).write("a" * 300 * 1024)))
        assert ada.transport.closed is None
        assert eve.transport.closed is not None
        assert eve.transport.closed[0] == CloseCode.STOCK_TRY_LATER
        eve = HocuspocusPerson(it)
        eve.say(h.encode_token("board/quiet", "wrong"))
        await it.turns()
        for _ in range(600):  # small frames cost more than their bytes
            eve.say(h.encode_query_awareness(DOC))
        assert eve.transport.closed is not None


async def test_messages_before_the_token_are_kept_in_order_and_bounded() -> None:
    async with lab(limits=Limits(early_frames=5)) as it:
        ada = HocuspocusPerson(it)
        draft = Draft(7)
        ada.say(h.encode_token("board/quiet", "ada"))
        for text in "abc":
            ada.say(h.encode_update(DOC, draft.write(text)))
        ada.say(h.encode_token(DOC, "ada"))
        await it.turns()
        assert await it.logged_text() == "abc"
        eve = HocuspocusPerson(it)
        eve.say(h.encode_token("board/quiet", "eve"))
        await it.turns()
        for _ in range(6):
            eve.say(h.encode_query_awareness("board/never-opened"))
        assert eve.transport.closed is not None
        assert eve.transport.closed[0] == CloseCode.STOCK_TRY_LATER


async def test_the_number_of_documents_on_a_socket_is_bounded() -> None:
    async with lab(limits=Limits(rooms=2)) as it:
        ada = HocuspocusPerson(it)
        for number in range(3):
            await ada.open(f"board/{number}")
        assert h.Authenticated("read-write") in ada.heard("board/1")
        assert ada.heard("board/2") == [y.PermissionDenied("at most 2 documents on one socket")]


async def test_unknown_messages_are_passed_over() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        await ada.open(DOC)
        ada.say(h.with_address(DOC, b"\x63\x01\x02"))
        ada.say(h.encode_pong())
        ada.say(h.encode_update(DOC, Draft(7).write("a")))
        await it.turns()
        assert ada.transport.closed is None
        assert ada.statuses(DOC) == [True]


async def test_a_ping_is_answered() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        ada.say(h.encode_ping())
        assert [frame[2:] for frame in ada.transport.frames] == [h.encode_pong()]


async def test_who_shows_no_token_in_time_is_closed() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        await it.pass_time(9)
        ada.say(h.encode_query_awareness(DOC))
        assert ada.transport.closed is None
        await it.pass_time(2)
        assert ada.transport.closed is not None
        assert ada.transport.closed[0] == CloseCode.STOCK_TIMEOUT


async def test_an_expired_token_closes_its_document_and_asks_for_another() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        ada.expires = it.clock.time() + 60
        await ada.open(DOC)
        ada.expires = it.clock.time() + 3600
        await ada.open("board/other")
        await it.pass_time(61)
        assert ada.transport.closed is None
        assert ada.heard(DOC)[-1] == y.PermissionDenied("the token has expired")
        ada.say(h.encode_update("board/other", Draft(7).write("a")))
        await it.turns()
        assert ada.statuses("board/other") == [True]
        await it.pass_time(3600)
        assert ada.transport.closed == (CloseCode.STOCK_REFRESH_TOKEN, "the token has expired")


async def test_a_token_shown_in_time_keeps_the_document_open() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        ada.expires = it.clock.time() + 60
        await ada.open(DOC)
        await it.pass_time(50)
        ada.expires = it.clock.time() + 60
        ada.say(h.encode_token(DOC, "ada"))
        await it.turns()
        await it.pass_time(20)
        ada.say(h.encode_update(DOC, Draft(7).write("a")))
        await it.turns()
        assert ada.statuses(DOC) == [True]


class Growing(Board):
    """Lets guests write once they are invited."""

    invited = False

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        guest = caller.user.startswith("guest") and not self.invited
        return VIEWER if guest else EDITOR


async def test_a_viewer_that_becomes_a_writer_misses_nothing_and_is_asked_for_its_own() -> None:
    kind = Growing()
    async with lab(kind) as it:
        ada = await it.join("ada")
        guest = HocuspocusPerson(it)
        await guest.open(DOC, "guest")
        it.store.stall()
        ada.update(Draft(7).write("not durable"))
        await it.store.reached()
        kind.invited = True
        guest.say(h.encode_token(DOC, "guest"))
        await it.turns()
        assert guest.heard(DOC)[-1] != h.Authenticated("readonly")
        it.store.resume()
        await it.turns()
        assert guest.text(DOC) == "not durable"
        asked = [each for each in guest.heard(DOC) if isinstance(each, y.SyncStep1)]
        assert len(asked) == 2
        guest.say(h.encode_update(DOC, Draft(8).write("x")))
        await it.turns()
        assert guest.statuses(DOC) == [True]


class Echo(Board):
    """Answers stateless messages, and shows everybody what it was told."""

    async def on_signal(self, room: Room[YDoc], peer: Peer, signal: Request) -> Value:
        if signal.body == "refuse":
            raise Refused(ErrorCode.REFUSED, "no")
        if signal.body == "bug":
            raise ZeroDivisionError
        room.broadcast("stateless", f"heard {signal.body}", skip=peer)
        return f"you said {signal.body}"


async def test_stateless_messages_are_signals() -> None:
    async with lab(Echo()) as it:
        ada, bob = HocuspocusPerson(it), HocuspocusPerson(it)
        await ada.open(DOC, "ada")
        await bob.open(DOC, "bob")
        for text in ("refuse", "bug", "héllo"):
            ada.say(h.encode_stateless(DOC, text))
        await it.turns()
        assert [e for e in ada.heard(DOC) if isinstance(e, h.Stateless)] == [
            h.Stateless("you said héllo")
        ]
        assert [e for e in bob.heard(DOC) if isinstance(e, h.Stateless)] == [
            h.Stateless("heard héllo")
        ]


@pytest.mark.parametrize("frame", [b"", b"\xff", b"\x03doc", b"\x07board/r\x00\x05"])
async def test_garbage_closes_the_socket_with_a_final_code(frame: bytes) -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        await ada.open(DOC)
        ada.say(frame)
        assert ada.transport.closed is not None
        assert ada.transport.closed[0] == CloseCode.STOCK_MALFORMED


async def test_a_document_that_ends_leaves_the_others_on_the_socket() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        await ada.open(DOC)
        await ada.open("board/other")
        await it.core.directory.delete(it.lobby.tenant, DOC)
        assert ada.heard(DOC)[-1] == h.Close("the room was deleted")
        ada.say(h.encode_update("board/other", Draft(7).write("a")))
        await it.turns()
        assert ada.statuses("board/other") == [True]
        assert read(*[e.update for e in ada.heard(DOC) if isinstance(e, y.SyncStep2)]) == ""


async def test_a_socket_rests_on_every_token_that_an_open_document_was_opened_with() -> None:
    async with lab() as it:
        ada = HocuspocusPerson(it)
        await ada.open(DOC, "ada")
        await ada.open("board/other", "ada")
        assert {each.proof.id for each in ada.session.shown} == {"ada"}
        ada.prefix = "second-"
        await ada.open("board/third", "ada")
        assert {each.proof.id for each in ada.session.shown} == {"ada", "second-ada"}
        ada.say(h.encode_client_close("board/third"))
        ada.say(h.encode_client_close("board/other"))
        await it.turns()
        assert len(ada.session.shown) == 2, "who it speaks for, and one document"
