"""What a dead process left in a write-ahead log, made durable before anyone trusts it.

SQLite takes every whole transaction that it can read in a log as committed, whether or not the sync
of that commit ever succeeded. A process that was killed before it, or whose sync failed, leaves
such transactions behind. After a failed sync the operating system may hold the lost pages for
clean: they can be read, and the next sync succeeds without writing them. So the log is written
again, byte for byte, and synced, before it is opened.
"""

import os
from pathlib import Path

CHUNK = 1024 * 1024


def resync(log: Path) -> None:
    """Write a log again where it is, and sync it. Its writer must be the caller.

    No lock is taken: SQLite locks other files, and one process has the data folder.

    Raises:
        OSError: If it could not be made durable; then it must not be opened.
    """
    try:
        file = os.open(log, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        at = 0
        while chunk := os.pread(file, CHUNK, at):
            at += os.pwrite(file, chunk, at)
        if at:
            os.fsync(file)
    finally:
        os.close(file)
