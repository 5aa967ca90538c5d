"""Documents in the browser: several people at once, links, rights, history, the home, the looks."""

from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

from tests.browser.conftest import RunInBrowser
from tests.running import Server
from tests.stalled import stall_store


def letters(server: Server) -> list[EmailMessage]:
    """Return the letters that a node has written."""
    parser = BytesParser(policy=default)
    return [parser.parsebytes(file.read_bytes()) for file in (server.data / "mail").glob("*.eml")]


def test_two_people_write_at_once_and_see_who_is_there(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-together", "write_together", node)
    assert result == {
        "same": True,
        "names": ["Ada Lovelaceyou", "Grace Hopper"],
        "follows": "Following Grace Hopper. Do anything to stop.",
        "wrong": [],
        "shown": "saved",
        "errors": [],
    }


def test_a_comment_mentions_somebody_who_answers_and_it_stays_at_its_words(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-together", "comments", node)
    assert result == {
        "marked": "brown fox",
        "said": "Is it @Grace Hopper or a red one?",
        "tools": 0,
        "moved": "brown fox",
        "path": True,
        "wrong": [],
        "errors": [],
    }
    told = {(letter["to"], letter["subject"]) for letter in letters(node)}
    assert ("grace@example.org", "Ada Lovelace mentioned you in “To discuss”") in told, told


def test_a_guest_comes_by_a_link_under_a_name_until_the_link_ends(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-together", "guest", node)
    assert result == {
        "names": ["Ada Lovelaceyou", "Mary Shelley (guest)"],
        "ended": "You no longer have access to this document",
        "refused": "This link does not work any more",
        "wrong": [],
        "errors": [],
    }


def test_whoever_loses_the_right_to_write_keeps_what_they_wrote(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-together", "rights_taken", node)
    assert result == {
        "banner": "You may not write here any more",
        "kept": "Before. Unsent words.",
        "editable": "false",
        "server": "Before.",
        "wrong": [],
        "errors": [],
    }


def test_a_document_deleted_while_open_can_be_saved_as_a_file(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-together", "deleted_while_open", node)
    assert result == {
        "removed": "You no longer have access to this document",
        "inBin": "This document is in the bin",
        "deleted": "This document was deleted",
        "missing": "You cannot see this document",
        "name": "Short-lived.html",
        "holds": True,
        "errors": [],
    }


def test_a_named_version_is_restored_and_that_is_undone(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-together", "history", node)
    assert result == {
        "latest": "In the beginning. Then something went wrong.",
        "restored": "In the beginning.",
        "undone": "In the beginning. Then something went wrong.",
        "wrong": [],
        "errors": [],
    }


def test_documents_are_made_renamed_copied_moved_found_binned_and_imported(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-home", "shelves", node)
    assert result == {
        "inSpace": ["The alpha helix (copy)"],
        "hits": True,
        "empty": "The bin is empty",
        "imported": ["notes.md"],
        "failed": ["picture.exe", "broken.json"],
        "wrong": [],
        "errors": [],
    }


def test_a_document_is_exported_in_every_format(run_in_browser: RunInBrowser, node: Server) -> None:
    result = run_in_browser("docs-home", "exports", node)
    assert result == {
        "files": {
            "To take away.md": True,
            "To take away.html": True,
            "To take away.txt": True,
            "To take away.pdf": "%PDF-",
            "To take away.json": True,
        },
        "errors": [],
    }


def test_every_view_is_accessible_in_light_dark_french_and_on_a_phone(
    run_in_browser: RunInBrowser, own_node: Server, tmp_path: Path
) -> None:
    result = run_in_browser("docs-home", "looks", own_node, folder=str(tmp_path))
    assert result == {"found": {}, "errors": []}


def test_what_two_tabs_wrote_offline_merges(run_in_browser: RunInBrowser, node: Server) -> None:
    result = run_in_browser("docs-storms", "offline_in_two_tabs", node)
    assert result == {
        "words": "Saved on this device",
        "sentence": "Saved on this device",
        "listed": True,
        "same": 1,
        "errors": [],
    }


def test_typing_outlives_the_server(run_in_browser: RunInBrowser, own_node: Server) -> None:
    answers = {"kill": own_node.kill, "start": own_node.start}
    result = run_in_browser("docs-storms", "killed_while_typing", own_node, answers)
    assert result["same"] is True
    assert "device" in result["standings"]
    assert result["standings"][-1] == "saved"
    assert result["errors"] == []


def test_what_the_store_has_not_taken_is_called_not_saved(
    run_in_browser: RunInBrowser, own_node: Server
) -> None:
    with stall_store(own_node) as store:
        answers = {"stall": store.stall, "flow": store.flow}
        result = run_in_browser("docs-storms", "store_stalled", own_node, answers)
    assert result["words"] == "Not saved"
    assert "unsaved" in result["standings"]
    assert result["standings"][-1] == "saved"
    assert result["errors"] == []


def test_the_bell_rings_at_once_in_every_tab(run_in_browser: RunInBrowser, node: Server) -> None:
    result = run_in_browser("docs-together", "bell", node)
    assert result == {
        "subject": "Ada Lovelace shared “News for Grace” with you",
        "wrong": [],
        "errors": [],
    }


def test_the_bell_makes_up_for_what_it_was_not_told(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    assert run_in_browser("docs-together", "bell_late", node) == {"errors": []}


def test_signing_out_asks_first_while_something_is_only_here(
    run_in_browser: RunInBrowser, own_node: Server
) -> None:
    answers = {"kill": own_node.kill, "start": own_node.start}
    result = run_in_browser("docs-storms", "signing_out", own_node, answers)
    assert result == {
        "asked": True,
        "kept": "Start. Only here.",
        "left": {"databases": 0, "keys": []},
        "wrong": [],
        "errors": [],
    }
