"""What survives a crash: the contract between the node and its store.

Only the contract stands here, so that plugins may import it without any driver. A store is opened
with `parvis.storage.factory.open_store`.
"""

from parvis.storage.accounts import Accounts, Link, LinkKind, SignIn, User
from parvis.storage.api import (
    Address,
    Appended,
    Batch,
    Entry,
    Head,
    Job,
    Lag,
    LoggedUpdate,
    Migration,
    Opened,
    Quarantined,
    RoomInfo,
    Snapshot,
    SqlValue,
    Statement,
    Status,
    Store,
)
from parvis.storage.blobs import Blobs
from parvis.storage.errors import (
    AccountChanged,
    DataFolderHeld,
    EmailTaken,
    LinkGone,
    RoomDeleted,
    RoomNotFound,
    SchemaTooNew,
    StatementRefused,
    StorageError,
    StoreUnavailable,
)

__all__ = [
    "AccountChanged",
    "Accounts",
    "Address",
    "Appended",
    "Batch",
    "Blobs",
    "DataFolderHeld",
    "EmailTaken",
    "Entry",
    "Head",
    "Job",
    "Lag",
    "Link",
    "LinkGone",
    "LinkKind",
    "LoggedUpdate",
    "Migration",
    "Opened",
    "Quarantined",
    "RoomDeleted",
    "RoomInfo",
    "RoomNotFound",
    "SchemaTooNew",
    "SignIn",
    "Snapshot",
    "SqlValue",
    "Statement",
    "StatementRefused",
    "Status",
    "StorageError",
    "Store",
    "StoreUnavailable",
    "User",
]
