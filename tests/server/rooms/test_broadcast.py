"""Who gets an update, when, and how often."""

from parvis.protocol import ErrorCode, messages as m
from parvis.server.rooms.sending import without_own
from tests.server.rooms.lab import Draft, Lab, Person, lab, read


async def stalled(it: Lab, writer: Person, update: bytes) -> None:
    """Send an update while the store does not answer."""
    it.store.stall()
    writer.update(update)
    await it.store.reached()
    await it.turns()


async def test_writers_get_an_update_at_once_and_viewers_after_its_commit() -> None:
    async with lab() as it:
        ada, bob, guest = await it.join("ada"), await it.join("bob"), await it.join("guest")
        update = Draft(7).write("a")
        await stalled(it, ada, update)
        assert bob.heard == [m.Changed(bob.channel, update)]
        assert guest.heard == []
        it.store.resume()
        await it.turns()
        assert guest.heard == [m.Changed(guest.channel, update)]
        assert bob.heard == [m.Changed(bob.channel, update)]


async def test_a_writer_does_not_get_its_own_update_back() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("a"))
        await it.turns()
        assert ada.of(m.Changed) == []


async def test_several_writers_in_one_window_get_the_others_updates_once() -> None:
    async with lab() as it:
        people = [await it.join(name) for name in ("ada", "bob", "eve")]
        watcher, guest = await it.join("dan"), await it.join("guest")
        drafts = [Draft(client) for client in (7, 8, 9)]
        for round in "xy":
            for person, draft in zip(people, drafts, strict=True):
                person.update(draft.write(round))
        await it.turns()
        assert [row.sender for row in await it.log()] == ["ada", "bob", "eve"] * 2
        whole = str(Draft(1, *[row.update for row in await it.log()]))
        assert sorted(whole) == sorted("xy" * 3)
        for person, draft in zip(people, drafts, strict=True):
            changes = person.of(m.Changed)
            assert len(changes) == 1
            assert str(Draft(1, changes[0].update)).count("x") == 2, "its own came back"
            draft.take(changes[0].update)
            assert str(draft) == whole
        assert len(watcher.of(m.Changed)) == 1
        assert watcher.text == guest.text == whole


async def test_more_updates_than_are_merged_at_once_all_arrive() -> None:
    async with lab() as it:
        ada, bob, guest = await it.join("ada"), await it.join("bob"), await it.join("guest")
        mine, theirs = Draft(7), Draft(8)
        for _ in range(60):
            ada.update(mine.write("a"))
            bob.update(theirs.write("b"))
        await it.turns()
        whole = await it.logged_text()
        assert sorted(whole) == sorted("ab" * 60)
        assert guest.text == whole
        mine.take(*[change.update for change in ada.of(m.Changed)])
        theirs.take(*[change.update for change in bob.of(m.Changed)])
        assert str(mine) == str(theirs) == whole
        assert len(ada.of(m.Changed)) == 4, "120 updates are four merges of at most 32"
        assert len(ada.of(m.Ack)) == 60
        assert len(await it.log()) == 120


def test_each_writer_gets_all_but_its_own_whatever_their_number() -> None:
    drafts = [Draft(client) for client in range(10, 17)]
    groups = [[draft.write("x") for _ in range(3)] for draft in drafts]
    for draft, others in zip(drafts, without_own(groups), strict=True):
        assert len(str(Draft(1, others))) == 18
        draft.take(others)
        assert len(str(draft)) == 21


async def test_a_viewer_may_not_write_and_its_session_goes_on() -> None:
    async with lab() as it:
        bob, guest = await it.join("bob"), await it.join("guest")
        guest.update(Draft(7).write("a"), ref=4)
        await it.turns()
        code = ErrorCode.PERMISSION_DENIED
        assert guest.heard == [m.Refuse(guest.channel, 4, code, "you may not write here")]
        assert guest.transport.closed is None
        assert bob.heard == []
        assert await it.log() == []


async def test_who_joins_gets_everything_and_every_update_from_then_on() -> None:
    async with lab() as it:
        ada, draft = await it.join("ada"), Draft(7)
        ada.update(draft.write("before "))
        bob = await it.join("bob")
        ada.update(draft.write("after"))
        await it.turns()
        assert bob.text == "before after"


async def test_who_has_most_of_it_gets_only_what_it_lacks() -> None:
    async with lab() as it:
        ada, draft = await it.join("ada"), Draft(7)
        ada.update(draft.write("long " * 1000))
        await it.turns()
        copy = Draft(8, *[row.update for row in await it.log()])
        ada.update(draft.write("short"))
        await it.turns()
        bob = await it.join("bob", state=copy.doc.get_state())
        assert sum(len(update) for update in bob.joined.updates) < 100
        copy.take(*bob.joined.updates)
        assert str(copy) == str(draft)


async def test_a_viewer_that_joins_sees_only_what_is_durable() -> None:
    async with lab() as it:
        ada, draft = await it.join("ada"), Draft(7)
        await stalled(it, ada, draft.write("a"))
        joining = it.core.spawn(it.join("guest"))
        await it.turns()
        assert not joining.done()
        it.store.resume()
        guest = await joining
        assert read(*guest.joined.updates) == "a"


async def test_parts_are_separate() -> None:
    async with lab() as it:
        ada, notes = await it.join("ada"), await it.join("bob", "notes")
        ada.update(Draft(7).write("board"))
        notes.update(Draft(8).write("notes"))
        await it.turns()
        assert ada.of(m.Changed) == notes.of(m.Changed) == []
        assert await it.logged_text() == "board"
        assert read(*[row.update for row in await it.log("notes")]) == "notes"


async def test_whoever_joins_later_is_not_sent_what_was_deleted_before() -> None:
    async with lab() as it:
        ada, draft = await it.join("ada"), Draft(7)
        ada.update(draft.write("Budget: secret"))
        await it.turns()
        bob = await it.join("bob")
        assert b"secret" in b"".join(bob.joined.updates)
        ada.update(draft.erase(8, 14))
        await it.turns()
        ada.update(draft.write("!"))
        await it.turns()
        cy = await it.join("cy")
        assert "secret" not in cy.text
        assert b"secret" not in b"".join(cy.joined.updates)
