"""The room itself: who may join which part, and what the content takes."""

import pytest
from pycrdt import Doc, Text, XmlElement, XmlText

from parvis.plugins import ErrorCode, Refused
from parvis.protocol.messages import Ack, Refuse
from tests.plugins.docs.house import House, house
from tests.plugins.docs.writing import Pen, texts


async def shared(docs: House) -> str:
    """Make a document of ada's, that bob may comment on and cy may view."""
    key = await docs.make("ada", "Plan")
    await docs.share("ada", key, "bob", "commenter")
    await docs.share("ada", key, "cy", "viewer")
    docs.move(key)
    return key


async def test_a_document_is_never_made_by_joining_it() -> None:
    async with house() as docs:
        docs.move("0123456789abcdef")
        with pytest.raises(Refused) as refusal:
            await docs.lobby.join("ada")
        assert refusal.value.code is ErrorCode.ROOM_NOT_FOUND


async def test_a_new_document_holds_one_empty_paragraph() -> None:
    async with house() as docs:
        await shared(docs)
        pen = Pen(await docs.lobby.join("ada"))
        (block,) = pen.fragment.children
        assert isinstance(block, XmlElement)
        assert block.tag == "paragraph"
        assert len(block.attributes["id"]) == 16


async def test_what_one_writes_reaches_the_others() -> None:
    async with house() as docs:
        await shared(docs)
        ada, cy = Pen(await docs.lobby.join("ada")), Pen(await docs.lobby.join("cy"))
        await ada.write("Hello", id="b1")
        assert texts(cy) == ["", "Hello"]


async def test_nobody_writes_comments_or_facts_but_the_server() -> None:
    async with house() as docs:
        await shared(docs)
        forged: Doc[Text] = Doc()
        forged.get("threads", type=Text).insert(0, "I am Ada")
        for part in ("comments", "meta"):
            ada = await docs.lobby.join("ada", part)
            await ada.update(forged.get_update(), ref=3)
            codes = [each.code for each in ada.received if isinstance(each, Refuse)]
            assert codes == [ErrorCode.PERMISSION_DENIED]


async def test_an_element_or_a_mark_that_the_schema_does_not_know_is_refused() -> None:
    async with house() as docs:
        await shared(docs)
        for tag, mark in (
            ("callout", None),
            ("paragraph", "blink"),
            ("paragraph", "sparkle--AbCd/+12"),
        ):
            ada = Pen(await docs.lobby.join("ada"))
            with ada.doc.transaction():
                block = XmlElement(tag)
                ada.fragment.children.append(block)
                text = block.children.append(XmlText())
                text.insert(0, "x", {mark: {}} if mark else {})
            await ada.send(ref=9)
            (refusal,) = [m for m in ada.visitor.received if isinstance(m, Refuse)]
            assert (refusal.ref, refusal.code) == (9, ErrorCode.INVALID_UPDATE)
            await ada.visitor.leave()
        assert texts(Pen(await docs.lobby.join("cy"))) == [""]


async def test_a_mark_may_overlap_itself_with_a_hash() -> None:
    async with house() as docs:
        await shared(docs)
        ada = Pen(await docs.lobby.join("ada"))
        with ada.doc.transaction():
            block = XmlElement("paragraph")
            ada.fragment.children.append(block)
            block.children.append(XmlText()).insert(0, "x", {"link--AbCd/+12": {"href": "/"}})
        await ada.send(ref=4)
        assert [m.ref for m in ada.visitor.received if isinstance(m, Ack)] == [4]


async def test_another_root_is_refused() -> None:
    async with house() as docs:
        await shared(docs)
        ada = await docs.lobby.join("ada")
        smuggled: Doc[Text] = Doc()
        smuggled.get("attic", type=Text).insert(0, "x")
        await ada.update(smuggled.get_update(), ref=2)
        codes = [each.code for each in ada.received if isinstance(each, Refuse)]
        assert codes == [ErrorCode.INVALID_UPDATE]


async def test_a_client_of_another_schema_may_only_look() -> None:
    async with house() as docs:
        await shared(docs)
        for schema in (0, 99):
            old = await docs.lobby.join("ada", schema=schema)
            assert list(old.joined.access) == ["view"]


async def test_a_document_deleted_while_open_takes_everybody_out() -> None:
    async with house() as docs:
        key = await shared(docs)
        cy = await docs.lobby.join("cy")
        await docs.ask("ada", "POST", f"documents/{key}/bin")
        await docs.lobby.rest()
        assert cy.session.seats == {}
        ada = await docs.lobby.join("ada")
        assert list(ada.joined.access) == ["view"]
        await docs.answer("ada", "DELETE", f"documents/{key}")
        await docs.lobby.rest()
        assert ada.session.seats == {}
