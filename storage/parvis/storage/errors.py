"""What can go wrong in a store.

StorageError                 the base: nothing of the call became durable
├── StoreUnavailable         a passing fault (disk full, connection lost): call again later
├── RoomNotFound             no such room in this tenant
├── RoomDeleted              the room was deleted; its tombstone keeps the name from coming back
├── StatementRefused         a statement broke a constraint, or is not valid SQL
├── EmailTaken               another account has this e-mail address
├── AccountChanged           the account has got a new password since it was read
├── LinkGone                 the one-time link was used, taken back or replaced
├── SchemaTooNew             the data was written by a later version of Parvis
├── DataFolderHeld           another process owns the data folder
├── PlaceTaken               what was to be filled is not empty
└── Unfinished               the place is being filled from a backup or another store
"""


class StorageError(Exception):
    """Base of all errors of a store. Nothing of the failed call became durable.

    Attributes:
        hint: What the operator may do about it, or an empty string.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class StoreUnavailable(StorageError):
    """A passing fault; the same call may succeed later."""


class RoomNotFound(StorageError):
    """There is no such room in this tenant."""


class RoomDeleted(StorageError):
    """The room was deleted; a client that was offline cannot bring it back."""


class StatementRefused(StorageError):
    """A statement of a plugin broke a constraint, or is not valid SQL."""


class EmailTaken(StorageError):
    """Another account has this e-mail address."""


class AccountChanged(StorageError):
    """The account has got a new password since it was read; what was decided by that is void."""


class LinkGone(StorageError):
    """The link was used, taken back or replaced; or there never was one."""


class SchemaTooNew(StorageError):
    """The data was written by a later version of Parvis."""


class DataFolderHeld(StorageError):
    """Another process owns the data folder; the message says which."""


class PlaceTaken(StorageError):
    """What was to be filled from an archive is not empty, or is being filled from another one."""


class Unfinished(StorageError):
    """The place is being filled from an archive, and not all of it is there yet."""
