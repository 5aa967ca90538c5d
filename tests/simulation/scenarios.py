"""The table of scenarios: who takes part, and what goes wrong how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of world; the seed decides everything else.

    Attributes:
        about: For people.
        devices: Fewest and most.
        dialects: Weights of the dialects spoken.
        nodes: How many may be home to the room, one after the other or at the same time.
        embedded: The store lives in the node, as SQLite does.
        seconds: How long people write and things go wrong.
        edits: Fewest and most, of each person.
        burst: How probably somebody makes a few changes at once.
        messages: Most messages to the ordered part, of each native client.
        faults: Weights of the faults of `parvis`' nemesis; see `nemesis.FAULTS`.
        fault_pause: Mean seconds between two faults.
        viewers, rogues: How probably somebody may only look; and how probably such a one writes.
        history: Seconds for which the log is kept as it is; 0: for ever.
        snapshot_rows: A snapshot is made after so many rows.
        unlogged: Bytes of updates that may wait for the store.
        idle: Seconds after which a room without people is let go.
        repeats, strays, slow: See `NetWeather`.
    """

    about: str
    devices: tuple[int, int] = (3, 6)
    dialects: Mapping[str, int] = field(
        default_factory=lambda: {"native": 5, "yjs": 3, "hocuspocus": 2}
    )
    nodes: int = 1
    embedded: bool = True
    seconds: float = 8.0
    edits: tuple[int, int] = (3, 12)
    burst: float = 0.2
    messages: int = 3
    faults: Mapping[str, int] = field(default_factory=dict[str, int])
    fault_pause: float = 1.5
    viewers: float = 0.1
    rogues: float = 0.5
    history: float = 0.0
    snapshot_rows: int = 12
    unlogged: int = 16 * 1024 * 1024
    idle: float = 1.0
    repeats: float = 0.0
    strays: float = 0.0
    slow: float = 0.0


NETWORK: Final = {"cut": 6, "halve": 2, "reload": 2, "forget": 2}
STORE: Final = {"down": 3, "lose": 3, "fail": 3, "stall": 2}

SCENARIOS: Final[Mapping[str, Scenario]] = {
    "calm": Scenario("nothing goes wrong"),
    "crashes": Scenario(
        "the node is killed again and again, and with it what its store had not synced",
        faults={"kill": 6, "power": 2, "stop": 1, "cut": 2},
    ),
    "store": Scenario(
        "the store fails, hangs, loses its answers, and has little room",
        faults={**STORE, "kill": 1},
        unlogged=6_000,
    ),
    "network": Scenario(
        "connections are cut, half-open and slow; updates come twice and in another order",
        faults=NETWORK,
        repeats=0.1,
        strays=0.1,
        slow=0.1,
    ),
    "homes": Scenario(
        "people are led to another node, which takes the room over from a home that still lives",
        nodes=3,
        embedded=False,
        faults={"move": 6, "kill": 2, "cut": 1, "fail": 1, "lose": 1, "stall": 1},
    ),
    "rights": Scenario(
        "people lose their rights while they write, and write on",
        viewers=0.4,
        rogues=0.8,
        faults={"revoke": 4, "cut": 2, "kill": 1, "fail": 1},
    ),
    "snapshots": Scenario(
        "snapshots all the time, rooms let go and loaded anew, helpers that are missing or late",
        snapshot_rows=3,
        idle=0.1,
        strays=0.15,
        faults={"empty": 4, "kill": 2, "helpers": 2, "fail": 2, "lose": 1, "power": 1},
    ),
    "gaps": Scenario(
        "updates come before what they build on, and the room is let go before that has come",
        dialects={"native": 1, "yjs": 1},
        burst=0.7,
        strays=0.3,
        snapshot_rows=3,
        idle=0.05,
        faults={"empty": 3, "kill": 4, "forget": 3, "cut": 2, "fail": 2},
        fault_pause=0.8,
    ),
    "compaction": Scenario(
        "the log is compacted whenever nobody is there, by homes that are killed or fenced",
        nodes=2,
        embedded=False,
        history=0.3,
        snapshot_rows=4,
        idle=0.05,
        burst=0.4,
        strays=0.05,
        faults={"empty": 6, "kill": 3, "move": 2, "fail": 2, "lose": 2, "helpers": 1},
        fault_pause=0.6,
    ),
    "loading": Scenario(
        "the room is loaded again and again from a store that fails",
        snapshot_rows=4,
        idle=0.05,
        faults={"empty": 3, "kill": 3, "fail": 5, "down": 1},
        fault_pause=0.6,
    ),
    "clocks": Scenario(
        "wall clocks jump by days",
        faults={"clock": 5, "kill": 1, "cut": 1},
    ),
    "everything": Scenario(
        "all of it at once",
        devices=(3, 8),
        nodes=2,
        embedded=False,
        faults={
            **NETWORK,
            **STORE,
            "kill": 3,
            "power": 1,
            "stop": 1,
            "move": 3,
            "revoke": 1,
            "helpers": 1,
            "empty": 1,
            "clock": 1,
        },
        fault_pause=0.8,
        unlogged=20_000,
        snapshot_rows=6,
        repeats=0.05,
        strays=0.05,
        slow=0.05,
    ),
    "crowd": Scenario(
        "many people in one room",
        devices=(20, 50),
        edits=(1, 4),
        messages=1,
        seconds=4.0,
        faults={"kill": 2, "cut": 3, "fail": 1},
        snapshot_rows=40,
    ),
}
