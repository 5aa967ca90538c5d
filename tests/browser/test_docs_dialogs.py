"""What stands over a document: sharing, handing over, moving, history; also without a line."""

from tests.browser.conftest import RunInBrowser
from tests.running import Server


def test_what_is_fetched_late_is_there_without_a_line(
    run_in_browser: RunInBrowser, own_node: Server
) -> None:
    answers = {"kill": own_node.kill}
    result = run_in_browser("docs-dialogs", "late_without_a_line", own_node, answers)
    assert result == {
        "seen": {
            "History": "History",
            "Keyboard shortcuts": "Keyboard shortcuts",
            "Move": "Move “Late parts”",
            "share": "The server does not answer. Check your connection and try again.",
        },
        "toasts": [],
        "errors": [],
    }


def test_the_history_keeps_the_focus_and_gives_it_back(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-dialogs", "history_keeps_the_focus", node)
    assert result == {
        "inside": True,
        "still": 1,
        "after": "More about this document",
        "errors": [],
    }


def test_somebody_is_let_in_by_keys_and_made_the_owner(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    table = "\u2068The \u05e9\u05d5\u05dc\u05d7\u05df\u2069"
    result = run_in_browser("docs-dialogs", "share_and_hand_over", node)
    assert result == {
        "title": f"{table} · Parvis",
        "first": True,
        "active": True,
        "closed": [0, 1],
        "question": f"Make Grace Hopper the owner of “{table}”?",
        "roles": ["Can edit", "Owner"],
        "left": 0,
        "wrong": [],
        "errors": [],
    }


def test_an_administrator_without_mail_passes_an_invitation_on(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-dialogs", "invitation_by_hand", node)
    assert result == {
        "told": "mary@example.org was invited, but no mail goes out from this server."
        " Copy the invitation link in the list and pass it on.",
        "words": "Welcome, whoever you are.",
        "wrong": [],
        "errors": [],
    }


def test_a_link_that_stopped_with_its_maker_is_taken_over(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-dialogs", "link_taken_over", node)
    assert result == {
        "stopped": "Stopped: Grace Hopper may no longer share",
        "mine": True,
        "wrong": [],
        "errors": [],
    }


def test_a_space_is_found_by_its_name_and_chosen_by_keys(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-dialogs", "place_by_keys", node)
    assert result == {
        "all": True,
        "found": "ProteinsChemistry",
        "moved": True,
        "wrong": [],
        "errors": [],
    }


def test_what_opens_at_a_held_button_stays_there_while_the_page_scrolls(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-dialogs", "held", node)
    stays = [True, 0]
    assert result == {"moved": {"who": stays, "more": stays, "bell": stays}, "errors": []}
