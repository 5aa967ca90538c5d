"""What takes letters away."""

from email.message import EmailMessage
from typing import Protocol

from ..errors import ServerError


class Rejected(ServerError):
    """A letter will never be taken, by this way; trying again is of no use."""


class Carrier(Protocol):
    """Takes letters away, one at a time or several."""

    async def carry(self, message: EmailMessage, to: str) -> str:
        """Send a letter to one address; return where it went, for the log.

        Raises:
            Rejected: If it will never be taken.
            OSError: If it was not taken now.
        """
        ...

    async def look(self) -> str:
        """Find out whether letters would be taken now; return what was found, for the operator.

        Raises:
            OSError: If not, saying why.
        """
        ...

    def close(self) -> None:
        """Let go of threads."""
        ...
