"""Folders for a while: each is locked as long as its process lives, and removed after it."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path


class Scratch:
    """A folder of its own, readable by this user only, until `remove`."""

    def __init__(self, parent: Path, prefix: str) -> None:
        """Make one, and remove those of the same prefix whose processes are gone.

        Raises:
            OSError: If it cannot be made.
        """
        remove_abandoned(parent, prefix)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Delete it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def remove_abandoned(parent: Path, prefix: str) -> None:
    """Delete the folders of a prefix whose processes are gone."""
    for folder in parent.glob(f"{prefix}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # its process has just removed it
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass  # in use
        finally:
            os.close(lock)
