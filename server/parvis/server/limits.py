"""Bounds on what one session, room or part may ask of the node."""

from dataclasses import dataclass

KiB = 1024
MiB = 1024 * 1024

FRAME_COST = 512
"""What keeping the smallest frame takes, roughly."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes are bytes, times are seconds.

    Attributes:
        frame: Largest websocket frame taken from a client.
        hello: A session that has not shown who it is by then is closed; traffic does not help.
        heartbeat: A socket from which nothing has come for so long is pinged; one that does not
            answer within half of that is closed.
        rooms: Parts that one session may be in at once.
        unproven: Bytes that are read from a session before it has shown who it is.
        unproven_early: Bytes of whole frames that are kept for such a session, each of which
            counts `FRAME_COST` more.
        early_bytes: The same of a session that has shown who it is, before its documents are open.
        early_frames: How many frames of a stock client are kept for one document.
        errands: While so many requests of a session are being worked on, none is read from it.
        outbox: Over this many bytes on their way to a session, broadcasts of documents to it are
            dropped (it gets one merged update later), and nothing more is read from it.
        outbox_hard: Over this it is closed.
        slow: Over `outbox` for so long, it is closed.
        quick_update: A larger update is looked through in a helper process.
        flush_pause: Between the beginnings of two calls to the store, for each tenant, while fewer
            than `flush_full` updates wait: so long a busy tenant's updates wait for company.
        unlogged: Updates of one part that may wait for the store; then they are refused.
        awareness_state: Largest awareness state of one client.
        awareness_pause: A part's awareness is broadcast at most once in this time.
        snapshot_rows, snapshot_bytes: A part is snapshotted after so much new log.
        compact_rows: So many rows must be older than the history that is kept before a log is
            compacted.
    """

    frame: int = 8 * MiB
    hello: float = 10.0
    heartbeat: float = 25.0
    rooms: int = 200
    errands: int = 256
    unproven: int = 128 * KiB
    unproven_early: int = 256 * KiB
    early_bytes: int = 8 * MiB
    early_frames: int = 64
    outbox: int = 256 * KiB
    outbox_hard: int = 8 * MiB
    slow: float = 60.0
    quick_update: int = 32 * KiB
    flush_pause: float = 0.004
    flush_full: int = 300
    unlogged: int = 16 * MiB
    awareness_state: int = 16 * KiB
    awareness_pause: float = 0.05
    snapshot_rows: int = 2000
    compact_rows: int = 500
    snapshot_bytes: int = 2 * MiB

    @property
    def silence(self) -> float:
        """Seconds after which a socket that has not even answered a ping is closed."""
        return self.heartbeat * 1.5
