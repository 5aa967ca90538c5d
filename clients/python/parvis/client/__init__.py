"""The reference client: native sessions, and minimal stock clients in `parvis.client.stock`."""

from .awareness import Awareness
from .backoff import Backoff, comes_back
from .connect import connect
from .document_part import DocumentPart
from .errors import ClientError, Closed, Disconnected, Refused, Rescue, SetAside
from .link import Ticket
from .log import Logged
from .log_part import LogPart
from .part import Part
from .ports import Clock, Dial, Random, Socket, SystemClock, SystemRandom
from .session import Session
from .wire import Wire, open_wire

__all__ = [
    "Awareness",
    "Backoff",
    "ClientError",
    "Clock",
    "Closed",
    "Dial",
    "Disconnected",
    "DocumentPart",
    "LogPart",
    "Logged",
    "Part",
    "Random",
    "Refused",
    "Rescue",
    "Session",
    "SetAside",
    "Socket",
    "SystemClock",
    "SystemRandom",
    "Ticket",
    "Wire",
    "comes_back",
    "connect",
    "open_wire",
]
