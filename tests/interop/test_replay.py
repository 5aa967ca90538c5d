"""Real editing histories, typed through the node by stock clients."""

import pytest

from tests.interop.scenario import run
from tests.running import Server


def say_which(name: str, source: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Say so in the output if the history is not the real one."""
    if source != name:
        with capsys.disabled():
            print(f"\n{name}: {source}")


@pytest.mark.parametrize("kind", ["y-websocket-3", "hocuspocus-4"])
def test_the_keystrokes_of_a_paper_give_the_paper(
    kind: str, open_server: Server, room: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run("replay", "one_writer", {"url": open_server.url, "room": room, "kind": kind})
    say_which("automerge-paper", result["source"], capsys)
    assert result["keystrokes"] > 250_000
    assert result["equal"] is True
    assert result["sockets"] == 1


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(["y-websocket-3", "y-websocket-3"], id="y-websocket"),
        pytest.param(["hocuspocus-4", "hocuspocus-4"], id="hocuspocus"),
        pytest.param(["y-websocket-3", "hocuspocus-4"], id="one of each"),
    ],
)
def test_two_peoples_history_with_its_merges_gives_their_text(
    kinds: list[str], open_server: Server, room: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run("replay", "two_writers", {"url": open_server.url, "room": room, "kinds": kinds})
    say_which("friendsforever", result["source"], capsys)
    assert result["transactions"] >= 26_000
    assert result["merges"] > 1_000
    assert result["equal"] is True
