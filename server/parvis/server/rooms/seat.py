"""A session's place in one part of a room, and what it hands in there.

The room knows seats only through this contract; each dialect has its own kind.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from parvis.plugins import Access, Caller, Refused
from parvis.protocol import CloseCode, ErrorCode
from parvis.protocol.messages import Value
from parvis.protocol.update import Scan
from parvis.storage import Entry

from ..outbox import Outbox

if TYPE_CHECKING:
    from .part import LivePart


class Encoder(Protocol):
    """Makes frames that several seats can share; those with the same encoder get the same bytes."""

    def changed(self, update: bytes, offset: int = 0, sender: str = "", time: float = 0) -> bytes:
        """Encode an update for peers who did not send it."""
        ...

    def awareness(self, states: bytes) -> bytes: ...

    def signaled(self, name: str, body: Value, sender: str) -> bytes | None:
        """Encode a signal; None if this dialect has no words for it."""
        ...


class Session(Protocol):
    """What the room may know of a session.

    Attributes:
        dialect: Name of the protocol that it speaks.
        poison: The code with which it is closed for an update that breaks documents.
    """

    dialect: ClassVar[str]
    poison: ClassVar[CloseCode]

    @property
    def id(self) -> str: ...
    @property
    def caller(self) -> Caller: ...
    @property
    def outbox(self) -> Outbox: ...

    def close(self, code: CloseCode, reason: str) -> None: ...


class Seat(ABC):
    """One session in one part: the server's side of `parvis.plugins.Peer`.

    Attributes:
        behind: State vector of what the peer has for certain, once broadcasts to it were dropped;
            None while it gets everything.
        resettable: The client can throw its copy away and start over when it is told to.
        clients: Awareness client ids that this seat speaks for.
        foreign: The client knows another version of the schema, so it may only look.
        echoed: The peer's own updates come back to it when they are durable, and that is its ack;
            so what it has must not come back from anybody else before.
        ahead: What an echoed peer said it has and was not durable, as clocks; None before that.
    """

    encoder: Encoder
    resettable: ClassVar[bool] = False
    echoed: ClassVar[bool] = False
    ahead: Mapping[int, int] | None = None

    def __init__(self, session: Session, part: "LivePart", access: Access) -> None:
        self.session = session
        self.live = part
        self.behind: bytes | None = None
        self.awareness_missed = False
        self.clients: set[int] = set()
        self.left = False
        self.foreign = False
        self.access = access

    @property
    def access(self) -> Access:
        return self._access

    @access.setter
    def access(self, access: Access) -> None:
        self._access = access
        self.may_write = access.may(self.live.rules.write)

    @property
    def id(self) -> str:
        return self.session.id

    @property
    def caller(self) -> Caller:
        return self.session.caller

    @property
    def part(self) -> str:
        return self.live.address.part

    @abstractmethod
    def acked(self, done: Sequence["Submission"]) -> None:
        """These updates of the peer are durable and integrated, in order."""

    @abstractmethod
    def refused(self, submission: "Submission", code: ErrorCode, reason: str) -> None:
        """This update of the peer was turned down."""

    @abstractmethod
    def resync(self, state: bytes) -> None:
        """Ask the peer for whatever `state` does not cover."""

    @abstractmethod
    def caught_up(self, updates: Sequence[bytes]) -> None:
        """Give a peer that was behind what it missed."""

    @abstractmethod
    def reset(self, code: ErrorCode, reason: str) -> None:
        """Tell the peer that its copy holds what the room will never have."""

    @abstractmethod
    def expelled(self, code: ErrorCode, reason: str) -> None:
        """The peer was taken out of the part; the session goes on where the dialect can."""

    def unsaved(self, waiting: bool) -> None:  # noqa: B027  not every dialect has words for it
        """Updates of the part wait for a store that does not answer, or no longer do."""

    def access_changed(self) -> None:  # noqa: B027  not every dialect has words for it
        """The peer's capabilities are others now."""


OVERHEAD = 512
"""Bytes that a submission takes beside its update: many small ones count for what they are."""


@dataclass(slots=True, eq=False)
class Submission:
    """An update on its way through a part.

    Attributes:
        seat: Who handed it in; None for the server's own edits.
        ref: What the dialect needs to answer it.
        complete: It claims to hold all that the peer has (an answer to SyncStep1), so that it is
            worth finding out whether it adds anything.
        key: The client's own idempotency key, or empty.
        entry: What is to be logged; None if it adds nothing and only its ack must wait.
        offset: Its place in the log once it is durable.
        gapped: It waits for a predecessor that has not come.
        repeats: It brings something again that the document has.
        tried: A document broke while it was applied, and a helper found no fault with it.
        received: When it came, on the monotonic clock.
        watermark: How many submissions of the part must be settled before this one is acked.
        settled: Told the offset, or why there is none; how an edit of the server learns its fate.
    """

    seat: Seat | None
    ref: int
    update: bytes
    complete: bool = False
    key: bytes = b""
    scan: Scan | None = None
    entry: Entry | None = None
    offset: int = 0
    gapped: bool = False
    repeats: bool = False
    tried: bool = False
    received: float = 0.0
    watermark: int = 0
    settled: Callable[[int | Refused], None] | None = None
