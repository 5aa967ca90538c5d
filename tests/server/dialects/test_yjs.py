"""The y-websocket dialect: what a stock client is told, in which frames, and when."""

from parvis.plugins import Peer, Refused, Room, Submission, YDoc
from parvis.protocol import CloseCode, ErrorCode, yjs as y
from parvis.protocol.update import scan
from parvis.server.limits import Limits
from parvis.storage.factory import open_store
from tests.server.dialects.stock_people import YPerson
from tests.server.rooms.lab import Board, Draft, lab, read


async def test_the_server_asks_first_and_says_nothing_of_the_document_before_it_is_asked() -> None:
    async with lab() as it:
        (await it.join("ada")).update(Draft(7).write("a"))
        await it.turns()
        bob = YPerson(it, "bob")
        await it.turns()
        assert bob.heard == [y.SyncStep1(b"\x01\x07\x01")]
        bob.say(y.encode_sync_step1(b"\x00"))
        await it.turns()
        assert [type(message) for message in bob.heard] == [y.SyncStep1, y.SyncStep2]
        assert bob.text == "a"


async def test_a_writer_gets_its_own_update_back_only_after_the_commit() -> None:
    async with lab() as it:
        ada, bob = YPerson(it, "ada"), YPerson(it, "bob")
        bob.say(y.encode_sync_step1(b"\x00"))
        await it.turns()
        update = Draft(7).write("a")
        it.store.stall()
        ada.say(y.encode_update(update))
        await it.store.reached()
        await it.turns()
        assert bob.updates == [update]
        assert ada.updates == []
        it.store.resume()
        await it.turns()
        assert ada.updates == [update]
        assert bob.updates == [update]


async def test_a_writers_work_does_not_come_back_from_others_before_the_commit() -> None:
    async with lab() as it:
        draft = Draft(7)
        update = draft.write("a")
        ada, bob = YPerson(it, "ada"), YPerson(it, "bob")
        # Ada was cut off: the room has lost what she sent, and Bob has it.
        ada.say(y.encode_sync_step1(draft.doc.get_state()))
        await it.turns()
        it.store.stall()
        bob.say(y.encode_sync_step2(update), y.encode_update(Draft(8).write("b")))
        await it.store.reached()
        await it.turns()
        assert "a" not in read(*ada.updates)
        assert ada.text == "b"
        it.store.resume()
        await it.turns()
        assert await it.logged_text() in ("ab", "ba")


async def test_what_somebody_sends_again_does_not_come_back_before_the_commit() -> None:
    async with lab() as it:
        ada, bob = YPerson(it, "ada"), YPerson(it, "bob")
        for person in (ada, bob):
            person.say(y.encode_sync_step1(b"\x00"))
        await it.turns()
        update = Draft(7).write("a")
        it.store.stall()
        ada.say(y.encode_update(update))
        await it.store.reached()
        bob_draft = Draft(8, update)
        bob_draft.write("b")
        # All he has, as he would answer if the room asked him.
        bob.say(y.encode_sync_step2(bob_draft.doc.get_update()))
        await it.turns()
        assert len(ada.updates) == 1
        assert scan(ada.updates[0]).max_clocks == {8: 1}
        it.store.resume()
        await it.turns()
        assert read(update, *ada.updates) == "ab"


async def test_work_that_others_brought_first_does_not_come_back_before_the_commit() -> None:
    async with lab() as it:
        draft = Draft(7)
        update = draft.write("a")
        ada, bob, eve = YPerson(it, "ada"), YPerson(it, "bob"), await it.join("eve")
        await it.turns()
        it.store.stall()
        bob.say(y.encode_sync_step2(update))
        await it.store.reached()
        ada.say(y.encode_sync_step1(draft.doc.get_state()))
        await it.turns()
        eve.update(update)
        await it.turns()
        assert ada.updates == []
        it.store.resume()


async def test_nobody_is_told_of_a_document_before_they_have_said_what_they_have() -> None:
    async with lab() as it:
        draft = Draft(7)
        update = draft.write("a")
        ada, bob = YPerson(it, "ada"), YPerson(it, "bob")
        await it.turns()
        it.store.stall()
        bob.say(y.encode_sync_step2(update))
        await it.store.reached()
        await it.turns()
        assert ada.text == ""
        ada.say(y.encode_sync_step1(b"\x00"))
        await it.turns()
        assert ada.text == "a"
        it.store.resume()


async def test_a_slow_writers_own_update_does_not_come_back_with_what_it_missed() -> None:
    async with lab(limits=Limits(outbox=1000, outbox_hard=5000)) as it:
        ada, bob = YPerson(it, "ada"), YPerson(it, "bob")
        ada.say(y.encode_sync_step1(b"\x00"))
        await it.turns()
        ada.transport.stuck = 1001
        bob.say(y.encode_update(Draft(8).write("b")))
        await it.turns()
        it.store.stall()
        ada.say(y.encode_update(Draft(7).write("a")))
        await it.store.reached()
        ada.transport.stuck = 0
        await it.pass_time(0.1)
        assert ada.text == "b"
        it.store.resume()
        await it.turns()
        assert sorted(ada.text) == ["a", "b"]


async def test_several_messages_in_one_frame_are_taken_and_one_per_frame_is_sent() -> None:
    async with lab() as it:
        ada, draft = YPerson(it, "ada"), Draft(7)
        await it.turns()
        ada.say(
            y.encode_sync_step1(b"\x00"),
            y.encode_update(draft.write("a")),
            y.encode_update(draft.write("b")),
            y.encode_query_awareness(),
        )
        await it.turns()
        assert await it.logged_text() == "ab"
        kinds = [type(message) for message in ada.heard]
        assert kinds == [y.SyncStep1, y.SyncStep2, y.Awareness, y.YUpdate]


async def test_what_comes_before_the_document_is_open_is_kept() -> None:
    async with lab() as it:
        ada = YPerson(it, "ada")
        ada.say(y.encode_update(Draft(7).write("early")))
        await it.turns()
        assert await it.logged_text() == "early"


async def test_too_much_before_the_document_is_open_ends_the_session() -> None:
    async with lab(limits=Limits(early_frames=3)) as it:
        ada = YPerson(it, "ada")
        for _ in range(4):
            ada.say(y.encode_query_awareness())
        assert ada.transport.closed is not None
        assert ada.transport.closed[0] == CloseCode.STOCK_TRY_LATER
        await it.turns()
        assert it.room.peers == []


async def test_of_many_questions_in_a_frame_the_first_and_the_last_are_answered() -> None:
    async with lab() as it:
        (await it.join("eve")).update(Draft(7).write("ab"))
        await it.turns()
        ada = YPerson(it, "ada")
        await it.turns()
        ada.say(*[y.encode_sync_step1(b"\x01\x07\x02")] * 999, y.encode_sync_step1(b"\x00"))
        await it.turns()
        answers = [each.update for each in ada.heard if isinstance(each, y.SyncStep2)]
        assert len(answers) == 2
        assert ada.text == "ab"


async def test_a_viewers_updates_are_passed_over_and_its_socket_stays() -> None:
    async with lab() as it:
        await it.join("ada")
        guest = YPerson(it, "guest")
        await it.turns()
        guest.say(y.encode_update(Draft(7).write("a")))
        guest.say(y.encode_sync_step2(Draft(8).write("b")))
        await it.turns()
        assert await it.log() == []
        assert guest.transport.closed is None


async def test_who_may_not_enter_is_told_once_and_closed_after_a_pause() -> None:
    async with lab() as it:
        eve = YPerson(it, "stranger")
        await it.turns()
        assert eve.heard == [y.PermissionDenied("strangers stay outside")]
        assert eve.transport.closed is None
        eve.say(y.encode_update(Draft(7).write("a")))
        await it.pass_time(3)
        assert eve.transport.closed == (CloseCode.STOCK_FORBIDDEN, "strangers stay outside")


async def test_a_part_that_is_no_document_is_refused() -> None:
    async with lab() as it:
        ada = YPerson(it, "ada", "chat")
        await it.turns()
        assert ada.heard == [y.PermissionDenied("this is no Yjs document")]


async def test_garbage_closes_the_session_with_a_final_code() -> None:
    async with lab() as it:
        ada, bob = YPerson(it, "ada"), YPerson(it, "bob")
        await it.turns()
        ada.say(b"\xff\xff\xff")
        assert ada.transport.closed is not None
        assert ada.transport.closed[0] == CloseCode.STOCK_MALFORMED
        assert bob.transport.closed is None


async def test_nothing_in_a_frame_is_taken_after_what_closed_the_session() -> None:
    async with lab() as it:
        ada = YPerson(it, "ada")
        await it.turns()
        ada.say(
            y.encode_update(b"\x01\x01\x07\x00\xff"), y.encode_update(Draft(7).write("after all"))
        )
        await it.turns()
        assert ada.transport.closed is not None
        assert await it.log() == []


async def test_a_malformed_state_vector_closes_the_session() -> None:
    async with lab() as it:
        ada = YPerson(it, "ada")
        await it.turns()
        ada.say(y.encode_sync_step1(b"\x05\x01"))
        await it.turns()
        assert ada.transport.closed is not None
        assert ada.transport.closed[0] == CloseCode.STOCK_MALFORMED


async def test_a_text_frame_is_refused() -> None:
    async with lab() as it:
        ada = YPerson(it, "ada")
        await it.turns()
        ada.session.received_text()
        assert ada.transport.closed is not None
        assert ada.transport.closed[0] == CloseCode.STOCK_MALFORMED


class Faulty(Board):
    """Has a bug that shows when a room opens."""

    async def on_open(self, room: Room[YDoc]) -> None:
        raise ZeroDivisionError("a bug")


async def test_a_client_of_a_room_with_a_bug_is_closed_and_may_come_back() -> None:
    async with lab(Faulty()) as it:
        ada = YPerson(it, "ada")
        await it.turns()
        assert ada.transport.closed is not None
        assert CloseCode(ada.transport.closed[0]).comes_back


async def test_an_update_that_is_known_to_be_poison_closes_with_the_stock_code() -> None:
    async with lab() as it:
        await it.join("bob")
        update = Draft(7).write("boom")
        await it.core.quarantine.condemn(it.address(), update, "ada", "broke a document before")
        ada = YPerson(it, "ada")
        await it.turns()
        ada.say(y.encode_update(update))
        await it.until(lambda: ada.transport.closed is not None)
        assert ada.transport.closed is not None
        assert ada.transport.closed[0] == CloseCode.STOCK_POISON


async def test_a_session_that_ends_while_it_joins_leaves_no_seat() -> None:
    async with lab() as it:
        bob = await it.join("bob")
        ada = YPerson(it, "ada")
        ada.session.disconnected()
        it.sessions.clear()
        await it.turns()
        assert [peer.caller.user for peer in it.room.peers] == ["bob"]
        bob.update(Draft(7).write("a"))
        await it.turns()
        assert bob.acked == [(1, 1)]


async def test_a_deleted_room_closes_its_stock_clients_for_good() -> None:
    async with lab() as it:
        ada = YPerson(it, "ada")
        await it.turns()
        await it.core.directory.delete(it.lobby.tenant, it.lobby.name)
        assert ada.transport.closed == (CloseCode.STOCK_NOT_FOUND, "the room was deleted")


async def test_the_text_of_an_earlier_life_reaches_a_stock_client() -> None:
    store, _ = open_store("memory:")
    async with lab(store=store) as it:
        (await it.join("ada")).update(Draft(7).write("kept"))
        await it.turns()
        await it.empty()
    async with lab(store=store, life=2) as it:
        ada = YPerson(it, "ada")
        ada.say(y.encode_sync_step1(b"\x00"))
        await it.turns()
        assert ada.text == "kept"
    await store.close()


class Censored(Board):
    """Takes no bad words."""

    async def on_update(self, room: Room[YDoc], peer: Peer, submission: Submission) -> None:
        if b"bad" in submission.update:
            raise Refused(ErrorCode.REFUSED, "no bad words here")


async def test_what_a_room_type_refuses_is_undone_at_a_stock_client() -> None:
    async with lab(Censored()) as it:
        ada, bob = YPerson(it, "ada"), YPerson(it, "bob")
        bob.say(y.encode_sync_step1(b"\x00"))
        await it.turns()
        draft = Draft(7)
        ada.say(y.encode_update(draft.write("bad")))
        await it.until(lambda: len(ada.updates) == 2)
        draft.take(*ada.updates)
        assert str(draft) == ""
        ada.say(y.encode_update(draft.write("good")))
        await it.until(lambda: "good" in bob.text)
        await it.turns()
        assert bob.text == await it.logged_text() == "good"
        assert ada.transport.closed is None
