"""A backup's outermost layer: one file in the format of age, written and read as a stream.

Encryption runs in a thread, behind a pipe. A file under its own name is whole: it is written beside
its place, made durable, and renamed.
"""

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Self

import pyrage

from .errors import BackupDamaged, BackupError, NotForThisKey, Unopened
from .keeping import SUFFIX
from .keys import Key

PART: Final = ".part"
"""How the name of a file ends that is being written."""

BUFFER: Final = 256 * 1024

_BEGINNING: Final = b"age-encryption.org/v1\n"


@contextmanager
def sealed(path: Path, key: Key) -> Generator[BinaryIO]:
    """Give a stream; what is written to it is in the file, encrypted, when the block has ended.

    Raises:
        BackupError: If the file cannot be written; then there is none.
    """
    unfinished = path.with_name(path.name + PART)
    try:
        _remove_abandoned(path.parent)
        with unfinished.open("xb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            os.fchmod(file.fileno(), 0o600)
            try:
                target = _Watched(file)
                with _piped(
                    lambda pipe: pyrage.encrypt_io(pipe, target, [key.recipient]),
                    target,
                    out=True,
                ) as stream:
                    yield stream
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
        os.rename(unfinished, path)
        _sync(path.parent)
    except FileExistsError:
        raise BackupError(
            f"{unfinished} is there already",
            "If no other backup is being made, remove it.",
        ) from None
    except OSError as error:
        raise BackupError(
            f"{path} cannot be written: {error.strerror or error}",
            "Is there room, and may this user write there? Nothing was left behind.",
        ) from error


@contextmanager
def opened(path: Path, key: Key, on_read: Callable[[int], object]) -> Generator[BinaryIO]:
    """Give a backup's content as a stream.

    Args:
        on_read: Called with numbers of bytes of the file, in another thread.

    Raises:
        NotForThisKey: If another key opens it.
        BackupDamaged: If it is no backup, or ends too early, or was changed; as soon as that is
            seen, or when the block ends.
        BackupError: If it cannot be read.
    """
    if key.identity is None:
        raise NotForThisKey(
            "the key file holds no secret, and so opens no backup",
            "Name the whole file that parvis backup key has made.",
        )
    identity = key.identity
    try:
        with path.open("rb") as file:
            if file.read(len(_BEGINNING)) != _BEGINNING:
                raise BackupDamaged(f"{path} is no backup", "Expected a file of parvis backup.")
            file.seek(0)
            source = _Watched(file, on_read)
            with _piped(
                lambda pipe: pyrage.decrypt_io(source, pipe, [identity]), source, out=False
            ) as stream:
                yield stream
    except Unopened as refused:
        if "no matching" in str(refused).lower():  # its text is the only way to tell
            raise NotForThisKey(
                f"{path} was made for another key", "Name the key file that it was made for."
            ) from None
        raise BackupDamaged(f"{path} is cut short, or was changed: {refused}") from None
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}") from error


class _Watched:
    """A file that tells how much was read, and remembers what failed: pyrage makes texts of it."""

    def __init__(self, file: BinaryIO, on_read: Callable[[int], object] = int) -> None:
        self._file = file
        self._on_read = on_read
        self.fault: OSError | None = None

    def read(self, size: int) -> bytes:
        with self._watched():
            content = self._file.read(size)
        self._on_read(len(content))
        return content

    def write(self, content: bytes) -> int:
        with self._watched():
            return self._file.write(content)

    def flush(self) -> None:
        with self._watched():
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._watched():
            self._file.close()

    @contextmanager
    def _watched(self) -> Generator[None]:
        try:
            yield
        except OSError as fault:
            self.fault = fault
            raise


@contextmanager
def _piped(work: Callable[[_Watched], None], file: _Watched, *, out: bool) -> Generator[BinaryIO]:
    """Run work on one end of a pipe in a thread, and give the other.

    Args:
        file: What else it works on.
        out: What we write the work reads; else the other way round.
    """
    read, write = os.pipe()
    theirs, ours = (read, write) if out else (write, read)
    faults: list[BaseException] = []

    def run() -> None:
        pipe = _Watched(os.fdopen(theirs, "rb" if out else "wb", buffering=BUFFER))
        try:
            with pipe:
                work(pipe)
        except BaseException as fault:
            faults.append(file.fault or pipe.fault or Unopened(str(fault)))

    thread = threading.Thread(target=run, name="parvis-backup", daemon=True)
    thread.start()
    stream = os.fdopen(ours, "wb" if out else "rb", buffering=BUFFER)
    try:
        yield stream
    except BrokenPipeError:
        _end(stream, thread)  # the work ended first; it knows why
    except BackupDamaged as damaged:
        _end(stream, thread)
        # What was read made no sense, perhaps since the layer below has ended.
        if faults and not isinstance(faults[0], BrokenPipeError):
            raise faults[0] from damaged
        raise
    except BaseException:
        # Nobody must take what is there for the end of it.
        _end(stream, thread)
        raise
    else:
        _end(stream, thread)
    if faults and (out or not isinstance(faults[0], BrokenPipeError)):
        raise faults[0]


def _end(stream: BinaryIO, thread: threading.Thread) -> None:
    with contextlib.suppress(BrokenPipeError):
        stream.close()
    thread.join()


def _remove_abandoned(folder: Path) -> None:
    """Delete what killed processes have left half written."""
    for unfinished in folder.glob(f"*{SUFFIX}{PART}"):
        with contextlib.suppress(FileNotFoundError, BlockingIOError), unfinished.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unfinished.unlink()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
