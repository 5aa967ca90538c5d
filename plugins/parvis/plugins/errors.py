"""The one way to say no."""

from parvis.protocol import ErrorCode


class Refused(Exception):
    """Raised by a hook to turn a request down; the peer is told why, the session goes on.

    Attributes:
        code: Sent to the peer. Stable; clients branch on it.
        reason: Sent to the peer. For people; may change.
    """

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(f"{code.name}: {reason}")
        self.code = code
        self.reason = reason
