"""Awareness that can be trusted: who is in a part, and where their cursors are.

A client id belongs to the seat that first announces it; a seat speaks for one id. What a seat says
of other ids is ignored without an error, because stock clients pass on what they hear. A user's
newer socket takes its id over, and the older one's end then removes nothing; the id of somebody who
has gone is kept for that user for a while, as people lose their connection. The server writes the
proven user into each state, and keeps one clock per id that never goes back, so that a client that
comes back with the clock it left with is believed by its peers.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from parvis.plugins import Caller
from parvis.protocol.awareness import (
    AwarenessEntry,
    Json,
    decode_awareness,
    dump_state,
    encode_awareness,
    parse_state,
)

from ..limits import Limits
from ..ports import Clock, Timer

if TYPE_CHECKING:
    from .seat import Seat


MAX_CLIENTS = 10_000
"""Client ids remembered in one part, present or gone."""

KEPT = 60.0
"""Seconds for which the id of somebody who has gone is kept for that user."""

MAX_CLOCK = 2**32
"""Nobody gets there by counting, and there is room above it for the clocks that the server adds."""


class Audience(Protocol):
    """Those who hear of it."""

    def broadcast_awareness(self, states: bytes) -> None: ...


@dataclass(slots=True)
class _Client:
    """What is known of one client id.

    Attributes:
        seat: Who speaks for it; None once it has gone.
        heard: Clock of the newest entry that came from the client.
        clock: Clock under which peers know it.
        kept: Until when nobody but its user may take it up, once it has gone.
        said: The state as it came; `shown` is what peers get.
    """

    seat: Seat | None
    user: str
    heard: int
    clock: int
    said: str | None
    shown: str | None
    kept: float = 0.0


class PartAwareness:
    """The awareness of one part."""

    def __init__(self, audience: Audience, clock: Clock, limits: Limits) -> None:
        self._audience = audience
        self._clock = clock
        self._limits = limits
        self._clients: dict[int, _Client] = {}
        self._changed: set[int] = set()
        self._timer: Timer | None = None
        self._last = float("-inf")

    def hear(self, seat: Seat, update: bytes) -> None:
        """Take in what a peer says of itself; others hear of it within the pause.

        Raises:
            Malformed: If it is no awareness update, or the peer's own state no JSON object.
        """
        for entry in decode_awareness(update, max_state=self._limits.awareness_state):
            if self._accepts(seat, entry):
                self._take(seat, entry)

    def everyone(self) -> bytes:
        """Return the states of all who are here; empty if there is nobody."""
        here = [id_ for id_, client in self._clients.items() if client.shown is not None]
        return self._encode(here) if here else b""

    def leave(self, seat: Seat) -> None:
        """Tell the others at once that the clients of a seat have gone."""
        gone = [id_ for id_ in seat.clients if self._clients[id_].seat is seat]
        seat.clients.clear()
        for id_ in gone:
            client = self._clients[id_]
            client.seat = client.said = client.shown = None
            client.kept = self._clock.monotonic() + KEPT
        if gone:
            self._changed.update(gone)
            self._send()

    def _accepts(self, seat: Seat, entry: AwarenessEntry) -> bool:
        client = self._clients.get(entry.client)
        if entry.clock > MAX_CLOCK:
            return False
        if entry.client in seat.clients:
            assert client is not None
            # An equal clock takes a state back, as y-protocols has it.
            return entry.clock > client.heard or (
                entry.clock == client.heard and entry.state is None
            )
        if entry.state is None or seat.clients:
            return False
        if client is None:
            return self._has_room()
        same_user = client.user == seat.caller.user or seat.caller.anyone
        if client.seat is None:
            return same_user or self._clock.monotonic() >= client.kept
        return same_user and entry.clock > client.heard

    def _has_room(self) -> bool:
        """Whether one more id can be remembered, if need be instead of some that have gone."""
        for kept_until in (self._clock.monotonic(), float("inf")):
            if len(self._clients) < MAX_CLIENTS:
                break
            gone = [
                id_
                for id_, client in self._clients.items()
                if client.seat is None and client.kept <= kept_until and id_ not in self._changed
            ]
            for id_ in gone:
                del self._clients[id_]
        return len(self._clients) < MAX_CLIENTS

    def _take(self, seat: Seat, entry: AwarenessEntry) -> None:
        client = self._clients.get(entry.client)
        if client is None:
            client = self._clients[entry.client] = _Client(None, "", -1, -1, None, None)
        if client.said != entry.state or client.seat is not seat:
            client.shown = None if entry.state is None else stamp(entry.state, seat.caller)
            client.said = entry.state
        if client.seat is not None and client.seat is not seat:
            client.seat.clients.discard(entry.client)
        client.seat, client.user = seat, seat.caller.user
        seat.clients.add(entry.client)
        client.heard = entry.clock
        client.clock = max(entry.clock, client.clock + 1)
        self._changed.add(entry.client)
        self._send_soon()

    def _send_soon(self) -> None:
        if self._timer is None:
            wait = self._last + self._limits.awareness_pause - self._clock.monotonic()
            if wait <= 0:
                self._timer = self._clock.call_later(0, self._send)
            else:
                self._timer = self._clock.call_later(wait, self._send)

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._last = self._clock.monotonic()
        changed, self._changed = self._changed, set()
        if changed:
            self._audience.broadcast_awareness(self._encode(changed))

    def _encode(self, ids: Collection[int]) -> bytes:
        return encode_awareness(
            [
                AwarenessEntry(id_, client.clock, client.shown)
                for id_ in sorted(ids)
                if (client := self._clients.get(id_)) is not None
            ]
        )

    @property
    def due(self) -> bool:
        """Whether others are about to hear of something."""
        return self._timer is not None

    def close(self) -> None:
        """Forget everything without telling anybody."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._changed.clear()
        self._clients.clear()


def stamp(state: str, caller: Caller) -> str:
    """Write the proven user into a state's ``user``, over whatever the client says there.

    Guests, who choose their names, carry ``guest: true``, and nobody else does. Without a proven
    name (``--open``) only the shape is checked.

    Raises:
        Malformed: If the state is not a JSON object.
    """
    value = parse_state(state)
    if not caller.name:
        return state
    user = value.get("user")
    claimed = user if isinstance(user, dict) else {}
    claimed.pop("guest", None)
    proven: dict[str, Json] = {"id": caller.user, "name": caller.name}
    if caller.guest:
        proven["guest"] = True
    if caller.color:
        proven["color"] = caller.color
    value["user"] = {**claimed, **proven}
    return dump_state(value)
