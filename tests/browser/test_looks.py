"""The page in light and dark, on a phone, in French, and without a mouse."""

from pathlib import Path

from tests.browser.conftest import RunInBrowser
from tests.running import Server


def test_every_look_is_readable_and_fits_its_window(
    run_in_browser: RunInBrowser, open_server: Server, tmp_path: Path
) -> None:
    result = run_in_browser("looks", "every_look", open_server, folder=str(tmp_path))
    assert result == {"faults": {}, "errors": []}
    assert len(list(tmp_path.glob("*.png"))) == 20


def test_the_page_works_by_keys_and_speaks_french_and_english(
    run_in_browser: RunInBrowser, open_server: Server
) -> None:
    result = run_in_browser("looks", "keyboard_and_language", open_server)
    assert result == {
        "french": {"lang": "fr", "light": "Enregistré"},
        "english": {"lang": "en", "light": "Saved"},
        "stops": [
            "brand",
            "documents-button",
            "link-button",
            "people-button",
            "cm-content",
            "language",
        ],
        "errors": [],
    }


def test_the_copied_link_opens_the_document_without_the_key_it_came_with(
    run_in_browser: RunInBrowser, open_server: Server, key: str
) -> None:
    result = run_in_browser("looks", "links", open_server)
    assert result == {
        "copied": f"/#{key}",
        "title": key,
        "told": "Document not found",
        "found": "welcome",
        "errors": [],
    }


def test_buttons_keep_their_names_on_a_phone_and_the_cursor_keeps_out_from_under_the_bar(
    run_in_browser: RunInBrowser, open_server: Server
) -> None:
    result = run_in_browser("looks", "small_and_long", open_server)
    assert result == {
        "names": ["Documents", "Copy link", "2 people here"],
        "over": [],
        "label": {"inside": True, "name": "Maximiliane von Hohenzollern-Sigmaringen"},
        "errors": [],
    }
