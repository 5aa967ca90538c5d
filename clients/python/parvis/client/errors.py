"""What goes wrong for a client.

::

    ClientError                 base of everything this package raises
    ├── Disconnected            this connection ended; says whether to come back
    ├── Closed                  the session has ended for good
    ├── Refused                 the server said no to one request
    └── SetAside                local work was set aside because the part was reset
"""

from dataclasses import dataclass

from parvis.protocol import CloseCode, ErrorCode

from .backoff import comes_back


class ClientError(Exception):
    """Base class of the client's errors."""


class Disconnected(ClientError):
    """A connection ended, or could not be opened.

    Args:
        code: The websocket close code; 1006 if the connection broke without one.
        final: Says that coming back is useless where the code does not, e.g. after a 403.
    """

    def __init__(self, code: int, reason: str = "", *, final: bool = False) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
        self.comes_back = comes_back(code) and not final

    def __str__(self) -> str:
        return (
            f"disconnected with {_named(CloseCode, self.code)}: {self.reason or 'no reason given'}"
        )


class Closed(ClientError):
    """The session has ended: closed by its user, or by the server with a code that is final."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"closed with {_named(CloseCode, self.code)}: {self.reason or 'no reason given'}"


class Refused(ClientError):
    """The server said no to one request; the session goes on.

    Attributes:
        retryable: Whether the same request may succeed later.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
        self.retryable = 500 <= code < 600

    def __str__(self) -> str:
        return f"refused with {_named(ErrorCode, self.code)}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Rescue:
    """A local copy that was set aside because the server reset its part.

    Attributes:
        update: All of the copy, as one update; empty if the copy could not be read any more.
        unsaved: Which local edits had not been acknowledged.
        incarnation: The life of the part that the copy belongs to.
    """

    room: str
    update: bytes
    unsaved: frozenset[int]
    incarnation: int
    code: int
    reason: str


class SetAside(ClientError):
    """Local edits were set aside; the copy that holds them is in `rescue`."""

    def __init__(self, rescue: Rescue) -> None:
        super().__init__(rescue.room, rescue.reason)
        self.rescue = rescue

    def __str__(self) -> str:
        return f"{self.rescue.room} was reset: {self.rescue.reason}"


def _named(codes: type[CloseCode] | type[ErrorCode], code: int) -> str:
    try:
        return f"{code} {codes(code).name}"
    except ValueError:
        return str(code)
