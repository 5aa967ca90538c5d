"""Whiteboards to watch with a link and to draw on by invitation, and sealed mailboxes."""

from .mailbox import Mailbox, MailboxSettings
from .whiteboard import Board, Whiteboard, WhiteboardSettings

__all__ = ["Board", "Mailbox", "MailboxSettings", "Whiteboard", "WhiteboardSettings"]
