"""Spaces: folders whose members are members of what is in them."""

from parvis.plugins import ErrorCode
from tests.plugins.docs.house import House, Json, house


async def space(docs: House, who: str, name: str, parent: str | None = None) -> str:
    made = await docs.ask(who, "POST", "spaces", {"name": name, "parent": parent})
    id = made["space"]["id"]
    assert isinstance(id, str)
    return id


async def spaces(docs: House, who: str) -> list[Json]:
    found: list[Json] = (await docs.ask(who, "GET", "spaces"))["spaces"]
    return found


async def test_members_of_a_space_are_members_of_everything_below() -> None:
    async with house() as docs:
        team = await space(docs, "ada", "Team")
        inner = await space(docs, "ada", "Minutes", team)
        key = await docs.make("ada", "Monday", space=inner)
        assert await docs.refused("bob", "GET", f"documents/{key}") is ErrorCode.ROOM_NOT_FOUND
        await docs.ask("ada", "PUT", f"spaces/{team}/people", {"user": "bob", "role": "commenter"})
        shown = await docs.show("bob", key)
        assert (shown["role"], shown["space"], shown["shared"]) == ("commenter", inner, True)
        assert await docs.titles("bob", view="space", space=inner) == ["Monday"]
        assert await docs.titles("bob", view="shared") == ["Monday"]
        people = (await docs.ask("ada", "GET", f"documents/{key}/sharing"))["people"]
        assert [(one["user"]["id"], one["role"], one["inherited"]) for one in people] == [
            ("ada", "owner", False),
            ("bob", "commenter", True),
        ]


async def test_links_into_a_space_end_with_the_membership_of_who_made_them() -> None:
    async with house() as docs:
        team = await space(docs, "ada", "Team")
        inner = await space(docs, "ada", "Minutes", team)
        monday = await docs.make("ada", "Monday", space=inner)
        tuesday = await docs.make("ada", "Tuesday", space=inner)
        await docs.ask("ada", "PUT", f"spaces/{team}/people", {"user": "bob", "role": "editor"})
        await docs.share("ada", tuesday, "bob", "editor")
        for key in (monday, tuesday):
            await docs.ask("bob", "POST", f"documents/{key}/links", {"role": "viewer"})
        answer = await docs.ask("ada", "DELETE", f"spaces/{team}/people/bob")
        assert answer["links_ended"] == 1
        links = [
            len((await docs.ask("ada", "GET", f"documents/{key}/sharing"))["links"])
            for key in (monday, tuesday)
        ]
        # Tuesday was shared with Bob himself, too.
        assert links == [0, 1]


async def test_the_strongest_of_several_roles_counts() -> None:
    async with house() as docs:
        team = await space(docs, "ada", "Team")
        key = await docs.make("ada", "Monday", space=team)
        await docs.share("ada", key, "bob", "editor")
        await docs.ask("ada", "PUT", f"spaces/{team}/people", {"user": "bob", "role": "viewer"})
        assert (await docs.show("bob", key))["role"] == "editor"


async def test_spaces_are_listed_with_what_one_may_do_and_what_is_in_them() -> None:
    async with house() as docs:
        team = await space(docs, "ada", "Team")
        inner = await space(docs, "ada", "Inner", team)
        await docs.make("ada", "Monday", space=inner)
        await docs.ask("ada", "PUT", f"spaces/{inner}/people", {"user": "bob", "role": "editor"})
        assert [
            (s["name"], s["parent"], s["role"], s["documents"]) for s in await spaces(docs, "ada")
        ] == [
            ("Inner", team, "owner", 1),
            ("Team", None, "owner", 0),
        ]
        # Bob does not learn of the space around it.
        (seen,) = await spaces(docs, "bob")
        assert (seen["parent"], seen["role"], seen["owner"]["name"]) == (None, "editor", "Ada")
        assert (
            await docs.refused("bob", "GET", f"spaces/{team}/sharing") is ErrorCode.ROOM_NOT_FOUND
        )


async def test_only_its_owner_moves_shares_or_deletes_a_space() -> None:
    async with house() as docs:
        team = await space(docs, "ada", "Team")
        await docs.ask("ada", "PUT", f"spaces/{team}/people", {"user": "bob", "role": "editor"})
        renamed = await docs.ask("bob", "PATCH", f"spaces/{team}", {"name": "Crew"})
        assert renamed["space"]["name"] == "Crew"
        eve = {"user": "eve", "role": "viewer"}
        for method, path, body in (
            ("PATCH", f"spaces/{team}", {"parent": None}),
            ("PUT", f"spaces/{team}/people", eve),
            ("DELETE", f"spaces/{team}", {}),
        ):
            assert await docs.refused("bob", method, path, body) is ErrorCode.PERMISSION_DENIED


async def test_a_space_cannot_be_moved_into_itself_or_too_deep() -> None:
    async with house() as docs:
        ids: list[str | None] = [None]
        for level in range(16):
            ids.append(await space(docs, "ada", f"level {level}", ids[-1]))
        code = await docs.refused("ada", "POST", "spaces", {"name": "17th", "parent": ids[-1]})
        assert code is ErrorCode.CONFLICT
        for target in (ids[1], ids[3]):
            code = await docs.refused("ada", "PATCH", f"spaces/{ids[1]}", {"parent": target})
            assert code is ErrorCode.CONFLICT


async def test_a_space_is_deleted_when_nothing_is_in_it() -> None:
    async with house() as docs:
        team = await space(docs, "ada", "Team")
        key = await docs.make("ada", "Monday", space=team)
        assert await docs.refused("ada", "DELETE", f"spaces/{team}") is ErrorCode.CONFLICT
        await docs.ask("ada", "POST", f"documents/{key}/bin")
        assert (await docs.answer("ada", "DELETE", f"spaces/{team}")).status == 204
        assert await spaces(docs, "ada") == []
        restored = await docs.ask("ada", "POST", f"documents/{key}/restore")
        assert restored["document"]["space"] is None


async def test_moving_a_document_needs_its_owner_and_the_right_to_write_there() -> None:
    async with house() as docs:
        team = await space(docs, "ada", "Team")
        await docs.ask("ada", "PUT", f"spaces/{team}/people", {"user": "bob", "role": "viewer"})
        mine, theirs = await docs.make("bob", "Bob's"), await docs.make("ada", "Ada's")
        await docs.share("ada", theirs, "bob", "editor")
        into = {"space": team}
        denied = ErrorCode.PERMISSION_DENIED
        assert await docs.refused("bob", "PATCH", f"documents/{mine}", into) is denied
        assert await docs.refused("bob", "PATCH", f"documents/{theirs}", into) is denied
        assert await docs.refused("bob", "POST", "documents", into) is denied
        moved = await docs.ask("ada", "PATCH", f"documents/{theirs}", into)
        assert moved["document"]["space"] == team
        out = await docs.ask("ada", "PATCH", f"documents/{theirs}", {"space": None})
        assert out["document"]["space"] is None
