"""What can go wrong with a backup.

BackupError          the base, a `ServerError`
├── BackupDamaged    it is cut short, or was changed, or what it says of itself does not hold
├── BackupTooNew     it was made by a later version of Parvis
├── NotForThisKey    another key opens it
├── KeyUnusable      a key file is no key file, or too open
└── Unopened         what age says of the content, while the files below it are well
"""

from ..errors import ServerError


class BackupError(ServerError):
    """Base of all errors of backups.

    Attributes:
        code: Stable, for programs.
        hint: What to do about it.
    """

    code = "backup"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class BackupDamaged(BackupError):
    """It is cut short, or was changed, or what it says of itself does not hold."""

    code = "backup_damaged"

    def __init__(
        self, message: str, hint: str = "Take another backup, from another place."
    ) -> None:
        super().__init__(message, hint)


class BackupTooNew(BackupError):
    """It was made by a later version of Parvis."""

    code = "backup_too_new"


class NotForThisKey(BackupError):
    """Another key opens it."""

    code = "wrong_key"


class KeyUnusable(BackupError):
    """A key file is no key file, or too open."""

    code = "key_unusable"


class Unopened(BackupError):
    """What age says of the content, while the files below it are well; it stays in `sealing.py`."""
