"""Short-lived states of everyone in a part: cursors, selections, names."""

from collections.abc import Callable, Mapping

from parvis.protocol import Malformed, awareness as wire
from parvis.protocol.awareness import AwarenessEntry, Json

from .events import Event
from .ports import Clock, Timer

RENEWAL = 15.0
"""Seconds after which an unchanged local state is sent again."""


class Awareness:
    """The local state, and those of the others by client id.

    Attributes:
        on_change: Called with the client ids whose state is new, changed or gone.
    """

    def __init__(self, client: int, clock: Clock, *, renewal: float = RENEWAL) -> None:
        self.client = client
        self.on_change: Event[[frozenset[int]]] = Event()
        self._clock = clock
        self._renewal = renewal
        self._local: dict[str, Json] | None = None
        self._count = 0
        self._clocks: dict[int, int] = {}
        self._seen: dict[int, float] = {}
        self._states: dict[int, dict[str, Json]] = {}
        self._send: Callable[[bytes], None] | None = None
        self._timer: Timer | None = None

    @property
    def local(self) -> Mapping[str, Json] | None:
        """This client's state; None shows nothing."""
        return self._local

    @local.setter
    def local(self, state: Mapping[str, Json] | None) -> None:
        had = self._local is not None
        self._local = None if state is None else dict(state)
        if had or state is not None:
            self._announce()

    @property
    def states(self) -> Mapping[int, Mapping[str, Json]]:
        """The others' states by client id."""
        return self._states

    # For the part

    def open(self, send: Callable[[bytes], None], states: bytes) -> None:
        """The part was joined: take everyone's states, and show our own."""
        self._send = send
        self.receive(states)
        if self._local is not None:
            self._announce()
        self._schedule()

    def lost(self) -> None:
        """The connection is gone, and nobody can say who is still there."""
        self._send = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        gone = frozenset(self._states)
        self._states.clear()
        self._clocks.clear()
        self._seen.clear()
        if gone:
            self.on_change.emit(gone)

    def renamed(self, client: int) -> None:
        """The local document has another client id from now on."""
        if self._local is not None and self._send is not None:
            self._send(wire.encode_awareness([AwarenessEntry(self.client, self._count + 1, None)]))
        self.client = client
        self._count = 0

    def receive(self, states: bytes) -> None:
        """Merge an awareness update; a malformed one is passed over, as it costs nothing."""
        if not states:
            return
        try:
            entries = wire.decode_awareness(states, max_entries=2**20, max_state=2**24)
        except Malformed:
            return
        changed = {entry.client for entry in entries if self._merge(entry)}
        if changed:
            self.on_change.emit(frozenset(changed))

    def _merge(self, entry: AwarenessEntry) -> bool:
        if entry.client == self.client:
            # Someone says we are gone, or knows a later state from a life we do not remember.
            if entry.clock > self._count or (entry.state is None and entry.clock == self._count):
                self._count = entry.clock
                if self._local is not None:
                    self._announce()
            return False
        known = self._clocks.get(entry.client, -1)
        leaves = entry.state is None and entry.client in self._states
        if entry.clock < known or (entry.clock == known and not leaves):
            return False
        self._clocks[entry.client] = entry.clock
        self._seen[entry.client] = self._clock.monotonic()
        if entry.state is None:
            return self._states.pop(entry.client, None) is not None
        try:
            state = wire.parse_state(entry.state)
        except Malformed:
            return False
        if self._states.get(entry.client) == state:
            return False
        self._states[entry.client] = state
        return True

    def _announce(self) -> None:
        self._count += 1
        if self._send is not None:
            state = None if self._local is None else wire.dump_state(self._local)
            self._send(wire.encode_awareness([AwarenessEntry(self.client, self._count, state)]))

    def _schedule(self) -> None:
        self._timer = self._clock.call_later(self._renewal, self._renew)

    def _renew(self) -> None:
        if self._local is not None:
            self._announce()
        oldest = self._clock.monotonic() - 2 * self._renewal
        gone = {client for client, seen in self._seen.items() if seen < oldest}
        for client in gone:
            del self._seen[client]
        gone = {client for client in gone if self._states.pop(client, None) is not None}
        if gone:
            self.on_change.emit(frozenset(gone))
        self._schedule()
