"""Stock clients in documents: who shows no schema looks and cannot write, not even the owner."""

from collections.abc import Iterator

import pytest
from pycrdt import XmlElement, XmlFragment, XmlText

from tests.authors import Author, author_of
from tests.interop.scenario import HOCUSPOCUS, KINDS, run
from tests.running import Server, start_server

CONTENT = "Known words.\n\n| a | b |\n| --- | --- |\n| c | d |\n\n- [ ] to do\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A node with Ada's account."""
    with start_server(tmp_path_factory.mktemp("docs-node"), open=False) as server:
        yield server


@pytest.fixture(scope="module")
def ada(server: Server) -> Author:
    """Somebody with documents of her own."""
    return author_of(server, "ada@example.org", new=True)


@pytest.fixture
def key(ada: Author) -> str:
    """A document of the test's own."""
    return ada.new_document(title="Stock", format="markdown", content=CONTENT)


def more(fragment: XmlFragment) -> None:
    """Write a paragraph at the end."""
    block = XmlElement("paragraph")
    fragment.children.append(block)
    block.children.append(XmlText("And more."))


def by_link(ada: Author, key: str) -> str:
    """Return the room token of a stranger who came by a link that lets write."""
    link = ada.call("POST", f"documents/{key}/links", {"role": "editor", "expires": None})["link"]
    opened = {"key": key, "secret": link["secret"], "name": "Mary"}
    return str(ada.call("POST", "links/open", opened, token="")["token"])


def nonsense(server: Server, ada: Author, key: str, kind: str, proof: dict[str, str]) -> None:
    """Let a stock client write nonsense; check what became of the document and of everybody."""
    settings = {"url": server.url, "room": f"docs/{key}", "kind": kind, "proof": proof}
    before = ada.read(key)
    result = run("docs", "nonsense", settings, {"write": lambda: ada.forge(key, more)})
    assert result == {
        "same": True,
        "untouched": True,
        "sockets": [1, 1],
        "closes": [],
        "claims_saved": False,
        "scope": "readonly" if kind in HOCUSPOCUS else None,
    }
    assert ada.read(key) == f"{before}<paragraph>And more.</paragraph>"


@pytest.mark.parametrize("kind", KINDS)
def test_a_stock_client_with_a_room_token_reads_a_document_and_cannot_write_it(
    kind: str, server: Server, ada: Author, key: str
) -> None:
    nonsense(server, ada, key, kind, {"token": by_link(ada, key)})


@pytest.mark.parametrize("kind", ["y-websocket-3", "hocuspocus-4"])
def test_a_stock_client_of_the_owner_reads_a_document_and_cannot_write_it(
    kind: str, server: Server, ada: Author, key: str
) -> None:
    nonsense(server, ada, key, kind, {"cookie": ada.cookie(), "origin": server.url})


def test_a_stock_tiptap_editor_shows_a_document_and_deletes_nothing_of_it(
    server: Server, ada: Author, key: str
) -> None:
    proof = {"cookie": ada.cookie(), "origin": server.url}
    settings = {"url": server.url, "room": f"docs/{key}", "proof": proof}
    before = ada.read(key)
    result = run("docs", "stock_tiptap", settings, {"write": lambda: ada.forge(key, more)})
    assert result == {
        "deletes": True,
        "untouched": True,
        "sockets": 1,
        "closes": [],
        "claims_saved": False,
    }
    assert ada.read(key) == f"{before}<paragraph>And more.</paragraph>"
