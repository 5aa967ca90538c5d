"""The wire: messages, codecs, names, states and codes. No I/O, no clock, no pycrdt."""

from .codec import decode, decode_from_server, encode
from .codes import CloseCode, ErrorCode
from .errors import InvalidName, Malformed, NotAllowed, OutOfOrder, ProtocolError, TooDeep, TooLarge
from .names import RoomName, parse_name, room_type
from .session import TRANSITIONS, SessionState, after

__all__ = [
    "TRANSITIONS",
    "CloseCode",
    "ErrorCode",
    "InvalidName",
    "Malformed",
    "NotAllowed",
    "OutOfOrder",
    "ProtocolError",
    "RoomName",
    "SessionState",
    "TooDeep",
    "TooLarge",
    "after",
    "decode",
    "decode_from_server",
    "encode",
    "parse_name",
    "room_type",
]
