"""All that the author of a room type imports."""

from parvis.protocol import ErrorCode
from parvis.storage import Job, LoggedUpdate, Migration, Statement

from .access import COMMENTER, EDITOR, NOTHING, OWNER, VIEWER, Access, Caller, Grant
from .errors import Refused
from .migrations import migrations_in
from .replica import Delivery, OpaqueLog, Replica, YDoc
from .room import Answer, Edit, Peer, Request, Room, Submission
from .room_type import (
    Commit,
    HttpRequest,
    HttpResponse,
    Node,
    NoSettings,
    Part,
    RoomType,
    Route,
    overrides,
)

__all__ = [
    "COMMENTER",
    "EDITOR",
    "NOTHING",
    "OWNER",
    "VIEWER",
    "Access",
    "Answer",
    "Caller",
    "Commit",
    "Delivery",
    "Edit",
    "ErrorCode",
    "Grant",
    "HttpRequest",
    "HttpResponse",
    "Job",
    "LoggedUpdate",
    "Migration",
    "NoSettings",
    "Node",
    "OpaqueLog",
    "Part",
    "Peer",
    "Refused",
    "Replica",
    "Request",
    "Room",
    "RoomType",
    "Route",
    "Statement",
    "Submission",
    "YDoc",
    "migrations_in",
    "overrides",
]
