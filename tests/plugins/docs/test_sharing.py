"""Sharing: with people, with people who have no account yet, and by links."""

import pytest

from parvis.plugins import Access, Caller, ErrorCode, Grant, Refused
from parvis.protocol.messages import Left, Refuse
from tests.clocks import SetClock
from tests.plugins.docs.house import House, Json, house
from tests.plugins.docs.test_spaces import space


async def test_a_role_says_what_one_may_do() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        expected = {
            "viewer": {"view"},
            "commenter": {"view", "comment"},
            "editor": {"view", "comment", "suggest", "edit", "history", "share"},
        }
        for role, capabilities in expected.items():
            await docs.share("ada", key, "bob", role)
            shown = await docs.show("bob", key)
            assert (shown["role"], set(shown["capabilities"])) == (role, capabilities)
        await docs.ask("ada", "PATCH", f"documents/{key}", {"editors_share": False})
        assert "share" not in (await docs.show("bob", key))["capabilities"]


async def test_who_shares_needs_the_right_and_cannot_make_owners() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "commenter")
        people = f"documents/{key}/people"
        asked = {"user": "eve", "role": "viewer"}
        assert await docs.refused("bob", "PUT", people, asked) is ErrorCode.PERMISSION_DENIED
        assert await docs.refused("eve", "PUT", people, asked) is ErrorCode.ROOM_NOT_FOUND
        owner = {"user": "bob", "role": "owner"}
        assert await docs.refused("ada", "PUT", people, owner) is ErrorCode.MALFORMED
        dethroned = {"user": "ada", "role": "viewer"}
        assert await docs.refused("ada", "PUT", people, dethroned) is ErrorCode.CONFLICT
        nobody = {"user": "zoe", "role": "viewer"}
        assert await docs.refused("ada", "PUT", people, nobody) is ErrorCode.REFUSED


async def test_who_shares_sees_with_whom() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "viewer")
        await docs.ask(
            "ada", "PUT", f"documents/{key}/people", {"email": "New@X.org", "role": "editor"}
        )
        shown = await docs.ask("ada", "GET", f"documents/{key}/sharing")
        assert [(one["user"]["name"], one["role"]) for one in shown["people"]] == [
            ("Ada", "owner"),
            ("Bob", "viewer"),
        ]
        assert shown["people"][1]["user"]["email"] == "bob@example.org"
        assert shown["invited"] == [{"email": "new@x.org", "role": "editor"}]
        seen_by_bob = await docs.ask("bob", "GET", f"documents/{key}/sharing")
        assert (seen_by_bob["invited"], seen_by_bob["links"]) == ([], [])


async def test_somebody_invited_by_mail_is_a_member_when_they_first_come() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.ask(
            "ada", "PUT", f"documents/{key}/people", {"email": "zoe@x.org", "role": "editor"}
        )
        assert [(email, path) for email, _, path in docs.lobby.folk.invited] == [
            ("zoe@x.org", f"/docs/{key}")
        ]
        docs.lobby.folk.add("zoe", email="Zoe@X.org")
        assert await docs.titles("zoe", view="shared") == ["Plan"]
        assert (await docs.show("zoe", key))["role"] == "editor"
        assert (await docs.ask("ada", "GET", f"documents/{key}/sharing"))["invited"] == []


async def test_sharing_by_the_address_of_somebody_with_an_account_needs_no_invitation() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        body = {"email": "bob@example.org", "role": "viewer", "message": "Have a look"}
        await docs.ask("ada", "PUT", f"documents/{key}/people", body)
        assert docs.lobby.folk.invited == []
        assert (await docs.show("bob", key))["role"] == "viewer"
        (notice,) = docs.lobby.folk.notices
        assert (notice.user, notice.kind, notice.path) == ("bob", "docs.shared", f"/docs/{key}")
        assert notice.words["en"].subject == "Ada shared “Plan” with you"
        assert notice.words["fr"].subject == "Ada a partagé «\u00a0Plan\u00a0» avec vous"
        assert notice.words["en"].text == "Have a look\n\nYou may read it."


async def test_who_loses_a_role_is_taken_out_of_the_document() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "editor")
        docs.move(key)
        bob = await docs.lobby.join("bob")
        await docs.ask("ada", "DELETE", f"documents/{key}/people/bob")
        await docs.lobby.rest()
        assert any(type(message).__name__ == "Left" for message in bob.received), bob.received
        with pytest.raises(Refused) as refusal:
            await docs.lobby.join("bob")
        assert refusal.value.code is ErrorCode.ROOM_NOT_FOUND


async def test_who_is_removed_by_address_is_taken_out_as_by_id() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "editor")
        docs.move(key)
        bob = await docs.lobby.join("bob")
        await docs.ask("ada", "DELETE", f"documents/{key}/people/Bob@example.org")
        left = await bob.expect(Left)
        assert isinstance(left, Left) and left.code == ErrorCode.ROOM_NOT_FOUND
        assert await docs.refused("bob", "GET", f"documents/{key}") is ErrorCode.ROOM_NOT_FOUND


async def test_the_links_that_somebody_made_end_when_they_are_removed() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "editor")
        path = f"documents/{key}/links"
        secret = (await docs.ask("bob", "POST", path, {"role": "editor"}))["link"]["secret"]
        gus = await guest_by(docs, key, secret)
        # Cy comes by Bob's link and makes another, by which Bob would come back.
        entered = {"key": key, "secret": secret}
        await docs.ask("cy", "POST", "links/open", entered)
        await docs.ask("bob", "POST", "links/open", entered)
        further = (await docs.ask("cy", "POST", path, {"role": "editor"}))["link"]["secret"]
        await link_of(docs, key, "viewer")
        docs.move(key)
        seat = await docs.lobby.join(gus)
        answer = await docs.ask("ada", "DELETE", f"documents/{key}/people/bob")
        assert answer["links_ended"] == 2
        assert [(link["by"]["id"], link["role"]) for link in answer["links"]] == [("ada", "viewer")]
        left = await seat.expect(Left)
        assert isinstance(left, Left) and left.code == ErrorCode.ROOM_NOT_FOUND
        for used in (secret, further):
            body = {"key": key, "secret": used}
            assert await docs.refused("bob", "POST", "links/open", body) is ErrorCode.ROOM_NOT_FOUND


async def links_of(docs: House, key: str) -> list[tuple[str, bool]]:
    """Return who made the links to a document, and whether they are stopped."""
    shown = await docs.ask("ada", "GET", f"documents/{key}/sharing")
    return sorted((link["by"]["id"], link["stopped"]) for link in shown["links"])


async def test_links_of_somebody_who_may_share_no_more_stop_until_they_may_again() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "editor")
        links = f"documents/{key}/links"
        secret = (await docs.ask("bob", "POST", links, {"role": "editor"}))["link"]["secret"]
        gus = await guest_by(docs, key, secret)
        # Cy may share because Bob's link lets him: his link rests on Bob's.
        await docs.ask("cy", "POST", "links/open", {"key": key, "secret": secret})
        await docs.ask("cy", "POST", links, {"role": "editor"})
        await link_of(docs, key, "viewer")
        docs.move(key)
        document = f"documents/{key}"
        steps: list[tuple[str, str, Json, Json]] = [
            (
                "PUT",
                f"{document}/people",
                {"user": "bob", "role": "viewer"},
                {"user": "bob", "role": "editor"},
            ),
            ("PATCH", document, {"editors_share": False}, {"editors_share": True}),
        ]
        for method, path, lowered, back in steps:
            seat = await docs.lobby.join(gus)
            await docs.ask("ada", method, path, lowered)
            assert await links_of(docs, key) == [("ada", False), ("bob", True), ("cy", True)]
            left = await seat.expect(Left)
            assert isinstance(left, Left) and left.code == ErrorCode.ROOM_NOT_FOUND
            assert await docs.refused("cy", "GET", f"documents/{key}") is ErrorCode.ROOM_NOT_FOUND
            entered = {"key": key, "secret": secret}
            refusal = await docs.refused("eve", "POST", "links/open", entered)
            assert refusal is ErrorCode.ROOM_NOT_FOUND
            await docs.ask("ada", method, path, back)
            assert await links_of(docs, key) == [("ada", False), ("bob", False), ("cy", False)]
            assert (await docs.show("cy", key))["role"] == "editor"


async def test_links_stop_when_their_maker_is_lowered_in_a_space() -> None:
    async with house() as docs:
        garden = await space(docs, "ada", "Garden")
        people = f"spaces/{garden}/people"
        await docs.ask("ada", "PUT", people, {"user": "bob", "role": "editor"})
        key = await docs.make("ada", "Beans", space=garden)
        await docs.ask("bob", "POST", f"documents/{key}/links", {"role": "viewer"})
        await docs.ask("ada", "PUT", people, {"user": "bob", "role": "viewer"})
        assert await links_of(docs, key) == [("bob", True)]


async def test_whoever_may_share_takes_a_stopped_link_over() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "editor")
        links = f"documents/{key}/links"
        made = (await docs.ask("bob", "POST", links, {"role": "viewer"}))["link"]
        await docs.share("ada", key, "bob", "viewer")
        link = f"{links}/{made['id']}"
        refusal = await docs.refused("bob", "PATCH", link, {"adopt": True})
        assert refusal is ErrorCode.PERMISSION_DENIED
        changed = (await docs.ask("ada", "PATCH", link, {"adopt": True}))["link"]
        assert (changed["by"]["id"], changed["stopped"]) == ("ada", False)
        await docs.ask("eve", "POST", "links/open", {"key": key, "secret": made["secret"]})
        assert (await docs.show("eve", key))["role"] == "viewer"


async def test_two_links_do_not_keep_each_other_alive() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "editor")
        links = f"documents/{key}/links"
        of_bob = (await docs.ask("bob", "POST", links, {"role": "editor"}))["link"]["secret"]
        await docs.ask("cy", "POST", "links/open", {"key": key, "secret": of_bob})
        of_cy = (await docs.ask("cy", "POST", links, {"role": "editor"}))["link"]["secret"]
        await docs.ask("bob", "POST", "links/open", {"key": key, "secret": of_cy})
        await docs.share("ada", key, "bob", "viewer")
        assert await links_of(docs, key) == [("bob", True), ("cy", True)]
        assert (await docs.show("bob", key))["role"] == "viewer"


async def test_a_pending_invitation_outlives_one_that_is_refused() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "editor")
        people = f"documents/{key}/people"
        await docs.ask("ada", "PUT", people, {"email": "zoe@x.org", "role": "viewer"})
        docs.lobby.folk.invites = {"ada"}
        again = {"email": "zoe@x.org", "role": "editor"}
        assert await docs.refused("bob", "PUT", people, again) is ErrorCode.PERMISSION_DENIED
        other = {"email": "yan@x.org", "role": "editor"}
        assert await docs.refused("bob", "PUT", people, other) is ErrorCode.PERMISSION_DENIED
        shown = await docs.ask("ada", "GET", f"documents/{key}/sharing")
        assert shown["invited"] == [{"email": "zoe@x.org", "role": "viewer"}]


async def test_one_may_leave_a_document_by_oneself() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "viewer")
        await docs.share("ada", key, "cy", "viewer")
        path = f"documents/{key}/people"
        assert await docs.refused("bob", "DELETE", f"{path}/cy") is ErrorCode.PERMISSION_DENIED
        assert (await docs.answer("bob", "DELETE", f"{path}/bob")).status == 204
        assert await docs.refused("bob", "GET", f"documents/{key}") is ErrorCode.ROOM_NOT_FOUND


async def link_of(docs: House, key: str, role: str, **more: object) -> tuple[str, str]:
    made = await docs.ask("ada", "POST", f"documents/{key}/links", {"role": role, **more})
    return made["link"]["id"], made["link"]["secret"]


async def test_a_member_who_opens_a_link_keeps_what_it_grants_while_it_lasts() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        id, secret = await link_of(docs, key, "commenter")
        opened = await docs.ask("bob", "POST", "links/open", {"key": key, "secret": secret})
        assert opened["document"]["role"] == "commenter"
        assert await docs.titles("bob", view="shared") == ["Plan"]
        await docs.ask("ada", "PATCH", f"documents/{key}/links/{id}", {"role": "viewer"})
        assert (await docs.show("bob", key))["role"] == "viewer"
        await docs.answer("ada", "DELETE", f"documents/{key}/links/{id}")
        assert await docs.refused("bob", "GET", f"documents/{key}") is ErrorCode.ROOM_NOT_FOUND
        assert await docs.titles("bob", view="shared") == []


async def guest_by(docs: House, key: str, secret: str) -> Caller:
    """Return a stranger whom a link has let in, as their token shows them."""
    body = {"key": key, "secret": secret, "name": "Gus"}
    opened = await docs.ask("", "POST", "links/open", body)
    rights = await docs.lobby.node.query("kit", "SELECT id FROM docs_link WHERE document = ?", key)
    access = Access.of("docs.link." + str(id) for (id,) in rights)
    assert opened["guest"]["name"] == "Gus"
    assert opened["token"]
    grants = (Grant(f"docs/{key}", access),)
    return Caller("kit", opened["guest"]["id"], "Gus", grants=grants, host="ada")


async def test_a_stranger_with_a_link_is_a_guest_as_long_as_it_lasts() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        other = await docs.make("ada", "Other")
        id, secret = await link_of(docs, key, "editor")
        gus = await guest_by(docs, key, secret)
        shown = await docs.show(gus, key)
        assert shown["role"] == "editor"
        # Guests cannot pass on what they were given.
        assert set(shown["capabilities"]) == {"view", "comment", "suggest", "edit", "history"}
        assert await docs.refused(gus, "GET", f"documents/{other}") is ErrorCode.ROOM_NOT_FOUND
        assert await docs.refused(gus, "POST", "documents", {}) is ErrorCode.PERMISSION_DENIED
        denied = await docs.refused(gus, "GET", f"documents/{key}/sharing")
        assert denied is ErrorCode.PERMISSION_DENIED
        docs.move(key)
        assert list((await docs.lobby.join(gus, "comments")).joined.access)
        seat = await docs.lobby.join(gus)
        await docs.answer("ada", "DELETE", f"documents/{key}/links/{id}")
        await docs.lobby.rest()
        assert seat.session.seats == {}
        assert await docs.refused(gus, "GET", f"documents/{key}") is ErrorCode.ROOM_NOT_FOUND


async def test_a_link_ends_when_it_says() -> None:
    clock = SetClock()
    async with house(clock=clock) as docs:
        key = await docs.make("ada", "Plan")
        _, secret = await link_of(docs, key, "viewer", expires=clock.time() + 60)
        gus = await guest_by(docs, key, secret)
        clock.pass_time(61)
        assert await docs.refused(gus, "GET", f"documents/{key}") is ErrorCode.ROOM_NOT_FOUND
        body = {"key": key, "secret": secret}
        assert await docs.refused("bob", "POST", "links/open", body) is ErrorCode.ROOM_NOT_FOUND


async def test_whoever_guesses_secrets_has_to_wait() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        _, secret = await link_of(docs, key, "viewer")
        codes = [
            await docs.refused("", "POST", "links/open", {"key": key, "secret": f"x{n}"})
            for n in range(21)
        ]
        assert codes == [ErrorCode.ROOM_NOT_FOUND] * 20 + [ErrorCode.RATE_LIMITED]
        elsewhere = {"key": key, "secret": secret, "name": "Gus"}
        answer = await docs.lobby.request(
            "", "POST", "links/open", elsewhere, address="198.51.100.7"
        )
        assert answer.status == 200


async def test_a_household_has_one_address_and_right_links_cost_nothing() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        _, secret = await link_of(docs, key, "viewer")
        good = {"key": key, "secret": secret, "name": "Gus"}
        for n in range(30):
            answer = await docs.lobby.request(
                "", "POST", "links/open", good, address=f"2001:db8::{n:x}"
            )
            assert answer.status == 200
        codes: list[ErrorCode] = []
        for n in range(21):
            with pytest.raises(Refused) as refusal:
                body = {"key": key, "secret": f"x{n}"}
                await docs.lobby.request("", "POST", "links/open", body, address=f"2001:db8::{n:x}")
            codes.append(refusal.value.code)
        assert codes == [ErrorCode.ROOM_NOT_FOUND] * 20 + [ErrorCode.RATE_LIMITED]


async def test_people_to_mention_are_those_who_may_see_the_document() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "commenter")

        async def names(q: str) -> list[str]:
            found = await docs.ask("bob", "GET", f"documents/{key}/people", b"", q=q)
            return [person["name"] for person in found["people"]]

        assert await names("") == ["Ada", "Bob"]
        assert await names("bo") == ["Bob"]
        assert await names("eve") == []


async def test_a_change_of_rights_is_felt_by_whoever_is_writing() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "editor")
        docs.move(key)
        bob = await docs.lobby.join("bob")
        await docs.share("ada", key, "bob", "viewer")
        await bob.update(b"\x00\x00", ref=5)
        codes = [each.code for each in bob.received if isinstance(each, Refuse)]
        assert codes == [ErrorCode.PERMISSION_DENIED]


async def test_a_token_that_an_editor_minted_for_a_guest_ends_with_the_editor() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "editor")
        grant = Grant(f"docs/{key}", Access.of(["view", "edit", "history"]))
        guest = Caller("kit", "guest-1", "Gus", grants=(grant,), host="bob")
        assert (await docs.show(guest, key))["role"] == "editor"
        docs.move(key)
        visitor = await docs.lobby.join(guest)
        await docs.share("ada", key, "bob", "viewer")
        left = await visitor.expect(Left)
        assert isinstance(left, Left) and left.code == ErrorCode.ROOM_NOT_FOUND
        assert await docs.refused(guest, "GET", f"documents/{key}") is ErrorCode.ROOM_NOT_FOUND
        await docs.share("ada", key, "bob", "editor")
        await docs.ask("ada", "PATCH", f"documents/{key}", {"editors_share": False})
        assert await docs.refused(guest, "GET", f"documents/{key}") is ErrorCode.ROOM_NOT_FOUND
        # An application answers for its tokens itself.
        theirs = Caller("kit", "app:x:1", "Gus", grants=(grant,))
        assert (await docs.show(theirs, key))["role"] == "editor"


async def test_a_link_ends_in_time_to_come_and_in_this_century() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        links = f"documents/{key}/links"
        made = await docs.ask("ada", "POST", links, {"expires": docs.lobby.node.now() + 60})
        for end in (float("inf"), 1e300, -5.0, 0.0):
            body = {"expires": end}
            assert await docs.refused("ada", "POST", links, body) is ErrorCode.MALFORMED
            link = f"{links}/{made['link']['id']}"
            assert await docs.refused("ada", "PATCH", link, body) is ErrorCode.MALFORMED
