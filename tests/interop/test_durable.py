"""When stock clients are told that their changes are saved."""

from pathlib import Path

from tests.interop.scenario import KINDS, run
from tests.running import start_server
from tests.stalled import stall_store


def test_nobody_is_told_saved_before_the_commit(tmp_path: Path, room: str) -> None:
    with start_server(tmp_path) as server, stall_store(server) as store:
        result = run(
            "durable",
            "saved_after_the_commit",
            {"url": server.url, "room": room, "kinds": list(KINDS)},
            {"stall": store.stall, "flow": store.flow},
        )
    assert result["early"] == []
    assert result["late"] == list(KINDS)
