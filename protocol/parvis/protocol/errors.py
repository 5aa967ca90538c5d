"""What goes wrong on the wire.

::

    ProtocolError                 base of everything this package raises
    ├── Malformed                 bytes that do not say what their place requires
    │   ├── TooDeep               well-formed, but nested deeper than is safe to read
    │   ├── TooLarge              well-formed, but over a bound on size or count
    │   └── NotAllowed            well-formed, but of a kind this place does not take
    ├── InvalidName               a room name that cannot be
    └── OutOfOrder                a message that may not come in this state
"""


class ProtocolError(Exception):
    """Base class of the protocol's errors."""


class Malformed(ProtocolError):
    """Bytes that do not say what their place requires.

    Args:
        expected: What should have stood there, as a noun phrase: ``"a varUint"``.
        at: The byte, counted from 0, where it should have stood; ``None`` if no byte is to blame.
    """

    def __init__(self, expected: str, at: int | None = None) -> None:
        super().__init__(expected, at)
        self.expected = expected
        self.at = at

    def __str__(self) -> str:
        where = "" if self.at is None else f" at byte {self.at}"
        return f"expected {self.expected}{where}"


class TooDeep(Malformed):
    """Nested deeper than a replica, or a reader in another process, can stand."""


class TooLarge(Malformed):
    """Over a bound on bytes, blocks or entries."""


class NotAllowed(Malformed):
    """Of a kind that this room type does not take, such as a subdocument."""


class InvalidName(ProtocolError):
    """A room name that is not ``type/key`` or ``type/key:part`` as SPEC.md section 3 has it."""


class OutOfOrder(ProtocolError):
    """A message that may not come in the session's present state."""
