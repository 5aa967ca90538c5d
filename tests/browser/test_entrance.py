"""Getting into a node that is not open: set-up link, sign-in, links with a key."""

import re
from dataclasses import asdict
from pathlib import Path

from tests.browser.conftest import RunInBrowser
from tests.room_tokens import APP_SETTINGS, room_tokens
from tests.running import start_server


def test_the_first_start_link_makes_the_administrator_who_can_sign_in_again(
    run_in_browser: RunInBrowser, tmp_path: Path
) -> None:
    with start_server(tmp_path, open=False) as server:
        link = re.search(r"http://\S+/setup#\S+", "".join(server.log))
        assert link is not None, "the first start prints a link"
        result = run_in_browser("entrance", "set_up_and_sign_in", server, setup_link=link[0])
    assert result["weak"] == "The password needs 12 to 128 characters."
    assert result["refused"] == "The e-mail address or the password is not right."
    assert result["used"].startswith("This link has been used or is incomplete.")
    assert result["account"] == result["again"] == "Signed in as Ada Lovelace"
    assert result["errors"] == []


def test_a_link_with_a_key_edits_views_or_asks_to_sign_in(
    run_in_browser: RunInBrowser, tmp_path: Path, key: str
) -> None:
    tokens = asdict(room_tokens(f"plain/{key}"))
    with start_server(tmp_path, open=False, settings=APP_SETTINGS) as server:
        result = run_in_browser("entrance", "links_with_keys", server, tokens=tokens)
    assert result["editable"] == "false"
    assert result["toldOffline"].startswith("No connection. What others write will appear")
    assert result["told"].startswith("This link does not open the document")
    assert result["errors"] == []


def test_changes_outlive_a_session_that_ended(run_in_browser: RunInBrowser, tmp_path: Path) -> None:
    with start_server(tmp_path, open=False) as server:
        link = re.search(r"http://\S+/setup#\S+", "".join(server.log))
        assert link is not None, "the first start prints a link"
        result = run_in_browser("entrance", "signed_out_elsewhere", server, setup_link=link[0])
    assert result["told"].startswith("Connectez-vous pour enregistrer vos dernières modifications")
    assert "ou le mot de passe" in result["refused"]
    assert result["errors"] == []
