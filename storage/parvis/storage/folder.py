"""Who owns a data folder: a lock on ``DATA/parvis.lock`` that dies with its last holder."""

import datetime
import errno
import fcntl
import json
import os
from pathlib import Path
from typing import cast

from parvis.storage.errors import DataFolderHeld, StorageError

LOCK = "parvis.lock"


class Held:
    """A data folder that this process owns until `release`, or until it ends in any way.

    Attributes:
        fd: The locked descriptor. A child process that inherits it (``pass_fds=[held.fd]``) holds
            the folder too: it is free when both have let go, so a worker that outlives its
            supervisor cannot be joined by a second one on the same files.
    """

    def __init__(self, path: Path, fd: int, *, since: float) -> None:
        self.path = path
        self.fd = fd
        self._since = since

    def note(self, *, port: int | None = None) -> None:
        """Write down who holds the folder, for the message that a second start shows."""
        content = json.dumps({"pid": os.getpid(), "since": self._since, "port": port}).encode()
        os.pwrite(self.fd, content, 0)
        os.ftruncate(self.fd, len(content))

    def release(self) -> None:
        """Let go of the folder; holders that inherited the descriptor keep it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def hold_data_folder(path: Path, *, now: float, port: int | None = None) -> Held:
    """Own a data folder, making it if it is missing. One attempt: the caller may try again.

    Args:
        now: Seconds since the epoch, noted for people.
        port: Where this process answers, if it is known already; else see `Held.note`.

    Raises:
        DataFolderHeld: If another process owns it; the message says which.
        StorageError: If the folder cannot be made or locked.
    """
    file = path / LOCK
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"{path} cannot be used as a data folder: {error}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = Held(path, fd, since=now)
        held.note(port=port)
        return held
    except OSError as error:
        holder = holder_of(path)
        os.close(fd)
        if error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN):
            raise StorageError(f"{file} cannot be locked: {error}") from error
        raise DataFolderHeld(
            f"{path} is in use by {holder}",
            hint="Stop that process, or give this one its own folder with --data.",
        ) from error
    except BaseException:
        os.close(fd)
        raise


def holder_of(path: Path) -> str:
    """Describe the process that last took a data folder, as far as it left a note."""
    try:
        note: object = json.loads((path / LOCK).read_bytes())
    except (OSError, ValueError):
        return "another process"
    if not isinstance(note, dict):
        return "another process"
    facts = cast("dict[str, object]", note)
    text = f"process {facts.get('pid')}"
    since, port = facts.get("since"), facts.get("port")
    if isinstance(since, int | float):
        moment = datetime.datetime.fromtimestamp(since, datetime.UTC)
        text += f" since {moment:%Y-%m-%d %H:%M:%S} UTC"
    return text if port is None else f"{text}, which answers on port {port}"
