"""The web app's frame: looks, keyboard, languages, without a line, installed."""

from pathlib import Path

from tests.browser.conftest import RunInBrowser
from tests.browser.test_entrance import link_of
from tests.running import Server, start_server


def test_every_page_is_accessible_in_every_look(
    run_in_browser: RunInBrowser, tmp_path: Path
) -> None:
    pictures = tmp_path / "pictures"
    with start_server(tmp_path, open=False) as server:
        result = run_in_browser(
            "frame", "every_look", server, setup_link=link_of(server), folder=str(pictures)
        )
    assert result == {"faults": {}, "errors": []}
    assert len(list(pictures.glob("*.png"))) == 5 * 15 + 2


def test_the_app_works_by_keys_alone(run_in_browser: RunInBrowser, tmp_path: Path) -> None:
    with start_server(tmp_path, open=False) as server:
        result = run_in_browser("frame", "keys_alone", server, setup_link=link_of(server))
    assert result == {
        "stops": ["Skip to the content", "Notifications"],
        "options": ["People"],
        "focus": "main",
        "said": True,
        "none": "Nothing found for “nothing is called so”.",
        "title": "Your account · Parvis",
        "errors": [],
    }


def test_a_french_browser_is_spoken_to_in_french(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("frame", "french", node)
    assert result == {
        "first": {"lang": "fr", "title": "Connexion · Parvis", "button": "Se connecter"},
        "then": {"lang": "en", "title": "Sign in · Parvis", "button": "Sign in"},
        "errors": [],
    }


def test_the_app_opens_without_a_line_and_finds_back(
    run_in_browser: RunInBrowser, tmp_path: Path
) -> None:
    with start_server(tmp_path, open=False) as server:
        answers = {"kill": server.kill, "start": server.start}
        result = run_in_browser(
            "frame", "without_a_line", server, answers, setup_link=link_of(server)
        )
    assert result == {
        "cached": {"names": 1, "api": 0},
        "name": "Ada Lovelace",
        "wrong": [],
        "refused": "The server does not answer. Check your connection and try again.",
        "errors": [],
    }


def test_the_app_can_be_installed(run_in_browser: RunInBrowser, open_server: Server) -> None:
    result = run_in_browser("frame", "installable", open_server)
    assert all(result.pop("icons"))
    assert result == {"start": "/", "problems": [], "errors": []}


def test_guests_of_an_open_node_have_a_name_of_their_own(
    run_in_browser: RunInBrowser, open_server: Server
) -> None:
    result = run_in_browser("frame", "open_node", open_server)
    assert result == {"heading": 1, "name": "Grace Hopper", "password": 0, "errors": []}


def test_a_new_version_waits_until_its_reader_says_so(
    run_in_browser: RunInBrowser, tmp_path: Path
) -> None:
    with start_server(tmp_path, open=False) as server:
        result = run_in_browser("frame", "new_version", server, setup_link=link_of(server))
    assert result == {
        "first": [0, "first"],
        "written": "Half a sent",
        "waiting": "first",
        "after": [0, "next"],
        "caches": ["parvis-app-bbbbbbbbbbbb"],
        "wrong": [],
        "errors": [],
    }
