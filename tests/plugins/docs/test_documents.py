"""Documents as wholes: made, listed, renamed, moved, binned, restored, deleted."""

import base64

from parvis.plugins import Caller, ErrorCode, Statement
from tests.plugins.docs.house import house
from tests.plugins.docs.test_contents import picture


async def test_a_new_document_belongs_to_whoever_made_it() -> None:
    async with house() as docs:
        made = (await docs.ask("ada", "POST", "documents", {"title": "  Plan\n B "}))["document"]
        assert made["title"] == "Plan B"
        assert made["role"] == "owner"
        assert set(made["capabilities"]) == set(
            ["view", "comment", "suggest", "edit", "history", "share", "admin"]
        )
        assert made["owner"] == {"id": "ada", "name": "Ada", "color": "#4338ca"}
        assert len(made["key"]) == 16
        assert (made["space"], made["deleted"], made["shared"]) == (None, None, False)
        assert await docs.show("ada", made["key"]) == made


async def test_nobody_else_learns_that_a_document_exists() -> None:
    strangers: list[str | Caller]
    async with house() as docs:
        key = await docs.make("ada", "Secret")
        strangers = ["bob", Caller("kit", "guest"), Caller("kit", "root", member=True, admin=True)]
        for who in strangers:
            for method, path in (
                ("GET", f"documents/{key}"),
                ("POST", f"documents/{key}/bin"),
                ("DELETE", f"documents/{key}"),
                ("GET", "documents/0000000000000000"),
            ):
                assert await docs.refused(who, method, path) is ErrorCode.ROOM_NOT_FOUND
        assert await docs.titles("bob") == await docs.titles("bob", view="shared") == []
        assert await docs.refused("", "GET", f"documents/{key}") is ErrorCode.UNAUTHENTICATED


async def test_views_list_what_they_say_newest_first() -> None:
    async with house() as docs:
        first, second = await docs.make("ada", "one"), await docs.make("ada", "two")
        assert await docs.titles("ada", view="mine") == ["two", "one"]
        assert await docs.titles("ada") == ["two", "one"]
        await docs.ask("ada", "POST", f"documents/{second}/bin")
        assert await docs.titles("ada", view="mine") == ["one"]
        assert await docs.titles("ada", view="bin") == ["two"]
        assert await docs.titles("ada", view="shared") == []
        await docs.ask("ada", "POST", f"documents/{second}/restore")
        assert await docs.titles("ada", view="bin") == []
        assert (await docs.show("ada", first))["deleted"] is None


async def test_pages_neither_repeat_nor_miss_a_document() -> None:
    async with house() as docs:
        made = [await docs.make("ada", f"n{n}") for n in range(7)]
        seen: list[str] = []
        after = ""
        while True:
            page = await docs.ask("ada", "GET", "documents", view="mine", limit="3", after=after)
            seen += [document["key"] for document in page["documents"]]
            if page["next"] is None:
                break
            after = page["next"]
            await docs.make("ada", "later")
        assert seen == made[::-1]
        for nonsense in ("x", "W10", "WzEsMl0"):
            code = await docs.refused("ada", "GET", "documents", after=nonsense)
            assert code is ErrorCode.MALFORMED


async def test_a_document_in_the_bin_is_read_by_its_owner_and_changed_by_nobody() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Old")
        await docs.share("ada", key, "bob", "editor")
        binned = (await docs.ask("ada", "POST", f"documents/{key}/bin"))["document"]
        assert (binned["role"], binned["capabilities"]) == ("owner", ["view"])
        assert await docs.refused("bob", "GET", f"documents/{key}") is ErrorCode.ROOM_NOT_FOUND
        title = {"title": "New"}
        assert await docs.refused("ada", "PATCH", f"documents/{key}", title) is ErrorCode.CONFLICT
        await docs.ask("ada", "POST", f"documents/{key}/restore")
        assert (await docs.show("bob", key))["role"] == "editor"


async def test_a_document_is_deleted_from_the_bin_only_and_for_good() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Old")
        assert await docs.refused("ada", "DELETE", f"documents/{key}") is ErrorCode.CONFLICT
        await docs.ask("ada", "POST", f"documents/{key}/bin")
        assert (await docs.answer("ada", "DELETE", f"documents/{key}")).status == 204
        await docs.settled()
        assert await docs.refused("ada", "GET", f"documents/{key}") is ErrorCode.ROOM_NOT_FOUND
        for table in ("document", "search", "opened"):
            rows = await docs.lobby.node.query("kit", f"SELECT count(*) FROM docs_{table}")
            assert rows == [(0,)]


async def test_renaming_needs_the_right_to_edit_and_reaches_everybody() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Draft")
        await docs.share("ada", key, "bob", "viewer")
        path = f"documents/{key}"
        code = await docs.refused("bob", "PATCH", path, {"title": "Mine"})
        assert code is ErrorCode.PERMISSION_DENIED
        changed = await docs.ask("ada", "PATCH", path, {"title": "Final"})
        assert changed["document"]["title"] == "Final"
        assert await docs.titles("bob", view="shared") == ["Final"]
        too_long = {"title": "x" * 301}
        assert await docs.refused("ada", "PATCH", path, too_long) is ErrorCode.MALFORMED


async def test_a_title_turns_nothing_around() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Invoice \u202efdp.exe\u2066")
        assert (await docs.show("ada", key))["title"] == "Invoice fdp.exe"
        # One that is from before this was so.
        sql = "UPDATE docs_document SET title = ? WHERE key = ?"
        await docs.lobby.node.execute("kit", Statement(sql, ("a \u202eb", key)))
        await docs.share("ada", key, "bob", "viewer")
        assert docs.lobby.folk.notices[0].words["en"].subject == "Ada shared “a b” with you"
        page = await docs.ask("ada", "GET", f"documents/{key}/content", b"", format="html")
        assert b"<title>a b</title>" in page
        # Signs by which right-to-left words stand right are kept.
        marked = "\u05e9\u05dc\u05d5\u05dd\u200f (1)"
        assert (await docs.show("ada", await docs.make("ada", marked)))["title"] == marked


async def test_on_an_open_node_everybody_may_do_everything() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Hers")
        passer_by = Caller("kit", "guest-1", anyone=True)
        assert (await docs.show(passer_by, key))["role"] == "owner"
        made = (await docs.ask(passer_by, "POST", "documents", {"title": "Theirs"}))["document"]
        listed = await docs.ask(Caller("kit", "guest-2", anyone=True), "GET", "documents")
        assert {document["title"] for document in listed["documents"]} == {"Hers", "Theirs"}
        assert made["owner"]["id"] == "guest-1"


async def test_a_cursor_that_somebody_made_up_is_refused() -> None:
    async with house() as docs:
        for text in ("[1" + "0" * 400 + ', "a"]', "[" * 5000, '[1, "\\ud800"]', "{}", '["a", 1]'):
            cursor = base64.urlsafe_b64encode(text.encode()).decode()
            refusal = await docs.refused("ada", "GET", "documents", b"", after=cursor)
            assert refusal is ErrorCode.MALFORMED


async def test_nothing_is_left_of_a_document_whose_room_was_deleted() -> None:
    async with house() as docs:
        key, other = await docs.make("ada", "Plan"), await docs.make("ada", "Other")
        for each in (key, other):
            await docs.share("ada", each, "bob", "viewer")
            body = {"role": "viewer", "expires": None}
            await docs.ask("ada", "POST", f"documents/{each}/links", body)
            await docs.ask("ada", "POST", f"documents/{each}/files", picture())
        assert {notice.path for notice in docs.lobby.folk.notices} == {
            f"/docs/{key}",
            f"/docs/{other}",
        }
        # As `parvis room delete` and DELETE /api/v1/rooms do.
        await docs.lobby.core.directory.delete("kit", f"docs/{key}")
        assert await docs.titles("ada", view="mine") == ["Other"]
        for table in ("document", "search", "opened", "link", "member", "file"):
            rows = await docs.lobby.node.query("kit", f"SELECT count(*) FROM docs_{table}")
            assert rows == [(1,)], table
        assert {notice.path for notice in docs.lobby.folk.notices} == {f"/docs/{other}"}
        # The picture is the other document's, too; when that goes, it goes.
        digest = (await docs.lobby.node.query("kit", "SELECT digest FROM docs_file"))[0][0]
        assert await docs.lobby.blobs.get("kit", str(digest)) is not None
        await docs.lobby.core.directory.delete("kit", f"docs/{other}")
        assert await docs.lobby.blobs.get("kit", str(digest)) is None
