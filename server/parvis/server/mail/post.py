"""The post: letters that are due are jobs, and their words are asked for when they go out.

So a letter says what is true at that moment, is not sent if it is not needed any more, and a
link's secret stands in no queue: it is made when the letter is.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from parvis.storage import Job

from ..hosting.jobs import Queues
from ..ports import Clock, Random
from ..settings import Settings
from .carriers import Carrier, Rejected
from .folder import FolderCarrier
from .letters import Letter, compose
from .smtp import SmtpCarrier

logger = logging.getLogger(__name__)

QUEUE: Final = "parvis-mail"

PATIENCE: Final = 3 * 86_400.0
"""Seconds after which a letter that no server takes is given up."""

Facts = Mapping[str, Any]
Write = Callable[[str, Facts], Awaitable[Letter | None]]
"""Writes a letter of a tenant from what was noted about it; None if it is not needed any more."""

Sent = Callable[[str, Letter], Awaitable[None]]
"""Told of a letter of a tenant that went out, or never will."""


async def _nothing(tenant: str, letter: Letter) -> None:
    """Note nothing about a letter that was sent."""


class Post:
    """Sends letters, at least once each.

    Attributes:
        configured: Whether letters reach people; else they are files for the operator.
    """

    def __init__(
        self, settings: Settings, carrier: Carrier, queues: Queues, clock: Clock, random: Random
    ) -> None:
        self.configured: Final = bool(settings.mail.host)
        self._sender = sender_of(settings)
        self._carrier = carrier
        self._queues = queues
        self._clock = clock
        self._random = random
        self._kinds: dict[str, tuple[Write, Sent]] = {}
        queues.add(QUEUE, self._do)

    def kind(self, name: str, write: Write, sent: Sent = _nothing) -> None:
        """Say who writes letters of a kind, and who is told when one has been sent."""
        self._kinds[name] = (write, sent)

    async def order(
        self, tenant: str, kind: str, key: str, facts: Facts, *, delay: float = 0
    ) -> None:
        """Have a letter sent, not before `delay` seconds have passed.

        Args:
            key: The same (kind, key) is kept once while it is unfinished.
            facts: What its writer needs, as JSON has it; no secrets.
        """
        due = self._clock.time() + delay
        payload = {"kind": kind, "facts": dict(facts), "until": due + PATIENCE}
        await self._queues.enqueue(
            tenant, Job(QUEUE, f"{kind}:{key}", json.dumps(payload).encode(), due)
        )

    async def send(self, letter: Letter) -> None:
        """Send a letter now.

        Raises:
            Rejected: If it will never be taken.
            OSError: If it was not taken now.
        """
        id = self._random.bytes(16).hex()
        message = compose(letter, sender=self._sender, now=self._clock.time(), id=id)
        where = await self._carrier.carry(message, letter.to)
        if self.configured:
            logger.info("%s: letter taken by %s", id, where)
        else:
            logger.info("%s: mail.host is not set, letter written to %s", id, where)

    def close(self) -> None:
        """Let go of threads."""
        self._carrier.close()

    async def _do(self, tenant: str, job: Job) -> None:
        order: dict[str, Any] = json.loads(job.payload)
        kind, facts = str(order["kind"]), order["facts"]
        write, sent = self._kinds[kind]
        letter = await write(tenant, facts)
        if letter is None:
            return
        try:
            await self.send(letter)
        except Rejected as refused:
            logger.warning("%s: letter %d to %s was refused for good: %s",
                           kind, job.id, letter.to, refused)  # fmt: skip
        except OSError as problem:
            if self._clock.time() < order["until"]:
                logger.warning("%s: letter %d is not taken now: %s", kind, job.id, problem)
                raise
            logger.warning("%s: letter %d to %s is given up: %s",
                           kind, job.id, letter.to, problem)  # fmt: skip
        await sent(tenant, letter)


def carrier_of(settings: Settings, folder: Path, clock: Clock) -> Carrier:
    """Return what takes letters away with these settings.

    Args:
        folder: The data folder.
    """
    if settings.mail.host:
        return SmtpCarrier(settings.mail, here=_host(settings))
    return FolderCarrier(folder / "mail", clock)


def sender_of(settings: Settings) -> str:
    """Return whom letters come from, as in the setting ``mail.from``."""
    return settings.mail.from_ or f"Parvis <parvis@{_host(settings)}>"


def _host(settings: Settings) -> str:
    # An address in numbers is no domain of an address for mail.
    host = urlsplit(settings.server.public_url).hostname or parseaddr(settings.mail.from_)[1]
    host = host.rpartition("@")[2]
    return "localhost" if not host or ":" in host else host
