"""Getting into a node and out again: set-up link, invitation, account, forgotten password."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import RunInBrowser
from tests.running import Server, start_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A fresh node of the test's own; nobody has an account yet."""
    with start_server(tmp_path, open=False) as server:
        yield server


@pytest.fixture
def setup_link(server: Server) -> str:
    """The link that makes the administrator."""
    return link_of(server)


def link_of(server: Server) -> str:
    """Return the link that a node prints at its first start."""
    link = re.search(r"http://\S+/setup#\S+", "".join(server.log))
    assert link is not None, "the first start prints a link"
    return link[0]


def test_the_first_start_link_makes_the_administrator_who_can_sign_in_again(
    run_in_browser: RunInBrowser, server: Server, setup_link: str
) -> None:
    result = run_in_browser("entrance", "set_up_and_sign_in", server, setup_link=setup_link)
    assert result == {
        "empty": 3,
        "measured": "7 more characters",
        "weak": "The password needs 12 to 128 characters.",
        "focused": "password",
        "secretGone": True,
        "kept": None,
        "refused": "Wrong e-mail address or password.",
        "again": "Ada Lovelace",
        "used": "This link has been used or is incomplete."
        " Sign in, or ask whoever runs this server.",
        "errors": [],
    }


def test_somebody_invited_comes_by_the_letter_and_is_one_of_the_people(
    run_in_browser: RunInBrowser, server: Server, setup_link: str
) -> None:
    mail = str(server.data / "mail")
    result = run_in_browser("entrance", "invite", server, setup_link=setup_link, mail=mail)
    assert "Ada Lovelace" in result.pop("text")
    assert result == {
        "same": True,
        "pending": ["grace@example.org", "eve@example.org"],
        "mayInvite": 0,
        "people": ["Ada Lovelaceyou", "Grace Hopper"],
        "errors": [],
    }


def test_what_people_change_of_their_account_holds_everywhere(
    run_in_browser: RunInBrowser, server: Server, setup_link: str
) -> None:
    result = run_in_browser("entrance", "account", server, setup_link=setup_link)
    color = result.pop("color")
    assert result == {
        "there": {"name": "Augusta Ada King", "color": color},
        "dark": "rgb(19, 21, 23)",
        "wrong": "Ce n’est pas votre mot de passe actuel.",
        "half": "half written",
        "after": {"lang": "fr", "theme": "dark"},
        "errors": [],
    }


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(
    run_in_browser: RunInBrowser, server: Server, setup_link: str
) -> None:
    mail = str(server.data / "mail")
    result = run_in_browser("entrance", "forgotten", server, setup_link=setup_link, mail=mail)
    assert result == {"same": True, "gone": [], "errors": []}
