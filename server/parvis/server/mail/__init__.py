"""Letters to people: composed in their language, sent by durable jobs, through SMTP or to a folder.

`Post` is what the rest of the node knows: it is told what kind of letter is due, and asks for its
words when it goes out.
"""

from .carriers import Carrier, Rejected
from .folder import FolderCarrier
from .letters import Letter, compose
from .post import QUEUE, Post, carrier_of
from .smtp import SmtpCarrier

__all__ = [
    "QUEUE",
    "Carrier",
    "FolderCarrier",
    "Letter",
    "Post",
    "Rejected",
    "SmtpCarrier",
    "carrier_of",
    "compose",
]
