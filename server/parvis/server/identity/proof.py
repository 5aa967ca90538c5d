"""What stands behind a caller: kept by a session, so that it can be checked again."""

from dataclasses import dataclass
from typing import Literal

from parvis.plugins import Caller

Kind = Literal["open", "cookie", "access", "room", "app"]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a caller showed.

    Attributes:
        kind: ``open`` (nothing, with ``--open``), ``cookie``, ``access`` (token), ``room`` (token
            signed by Parvis) or ``app`` (room token signed by an application).
        id: Of the token, or the digest of the cookie's secret in hex.
        user: Id of the account it rests on; empty if on none.
        epoch: The account's epoch when the proof was made.
    """

    kind: Kind
    id: str
    user: str = ""
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Identified:
    """Who asks, and for how long that holds.

    Attributes:
        expires: Seconds since 1970 after which the caller must show something new; None: never.
    """

    caller: Caller
    expires: float | None
    proof: Proof
