"""An update's way to everybody but its writer: encoded once, written straight to the sockets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from pycrdt import merge_updates

from parvis.protocol.surrogates import mend
from parvis.protocol.yjs import decode_state_vector, encode_state_vector

from .seat import Encoder, Seat, Submission

if TYPE_CHECKING:
    from .fast import FastPart

MERGE: Final = 32
"""Merging more updates at once costs more than it saves: it is quadratic."""


def send_on(part: FastPart, batch: Sequence[Submission], merged: bytes) -> None:
    """Give what was just applied to everybody who could give it back, but not to its writers.

    A writer among several gets the others' updates now, and its own after the commit.
    """
    own: dict[Seat, list[bytes]] = {}
    updates = [submission.update for submission in batch]
    for submission, update in zip(
        batch, mend(updates) if part.halves.met else updates, strict=True
    ):
        if submission.seat is not None:
            own.setdefault(submission.seat, []).append(update)
    others = [seat for seat in part.seats if seat.may_write and seat not in own]
    offer(part, _without_echoes(part, others, batch), merged, batch)
    if len(own) > 1:
        for seat, theirs in zip(own, without_own(list(own.values())), strict=True):
            if seat in part.seats:
                offer(part, _without_echoes(part, [seat], batch), theirs, batch)


def _without_echoes(
    part: FastPart, seats: Sequence[Seat], batch: Sequence[Submission]
) -> Sequence[Seat]:
    """Return who can be offered this before it is durable; the others get what they lack of it.

    An echoed peer that sees its own work come from somebody else, who was asked for all they have,
    would say "saved". Before it has asked for the document, nobody knows what it has; the answer
    will hold this too.
    """
    if not part.echoed:
        return seats  # of hundreds of seats, at every flush
    again = [submission for submission in batch if submission.repeats or submission.gapped]
    told: list[Seat] = []
    for seat in seats:
        if not seat.echoed:
            told.append(seat)
        elif seat.ahead is None:
            continue
        elif (seat.ahead and _brings(seat.ahead, batch)) or (
            again and _brings(_unlogged(part, seat), again)
        ):
            if seat.behind is None:
                seat.behind = state_before(part, batch)
                part.viewing.catch_up(seat)
        else:
            told.append(seat)
    return told


def _brings(known: Mapping[int, int], batch: Sequence[Submission]) -> bool:
    """Whether some of these updates bring what a peer has."""
    return any(
        ranges[0][0] < known.get(client, 0)
        for submission in batch
        if submission.scan is not None
        for client, ranges in submission.scan.structs.items()
    )


def _unlogged(part: FastPart, seat: Seat) -> dict[int, int]:
    """Return, as clocks, what a peer has handed in that is not durable yet."""
    clocks: dict[int, int] = {}
    for submission in part.unlogged:
        if submission.seat is seat and submission.scan is not None:
            for client, ranges in submission.scan.structs.items():
                clocks[client] = max(ranges[-1][1], clocks.get(client, 0))
    return clocks


def lacking(part: FastPart, seat: Seat, state: bytes) -> bytes:
    """Return a state vector that claims, beside `state`, what an echoed peer has for certain."""
    if not seat.echoed:
        return state
    clocks = decode_state_vector(state)
    for known in (seat.ahead or {}, _unlogged(part, seat)):
        for client, clock in known.items():
            clocks[client] = max(clock, clocks.get(client, 0))
    return encode_state_vector(clocks)


def offer(
    part: FastPart, seats: Iterable[Seat], update: bytes, unsent: Iterable[Submission]
) -> None:
    """Write one frame per encoder to each seat; who is slow gets one update later instead.

    Args:
        unsent: All that the document holds and these seats have not been sent, `update` included.
    """
    frames: dict[Encoder, bytes] = {}
    behind = b""
    sent = 0
    for seat in seats:
        if seat.behind is not None:
            continue
        encoder = seat.encoder
        frame = frames.get(encoder)
        if frame is None:
            frame = frames[encoder] = encoder.changed(update)
        if seat.session.outbox.offer(frame):
            sent += 1
        else:
            behind = behind or state_before(part, unsent)
            seat.behind = behind
            part.room.node.metrics.outbox_drops.inc()
    metrics = part.room.node.metrics
    metrics.deliveries.inc(sent)
    metrics.broadcasts.inc(len(frames))


def state_before(part: FastPart, submissions: Iterable[Submission]) -> bytes:
    """Return a state vector that does not claim anything of these updates, which are applied."""
    clocks = decode_state_vector(part.state())
    for submission in submissions:
        if submission.scan is None:
            continue
        for client, ranges in submission.scan.structs.items():
            if client in clocks:
                clocks[client] = min(clocks[client], ranges[0][0])
    return encode_state_vector({client: clock for client, clock in clocks.items() if clock})


def merged_update(updates: Sequence[bytes]) -> bytes:
    """Return one update worth all of these."""
    return updates[0] if len(updates) == 1 else merge_updates(*updates)


def without_own(groups: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Return, for each writer, the others' updates merged: linear in the number of writers."""
    merged = [merged_update(group) for group in groups]
    suffixes = [b""] * len(merged)
    for at in range(len(merged) - 2, -1, -1):
        after = suffixes[at + 1]
        suffixes[at] = merge_updates(merged[at + 1], after) if after else merged[at + 1]
    result: list[bytes] = []
    prefix = b""
    for at, group in enumerate(merged):
        result.append(merged_update([each for each in (prefix, suffixes[at]) if each]))
        prefix = merge_updates(prefix, group) if prefix else group
    return result
