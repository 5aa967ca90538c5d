"""Documents handed over to somebody else."""

import asyncio

from parvis.plugins import Caller, ErrorCode
from tests.plugins.docs.house import house
from tests.plugins.docs.test_spaces import space


async def test_a_document_that_is_handed_over_is_theirs_and_its_old_owner_edits_it() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "viewer")
        answer = await docs.ask("ada", "POST", f"documents/{key}/owner", {"user": "bob"})
        assert (answer["document"]["owner"]["id"], answer["document"]["role"]) == ("bob", "editor")
        assert (await docs.show("bob", key))["role"] == "owner"
        assert await docs.titles("bob", view="mine") == ["Plan"]
        assert await docs.titles("ada", view="mine") == []
        shown = await docs.ask("bob", "GET", f"documents/{key}/sharing")
        assert [(one["user"]["id"], one["role"]) for one in shown["people"]] == [
            ("bob", "owner"),
            ("ada", "editor"),
        ]
        refusal = await docs.refused("ada", "POST", f"documents/{key}/bin")
        assert refusal is ErrorCode.PERMISSION_DENIED


async def test_the_new_owner_is_told() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.ask("ada", "POST", f"documents/{key}/owner", {"user": "bob"})
        (notice,) = docs.lobby.folk.notices
        assert (notice.user, notice.kind, notice.path) == ("bob", "docs.owner", f"/docs/{key}")
        assert notice.words["en"].subject == "Ada made you the owner of “Plan”"
        assert notice.words["fr"].subject == "Ada vous a confié «\u00a0Plan\u00a0»"


async def test_the_owner_of_a_space_hands_over_what_others_made_there() -> None:
    async with house() as docs:
        garden = await space(docs, "ada", "Garden")
        await docs.ask("ada", "PUT", f"spaces/{garden}/people", {"user": "bob", "role": "editor"})
        key = await docs.make("bob", "Beans", space=garden)
        docs.lobby.folk.notices.clear()
        await docs.ask("ada", "POST", f"documents/{key}/owner", {"user": "cy"})
        assert (await docs.show("cy", key))["owner"]["id"] == "cy"
        assert (await docs.show("bob", key))["role"] == "editor"
        told = {notice.user: notice.words["en"] for notice in docs.lobby.folk.notices}
        assert set(told) == {"bob", "cy"}
        assert told["bob"].subject == "Ada gave “Beans” another owner"
        assert told["bob"].text == "It belongs to Cy now. You may edit it."


async def test_only_owners_hand_over_and_only_to_somebody_else_with_an_account() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "editor")
        path = f"documents/{key}/owner"
        assert await docs.refused("bob", "POST", path, {"user": "bob"}) is (
            ErrorCode.PERMISSION_DENIED
        )
        assert await docs.refused("eve", "POST", path, {"user": "eve"}) is ErrorCode.ROOM_NOT_FOUND
        guest = Caller("kit", "guest-1", "Gus")
        assert await docs.refused(guest, "POST", path, {"user": "bob"}) is ErrorCode.ROOM_NOT_FOUND
        assert await docs.refused("ada", "POST", path, {"user": "zoe"}) is ErrorCode.REFUSED
        assert await docs.refused("ada", "POST", path, {"user": "ada"}) is ErrorCode.CONFLICT
        await docs.ask("ada", "POST", f"documents/{key}/bin")
        assert await docs.refused("ada", "POST", path, {"user": "bob"}) is ErrorCode.CONFLICT
        assert (await docs.show("ada", key))["owner"]["id"] == "ada"


async def test_a_document_is_handed_over_once_even_if_that_is_asked_twice_at_once() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        answers = await asyncio.gather(
            *[
                docs.ask("ada", "POST", f"documents/{key}/owner", {"user": user})
                for user in ("bob", "cy")
            ],
            return_exceptions=True,
        )
        refusals = [answer for answer in answers if isinstance(answer, Exception)]
        assert [str(getattr(refusal, "code", "")) for refusal in refusals] == [
            str(ErrorCode.PERMISSION_DENIED)
        ]
        assert (await docs.show("ada", key))["role"] == "editor"
