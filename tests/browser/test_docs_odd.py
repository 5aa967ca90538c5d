"""Documents in odd circumstances: foreign content, full stores, wrong clocks, odd names."""

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from parvis.storage import Batch, Entry
from parvis.storage.factory import open_store
from tests.authors import author_of, content_of
from tests.browser.conftest import RunInBrowser, populated
from tests.checkout import CHECKOUT
from tests.running import Server


def plant(server: Server, key: str, change: Callable[[XmlFragment], None]) -> None:
    """Write into the log of a node that is down, as a newer version of it would have."""
    doc: Doc[Any] = Doc()
    change(content_of(doc))

    async def append() -> None:
        store, _ = open_store(f"sqlite:///{server.data}")
        try:
            opened = await store.open_room("local", f"docs/{key}", creator=None, now=time.time())
            entry = Entry(doc.get_update(), sender="newer", time=time.time(), key=b"newer")
            offset = opened.parts[""].offset
            batch = Batch(f"docs/{key}", "", opened.fence, expected=offset, entries=(entry,))
            await store.append("local", [batch])
        finally:
            await store.close()

    server.kill()
    try:
        asyncio.run(append())
    finally:
        server.start()


def test_content_that_this_version_does_not_know_is_shown_and_left_alone(
    run_in_browser: RunInBrowser, own_node: Server
) -> None:
    ada = author_of(own_node, "ada@example.org")
    key = ada.new_document(title="Newer", format="markdown", content="Known words.")

    def write(fragment: XmlFragment) -> None:
        hologram = XmlElement("hologram", {"depth": "3"})
        fragment.children.append(hologram)
        hologram.children.append(XmlText("Unknown words."))

    plant(own_node, key, write)
    before = ada.read(key)
    result = run_in_browser("docs-odd", "foreign", own_node, key=key)
    assert sorted(result.pop("text").split("\n")) == ["", "Known words.", "Unknown words."]
    assert result == {
        "title": "This document was written with a newer version",
        "said": "It holds something that this version does not know (hologram), so it is only"
        " shown. Reload to get the newest version.",
        "reload": 1,
        "editable": 0,
        "tools": 0,
        "wrong": [],
        "errors": [],
    }
    assert "hologram" in before
    assert ada.read(key) == before


@pytest.fixture
def newer_node(people: Path, tmp_path: Path) -> Iterator[Server]:
    """A node whose documents have another schema than the web app that it serves."""
    newer = tmp_path / "newer"
    shutil.copytree(Path(CHECKOUT) / "plugins" / "parvis", newer / "parvis")
    schema = newer / "parvis" / "plugins" / "docs" / "schema.json"
    schema.write_text(schema.read_text().replace('"version": 1,', '"version": 99,'))
    path = f"{newer}{os.pathsep}{os.environ.get('PYTHONPATH', '')}".rstrip(os.pathsep)
    with populated(people, tmp_path, {"PYTHONPATH": path}) as server:
        yield server


def test_a_page_of_another_schema_shows_asks_to_reload_and_changes_nothing(
    run_in_browser: RunInBrowser, newer_node: Server
) -> None:
    ada = author_of(newer_node, "ada@example.org", schema=99)
    key = ada.new_document(title="Other", format="markdown", content="Words.")

    def write(fragment: XmlFragment) -> None:
        block = XmlElement("paragraph")
        fragment.children.append(block)
        block.children.append(XmlText("And more."))

    answers = {"write": lambda: ada.forge(key, write)}
    result = run_in_browser("docs-odd", "other_schema", newer_node, answers, key=key)
    assert result == {
        "title": "This document was written with a newer version",
        "said": "You can read it. Reload to get the newest version and write.",
        "reload": 1,
        "editable": 0,
        "tools": 0,
        "text": "Words.",
        "wrong": [],
        "errors": [],
    }
    assert ada.read(key).count("<paragraph") == 2


NO_ROOM = "This browser cannot keep documents at the moment: its storage is full or switched off."


def test_with_no_room_on_the_device_writing_goes_on_and_the_light_is_honest(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-odd", "full", node)
    assert result == {
        "said": NO_ROOM,
        "text": "One\nStart.\nTwo Written on.\n(300) Only here.",
        "errors": [],
    }


def test_a_browser_that_keeps_nothing_is_told_so_and_writes(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-odd", "nothing_kept", node)
    seen = {"said": NO_ROOM, "states": False, "text": "Start. Written on. Only here."}
    assert result == {
        "seen": {"a database that does not open": seen, "a database that fails": seen},
        "errors": [],
    }


def test_a_wrong_clock_neither_signs_out_nor_tells_wrong_days(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-odd", "wrong_clock", node)
    seen = {"signedIn": True, "fewTickets": True, "today": True}
    assert result == {
        "seen": {"ahead": seen, "behind": seen},
        "text": "Start. ahead guest ahead!? behind guest behind!?",
        "errors": [],
    }


def test_tabs_closed_and_opened_without_a_line_lose_nothing(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-odd", "closed_offline", node)
    length = len("Start. One tab. Other tab. Here.")
    assert result == {"same": True, "length": length, "errors": []}


def test_names_searches_and_addresses_that_try_things_are_only_words(
    run_in_browser: RunInBrowser, own_node: Server
) -> None:
    result = run_in_browser("docs-odd", "words", own_node)
    gone = "200 You cannot see this document"
    none = "200 Page not found"
    assert result == {
        "altered": ["backwards"],  # it loses what turns the direction of writing
        "wide": [],
        "statuses": {"200": 14},
        "addresses": {
            "/docs/%2e%2e": "200 Recent",
            "/docs/..%2f..%2fetc%2fpasswd": gone,
            "/docs/%00": gone,
            "/docs/%3Cscript%3Ehacked(1)%3C%2fscript": gone,
            "/docs/aaaaaaaaaaaaaaaa": gone,
            "/docs/%E0%A4%A": none,
            "/docs/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": gone,
            "/docs/a/b/c": none,
            "/docs?view=%3Cscript%3E": "200 Recent",
            "/docs?space=%2e%2e": "200 Space",
        },
        "crimes": [],
        "errors": [],
    }
