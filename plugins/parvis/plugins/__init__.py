"""All that the author of a room type imports."""

from parvis.protocol import ErrorCode
from parvis.storage import Blobs, Job, LoggedUpdate, Migration, SqlValue, Statement

from .access import COMMENTER, EDITOR, NOTHING, OWNER, VIEWER, Access, Caller, Grant
from .arrival import Adopted, Foreign
from .errors import Refused
from .history import Entry, History, Restored, Timeline, Version
from .http import HttpRequest, HttpResponse, Route
from .limits import Buckets, network_of
from .migrations import migrations_in
from .node import Guest, Invited, Node, Notice, Person, Words
from .replica import Delivery, OpaqueLog, Replica, YDoc
from .room import Answer, Edit, Peer, Request, Room, Submission
from .room_type import (
    Commit,
    NoSettings,
    Part,
    RoomType,
    overrides,
)
from .texts import straight

__all__ = [
    "COMMENTER",
    "EDITOR",
    "NOTHING",
    "OWNER",
    "VIEWER",
    "Access",
    "Adopted",
    "Answer",
    "Blobs",
    "Buckets",
    "Caller",
    "Commit",
    "Delivery",
    "Edit",
    "Entry",
    "ErrorCode",
    "Foreign",
    "Grant",
    "Guest",
    "History",
    "HttpRequest",
    "HttpResponse",
    "Invited",
    "Job",
    "LoggedUpdate",
    "Migration",
    "NoSettings",
    "Node",
    "Notice",
    "OpaqueLog",
    "Part",
    "Peer",
    "Person",
    "Refused",
    "Replica",
    "Request",
    "Restored",
    "Room",
    "RoomType",
    "Route",
    "SqlValue",
    "Statement",
    "Submission",
    "Timeline",
    "Version",
    "Words",
    "YDoc",
    "migrations_in",
    "network_of",
    "overrides",
    "straight",
]
