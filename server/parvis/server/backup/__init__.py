"""Backups: made while the node serves, encrypted, read to the end before anybody relies on them."""

from .creating import Created, create
from .drilling import Report, drill
from .errors import BackupDamaged, BackupError
from .keys import Key, make_key, read_key
from .restoring import Restored, restore
from .verifying import Verified, verify

__all__ = [
    "BackupDamaged",
    "BackupError",
    "Created",
    "Key",
    "Report",
    "Restored",
    "Verified",
    "create",
    "drill",
    "make_key",
    "read_key",
    "restore",
    "verify",
]
