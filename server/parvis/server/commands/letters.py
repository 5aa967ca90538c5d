"""``parvis mail test``: whether letters reach somebody with these settings."""

import argparse
import asyncio
import secrets
import time

from ..clock import SystemClock
from ..mail import Rejected, carrier_of, compose
from ..mail.post import sender_of
from ..mail.words import letter
from ..settings import Settings
from .output import CommandError, show_json
from .reach import require_folder


def send_test(settings: Settings, arguments: argparse.Namespace) -> int:
    """Send a letter, as a node with these settings would."""
    if not settings.mail.host:
        require_folder(settings)
    base = settings.server.public_url.rstrip("/")
    made = letter("test", arguments.email, arguments.language, base, base=base or "this machine")
    carrier = carrier_of(settings, settings.data, SystemClock())
    try:
        message = compose(
            made, sender=sender_of(settings), now=time.time(), id=secrets.token_hex(16)
        )
        where = asyncio.run(carrier.carry(message, arguments.email))
    except Rejected as refused:
        raise CommandError(f"refused for good: {refused}", code="refused") from None
    except OSError as problem:
        hint = "parvis config list shows the settings that begin with mail."
        message_text = f"the letter was not taken: {problem}"
        raise CommandError(message_text, hint, code="not_taken") from None
    finally:
        carrier.close()
    if arguments.json:
        show_json({"to": arguments.email, "where": where, "sent": bool(settings.mail.host)})
    elif settings.mail.host:
        print(f"{where} has taken a letter to {arguments.email}")
    else:
        print(f"mail.host is not set: the letter was written to {where}")
    return 0
