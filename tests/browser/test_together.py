"""Two people on the page: typing at once, going offline, outliving the node."""

from pathlib import Path

from tests.browser.conftest import RunInBrowser
from tests.running import Server, start_server
from tests.stalled import stall_store


def test_two_pages_type_at_once_and_see_each_others_cursors(
    run_in_browser: RunInBrowser, open_server: Server
) -> None:
    result = run_in_browser("together", "two_pages", open_server)
    assert result == {
        "same": True,
        "names": ["Grâce 🦊", "Ada Lovelace"],
        "people": ["Ada Lovelace", "Grâce 🦊"],
        "colors": 2,
        "renamed": "Countess Lovelace",
        "errors": [],
    }


def test_what_was_written_offline_merges(run_in_browser: RunInBrowser, open_server: Server) -> None:
    result = run_in_browser("together", "offline", open_server)
    assert result["apart"] == ["before;written offline;", "before;written here;"]
    assert result["stillOffline"] == "offline"
    assert result["spoken"][0].startswith("Offline. No connection. Keep writing")
    assert result["spoken"][1] == "Saved"
    assert result["same"] is True
    assert result["errors"] == []


def test_what_was_written_offline_is_sent_from_a_document_that_was_left(
    run_in_browser: RunInBrowser, open_server: Server
) -> None:
    result = run_in_browser("together", "left_behind", open_server)
    assert result == {"back": "written offline;", "elsewhere": "", "errors": []}


def test_typing_outlives_the_node(run_in_browser: RunInBrowser, tmp_path: Path) -> None:
    with start_server(tmp_path) as server:
        answers = {"kill": server.kill, "start": server.start}
        result = run_in_browser(
            "together", "killed_while_typing", server, answers, asked_to_start=True
        )
    assert result["shown"][0] == "connecting"
    assert "offline" in result["shown"]
    assert result["shown"][-1] == "saved"
    assert result["errors"] == []


def test_typing_outlives_the_worker(run_in_browser: RunInBrowser, tmp_path: Path) -> None:
    with start_server(tmp_path) as server:
        killed: list[int] = []
        answers = {"kill": lambda: killed.append(server.kill_worker())}
        result = run_in_browser(
            "together", "killed_while_typing", server, answers, asked_to_start=False
        )
        assert server.worker_pid != killed[0]
    assert "offline" in result["shown"]
    assert result["shown"][-1] == "saved"
    assert result["errors"] == []


def test_the_light_says_unsaved_until_the_store_has_committed(
    run_in_browser: RunInBrowser, tmp_path: Path
) -> None:
    with start_server(tmp_path) as server, stall_store(server) as store:
        answers = {"stall": store.stall, "flow": store.flow}
        result = run_in_browser("together", "unsaved", server, answers)
    assert result["during"] == ["saving", "unsaved"]
    assert "not confirmed" in result["notice"]
    assert result["after"] == "saved"
    assert result["errors"] == []
