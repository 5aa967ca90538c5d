"""Opens the store that a URL names, and the blobs beside it."""

from pathlib import Path
from urllib.parse import unquote

from parvis.storage.accounts import Accounts
from parvis.storage.api import Store
from parvis.storage.archive import Archive
from parvis.storage.blob_folder import BlobFolder
from parvis.storage.blobs import Blobs
from parvis.storage.errors import StorageError
from parvis.storage.memory import MemoryBlobs, open_memory
from parvis.storage.sqlite import SqliteArchive, open_sqlite

_EXPECTED = "sqlite:///DIR or memory:"


def open_store(url: str) -> tuple[Store, Accounts]:
    """Return the store and the accounts behind a URL; closing the store closes both.

    Args:
        url: ``sqlite:///DIR``, where DIR is relative to the working directory and an absolute one
            has a fourth slash (``sqlite:////var/lib/parvis``), or ``memory:``, which keeps
            everything until the process ends.

    Raises:
        StorageError: If there is no such kind of store, or it cannot be opened.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "memory" and not rest:
        return open_memory()
    if scheme == "sqlite":
        return open_sqlite(_folder(url, rest))
    if scheme in ("postgres", "postgresql"):
        raise StorageError(
            "this version of Parvis has no PostgreSQL store",
            hint=f"Expected {_EXPECTED}.",
        )
    raise StorageError(f"store URL {url!r} is of no known kind", hint=f"Expected {_EXPECTED}.")


def open_archive(url: str) -> Archive:
    """Return what reads the store behind a URL whole, also while a node serves it, or fills it.

    Args:
        url: As in `open_store`, of a store that outlives its process.

    Raises:
        StorageError: If there is no such kind of store, or it cannot be opened.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite":
        return SqliteArchive(_folder(url, rest))
    raise StorageError(
        f"store URL {url!r} is of no kind that can be archived", hint="Expected sqlite:///DIR."
    )


def open_blobs(url: str, data: Path) -> Blobs:
    """Return the blobs that go with the store behind a URL.

    Args:
        url: As in `open_store`.
        data: The data folder, which exists; they are in its folder ``blobs``, unless the store
            keeps everything in memory.

    Raises:
        StorageError: If the folder cannot be read.
    """
    if url == "memory:":
        return MemoryBlobs()
    try:
        return BlobFolder(data / "blobs")
    except OSError as error:
        raise StorageError(f"{data / 'blobs'} cannot be used: {error}") from error


def _folder(url: str, rest: str) -> Path:
    if not rest.startswith("///") or not rest[3:]:
        raise StorageError(
            f"store URL {url!r} names no folder; expected sqlite:///DIR",
            hint="An absolute folder has four slashes: sqlite:////var/lib/parvis.",
        )
    return Path(unquote(rest[3:]))
