"""Hands letters to a mail server.

By the standard library's `smtplib` in a thread of its own, rather than by a library of coroutines:
letters are few, one connection each, and STARTTLS, authentication and SMTPUTF8 are its daily bread.
"""

import asyncio
import smtplib
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from typing import Final, TypeVar

from ..settings import MailSettings
from .carriers import Rejected

T = TypeVar("T")

PORTS: Final[Mapping[str, int]] = {"starttls": 587, "tls": 465, "none": 25}

PATIENCE: Final = 10.0
"""Seconds that each answer of the server may take."""


class SmtpCarrier:
    """Hands each letter to the server of the settings, over a connection of its own."""

    def __init__(self, settings: MailSettings, *, here: str) -> None:
        """Take letters to a server.

        Args:
            here: The name by which we greet it.
        """
        self._settings = settings
        self._here = here
        self.port: Final = settings.port or PORTS[settings.security]
        # Two, so that one that hangs does not hold up all others until its patience ends.
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="mail")

    async def carry(self, message: EmailMessage, to: str) -> str:
        def send(server: smtplib.SMTP) -> None:
            server.send_message(message, to_addrs=[to])

        await self._run(send)
        return f"{self._settings.host}:{self.port}"

    async def look(self) -> str:
        await self._run(lambda server: server.noop())
        who = f" as {self._settings.user}" if self._settings.user else ""
        return f"{self._settings.host}:{self.port} answers{who}, {self._settings.security}"

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[smtplib.SMTP], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._converse, work)

    def _converse(self, work: Callable[[smtplib.SMTP], T]) -> T:
        try:
            with self._connect() as server:
                return work(server)
        except smtplib.SMTPRecipientsRefused as refused:
            code, answer = next(iter(refused.recipients.values()))
            raise _fault(code, answer, str(refused)) from None
        except smtplib.SMTPAuthenticationError as refused:
            # Wrong settings concern every letter: they wait until the operator has put that right.
            raise OSError(
                f"the mail server does not know us: {_said(refused.smtp_error)}"
            ) from None
        except smtplib.SMTPResponseException as refused:
            raise _fault(refused.smtp_code, refused.smtp_error, str(refused)) from None
        except smtplib.SMTPException as problem:
            raise OSError(str(problem)) from None

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        place = (settings.host, self.port, self._here, PATIENCE)
        if settings.security == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(*place[:3], timeout=PATIENCE, context=context)
        else:
            server = smtplib.SMTP(*place)
        try:
            if settings.security == "starttls":
                # Raises if the server does not offer it: nothing goes in clear instead.
                server.starttls(context=ssl.create_default_context())
            if settings.user:
                server.login(settings.user, settings.password)
        except BaseException:
            server.close()
            raise
        return server


def _fault(code: int, answer: bytes | str, text: str) -> Exception:
    """Return what a server's refusal means: 5xx is for ever (RFC 5321 section 4.2.1)."""
    said = f"{code} {_said(answer)}" if answer else text
    return Rejected(said) if 500 <= code < 600 else OSError(said)


def _said(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())[:300]
