"""Time, chance and the outside, as the core sees them.

Rooms, sessions and the log take these as parameters, so that several nodes and dozens of clients
can run in one process under virtual time. The store's port is `parvis.storage.Store`.
"""

from collections.abc import Callable
from typing import Any, Protocol

from .errors import ServerError


class Timer(Protocol):
    """A call to come; `cancel` forgets it."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Time."""

    def time(self) -> float:
        """Seconds since 1970, for what people and other systems see."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment, for measuring how long things take."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer: ...

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call in the next turn of the loop."""
        ...


class Random(Protocol):
    """Chance."""

    def bytes(self, count: int) -> bytes: ...

    def below(self, bound: int) -> int:
        """Return a whole number from 0 to `bound` - 1."""
        ...

    def uniform(self, low: float, high: float) -> float: ...


class Transport(Protocol):
    """One open websocket, as a session sees it."""

    def write(self, frame: bytes) -> None:
        """Hand a whole websocket frame, header included, to the socket; never waits."""
        ...

    def buffered(self) -> int:
        """Bytes handed over that the operating system has not taken yet."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Start to close; what was written before still goes out if the peer reads."""
        ...

    def abort(self) -> None:
        """Drop the connection and whatever is still buffered."""
        ...


class HelperStopped(ServerError):
    """Base of what can become of a helper's work instead of a result.

    Attributes:
        step: How far the task had come, in its own count; 0 if it does not count.
    """

    def __init__(self, message: str, *, step: int = 0) -> None:
        super().__init__(message)
        self.step = step


class HelperDied(HelperStopped):
    """A helper process died over its work: the input is not to be touched in this process."""


class HelperTimeout(HelperStopped):
    """A helper was ended because its work took too long."""


class HelperFailed(HelperStopped):
    """The work raised an exception in the helper, whose text this carries.

    Attributes:
        kind: Name of the exception's class.
    """

    def __init__(self, message: str, *, step: int = 0, kind: str = "") -> None:
        super().__init__(message, step=step)
        self.kind = kind


class HelperPanicked(HelperFailed):
    """Native code panicked: the replica it worked on is not to be touched again."""


class HelperMissing(HelperFailed):
    """No helper could be started, so nothing is known about the input; try again later."""


class Helpers(Protocol):
    """Killable processes for work on whole documents, which could block or end this one."""

    async def run(self, task: str, *args: Any, timeout: float = 30.0) -> Any:  # noqa: ASYNC109  by a Clock
        """Do one of the tasks in `parvis.server.firewall.tasks` elsewhere.

        Arguments and result are plain MessagePack values. The time spent waiting for a free
        helper is not counted.

        Raises:
            HelperDied: If the process died, e.g. by a stack overflow in native code.
            HelperTimeout: After `timeout` seconds.
            HelperFailed: If the task raised, a Rust panic included.
        """
        ...
