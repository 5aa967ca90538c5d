"""Who asks: accounts, passwords, sign-ins, tokens and tickets.

`Identity` turns what a client shows into an `Identified`: the caller, how long that holds, and the
proof by which a live session can be checked again.
"""

from .callers import Identity, open_identity
from .errors import (
    IdentityError,
    InvalidAccount,
    KeysUnavailable,
    LinkInvalid,
    SetUpClosed,
    TooBusy,
    TooManyAttempts,
    Unauthenticated,
    WeakPassword,
)
from .proof import Identified, Proof

__all__ = [
    "Identified",
    "Identity",
    "IdentityError",
    "InvalidAccount",
    "KeysUnavailable",
    "LinkInvalid",
    "Proof",
    "SetUpClosed",
    "TooBusy",
    "TooManyAttempts",
    "Unauthenticated",
    "WeakPassword",
    "open_identity",
]
