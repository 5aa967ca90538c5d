"""A letter: its words, and the message that mail servers understand."""

import html
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final

from parvis.plugins import straight

from ..settings import MAILABLE
from .carriers import Rejected

MAX_SUBJECT: Final = 200

PAGE: Final = """\
<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><title>{subject}</title></head>
<body style="font: 16px/1.5 system-ui, sans-serif; color: #1c1917; margin: 0; padding: 24px">
<div style="max-width: 560px; margin: 0 auto">
{body}
</div>
</body>
</html>
"""
BUTTON: Final = (
    '<p><a href="{url}" style="display: inline-block; padding: 10px 16px; border-radius: 6px;'
    ' background: #0b6b5c; color: #ffffff; text-decoration: none">{label}</a></p>'
)
FOOT: Final = '<p style="color: #57534e; font-size: 14px">{text}</p>'


@dataclass(frozen=True, slots=True)
class Action:
    """Something to click on: what it says and where it leads; an item may have words above it."""

    label: str
    url: str
    above: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of a letter to one person.

    Attributes:
        to: Their address.
        language: ``en`` or ``fr``.
        paragraphs: Plain text, above the actions.
        foot: Why they get this, and what to do if it is not for them.
        about: Ids, for whoever is told that it has been sent.
    """

    to: str
    language: str
    subject: str
    paragraphs: tuple[str, ...]
    actions: tuple[Action, ...] = ()
    foot: tuple[str, ...] = ()
    about: tuple[str, ...] = ()


def compose(letter: Letter, *, sender: str, now: float, id: str) -> EmailMessage:
    """Return a letter as a message: plain text, with simple HTML as the alternative.

    Args:
        sender: As in the setting ``mail.from``.
        now: Seconds since 1970.
        id: Unique; the part of the Message-ID before the @.

    Raises:
        Rejected: If the letter has no address that a header can hold.
    """
    if not MAILABLE.fullmatch(letter.to) or not letter.to.isprintable():
        raise Rejected(f"{letter.to[:80]!r} is no address")
    name, address = parseaddr(sender)
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(address, name)
    message["To"] = _address(letter.to)
    message["Subject"] = one_line(letter.subject, MAX_SUBJECT)
    message["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    message["Message-ID"] = f"<{id}@{address.rpartition('@')[2]}>"
    # So that nobody's notice of absence comes back (RFC 3834 section 5).
    message["Auto-Submitted"] = "auto-generated"
    # Which every mail server passes on as it is, whatever the alphabet.
    message.set_content(_text(letter), cte="quoted-printable")
    message.add_alternative(_html(letter), subtype="html", cte="quoted-printable")
    message["Content-Language"] = letter.language  # now, or it would go with the first part
    return message


def one_line(text: str, most: int) -> str:
    """Return a text without line breaks and control characters, of at most so many characters."""
    text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _address(address: str, name: str = "") -> Address:
    user, _, domain = address.rpartition("@")
    return Address(display_name=name, username=user, domain=domain)


def _text(letter: Letter) -> str:
    pieces = [straight(text) for text in letter.paragraphs]
    for action in letter.actions:
        pieces += [*map(straight, action.above), f"{action.label}:\n{action.url}"]
    foot = "\n".join(letter.foot)
    # What stands below this sign is a signature, which programs show in grey.
    return "\n\n".join(pieces) + (f"\n\n-- \n{foot}\n" if foot else "\n")


def _html(letter: Letter) -> str:
    parts = [f"<p>{_escaped(text)}</p>" for text in letter.paragraphs]
    for action in letter.actions:
        parts += [f"<p>{_escaped(text)}</p>" for text in action.above]
        parts.append(BUTTON.format(url=html.escape(action.url), label=_escaped(action.label)))
    parts += [FOOT.format(text=_escaped(text)) for text in letter.foot]
    return PAGE.format(
        language=letter.language,
        subject=_escaped(one_line(letter.subject, MAX_SUBJECT)),
        body="\n".join(parts),
    )


def _escaped(text: str) -> str:
    return html.escape(straight(text)).replace("\n", "<br>\n")
