"""The server's copy of a part's state: a Yjs document it can read, or a log it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pycrdt import Doc

Delivery = Literal["fast", "ordered"]
"""``fast``: broadcast at once, acknowledge when durable. ``ordered``: commit, then broadcast."""


class Replica:
    """Base of `YDoc` and `OpaqueLog`; a room type names one of them, or a subclass, per part."""

    delivery: ClassVar[Delivery]


class YDoc(Replica):
    """A Yjs document; updates and state vectors are Yjs v1.

    Subclass it to give a document readable names, e.g. a property ``title``. Read it in hooks;
    change it only through ``room.edit``.
    """

    delivery = "fast"

    def __init__(self, client_id: int) -> None:
        self.doc: Doc[Any] = Doc(client_id=client_id)


class OpaqueLog(Replica):
    """Ordered updates that the server cannot read, such as ciphertext.

    Attributes:
        end: Offset of the last update; 0 if there is none.
        tail: The newest updates, oldest first; the rest is in the log only.
    """

    delivery = "ordered"

    def __init__(self, client_id: int) -> None:
        self.end = 0
        self.tail: Sequence[bytes] = ()
