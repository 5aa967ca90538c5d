"""Who is here now: the live sessions of this node, by the person each speaks for."""

from __future__ import annotations

from typing import Protocol

from parvis.protocol.messages import Value


class Told(Protocol):
    """A session, as whoever has something to say to its person sees it."""

    def tell(self, name: str, body: Value) -> None:
        """Send a signal that concerns the person, in a dialect that has words for it."""
        ...


class Sessions:
    """Finds the sessions of a person, to tell them something that belongs to no part."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, str], dict[Told, None]] = {}

    def add(self, tenant: str, user: str, session: Told) -> None:
        """A session speaks for somebody now. Adding it again changes nothing."""
        self._sessions.setdefault((tenant, user), {})[session] = None

    def discard(self, tenant: str, user: str, session: Told) -> None:
        """A session has ended."""
        if (sessions := self._sessions.get((tenant, user))) is not None:
            sessions.pop(session, None)
            if not sessions:
                del self._sessions[tenant, user]

    def __len__(self) -> int:
        """Return how many people are here."""
        return len(self._sessions)

    def signal(self, tenant: str, user: str, name: str, body: Value = None) -> None:
        """Send ``signaled(0, name, body)`` to each native session of a person (SPEC section 6)."""
        for session in tuple(self._sessions.get((tenant, user), ())):
            session.tell(name, body)
