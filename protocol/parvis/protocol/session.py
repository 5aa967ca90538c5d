"""The states of a native session, and which message may come in which. SPEC.md section 4.

Two rules keep this file honest: everything that decides whether a message may come now stands in
the table, and the table knows no room, no user and no clock.
"""

import enum
from collections.abc import Mapping

from .errors import OutOfOrder
from .messages import (
    Awareness,
    ClientMessage,
    Command,
    Hello,
    History,
    Join,
    Leave,
    Ping,
    Refresh,
    Signal,
    Sync,
    Update,
)


class SessionState(enum.Enum):
    """Where a session is in its life."""

    CONNECTED = "connected"
    """The socket is open; nobody has said who they are."""
    OPEN = "open"
    """Somebody has said who they are; if that does not hold, the session is closed."""
    CLOSED = "closed"


TRANSITIONS: Mapping[SessionState, Mapping[type, SessionState]] = {
    SessionState.CONNECTED: {
        Hello: SessionState.OPEN,
        Ping: SessionState.CONNECTED,
    },
    SessionState.OPEN: {
        kind: SessionState.OPEN
        for kind in (
            Join,
            Leave,
            Update,
            Sync,
            Awareness,
            Signal,
            Command,
            Refresh,
            Ping,
            History,
        )
    },
    SessionState.CLOSED: {},
}


def after(state: SessionState, message: ClientMessage) -> SessionState:
    """Return the state that follows. What comes after a `Hello` waits until it was accepted.

    Raises:
        OutOfOrder: If the message may not come in this state.
    """
    try:
        return TRANSITIONS[state][type(message)]
    except KeyError:
        expected = ", ".join(kind.__name__ for kind in TRANSITIONS[state]) or "nothing"
        raise OutOfOrder(
            f"expected {expected} while {state.value}, got {type(message).__name__}"
        ) from None
