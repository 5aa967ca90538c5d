"""Stock clients write at the same time and end up with the same document."""

import pytest

from tests.interop.scenario import KINDS, run
from tests.running import Server


@pytest.mark.parametrize("kind", KINDS)
def test_three_clients_of_a_kind_converge_and_late_joiners_of_every_kind_with_them(
    kind: str, open_server: Server, room: str
) -> None:
    settings = {"url": open_server.url, "room": room, "kinds": [kind] * 3}
    result = run("converge", "converge", settings)
    assert result["pictures"] == 1
    assert result["sockets"] == [1] * (3 + len(KINDS))


def test_clients_of_all_kinds_in_one_room_converge(open_server: Server, room: str) -> None:
    settings = {"url": open_server.url, "room": room, "kinds": [*KINDS, *KINDS], "seed": 7}
    result = run("converge", "converge", settings)
    assert result["pictures"] == 1
    assert result["sockets"] == [1] * (3 * len(KINDS))
