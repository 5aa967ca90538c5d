"""Opens the store that a URL names, and the blobs beside it."""

from pathlib import Path
from urllib.parse import unquote

from parvis.storage.accounts import Accounts
from parvis.storage.api import Store
from parvis.storage.archive import Archive
from parvis.storage.blob_folder import BlobFolder
from parvis.storage.blob_s3 import BlobsS3
from parvis.storage.blobs import Blobs
from parvis.storage.errors import StorageError
from parvis.storage.inspection import Inspection
from parvis.storage.memory import MemoryBlobs, open_memory
from parvis.storage.s3_place import s3_place
from parvis.storage.sqlite import SqliteArchive, open_sqlite
from parvis.storage.sqlite.inspection import SqliteInspection

_EXPECTED = "sqlite:///DIR, postgresql://USER:PASSWORD@HOST/DATABASE or memory:"


def open_store(url: str) -> tuple[Store, Accounts]:
    """Return the store and the accounts behind a URL; closing the store closes both.

    Args:
        url: ``sqlite:///DIR``, where DIR is relative to the working directory and an absolute one
            has a fourth slash (``sqlite:////var/lib/parvis``); ``postgresql://…``, with the role of
            the node, which keeps the caller waiting for some round trips; or ``memory:``, which
            keeps everything until the process ends.

    Raises:
        StorageError: If there is no such kind of store, or it cannot be opened.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "memory" and not rest:
        return open_memory()
    if scheme == "sqlite":
        return open_sqlite(_folder(url, rest))
    if scheme in ("postgres", "postgresql"):
        from parvis.storage.postgres import open_postgres  # SQLite needs no driver

        return open_postgres(url)
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
    if scheme in ("postgres", "postgresql"):
        from parvis.storage.postgres.archive import PostgresArchive

        return PostgresArchive(url)
    raise StorageError(
        f"a store of the kind {scheme}: cannot be archived",
        hint="Expected sqlite:///DIR or postgresql://USER:PASSWORD@HOST/DATABASE.",
    )


def open_inspection(url: str) -> Inspection:
    """Return what looks at the store behind a URL, also while a node serves it.

    Args:
        url: As in `open_store`, of a store that outlives its process.

    Raises:
        StorageError: If there is no such kind of store.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite":
        return SqliteInspection(_folder(url, rest))
    if scheme in ("postgres", "postgresql"):
        from parvis.storage.postgres.inspection import PostgresInspection

        return PostgresInspection(url)
    raise StorageError(
        f"a store of the kind {scheme}: cannot be looked at from outside",
        hint="Expected sqlite:///DIR or postgresql://USER:PASSWORD@HOST/DATABASE.",
    )


def open_blobs(
    url: str,
    data: Path,
    where: str = "folder",
    *,
    access_key: str = "",
    secret_key: str = "",
    alone: bool = True,
) -> Blobs:
    """Return the blobs that go with the store behind a URL.

    Args:
        url: As in `open_store`; with a store in memory the blobs are there too.
        data: The data folder, which exists.
        where: ``folder``, which is ``blobs`` in the data folder, or a place in S3 as
            `parvis.storage.s3.s3_place` reads it.
        access_key: For S3; empty: found as Amazon's tools find it.
        secret_key: For S3.
        alone: False for one that reads beside the process that owns the data folder.

    Raises:
        StorageError: If the folder cannot be read, or that is no place.
    """
    if url == "memory:":
        return MemoryBlobs()
    if where.startswith("s3:"):
        return BlobsS3(s3_place(where, access_key=access_key, secret_key=secret_key))
    if where != "folder":
        raise StorageError("blobs.url is of no known kind", hint="Expected folder or s3://BUCKET.")
    try:
        return BlobFolder(data / "blobs", alone=alone)
    except OSError as error:
        raise StorageError(f"{data / 'blobs'} cannot be used: {error}") from error


def _folder(url: str, rest: str) -> Path:
    if not rest.startswith("///") or not rest[3:]:
        raise StorageError(
            f"store URL {url!r} names no folder; expected sqlite:///DIR",
            hint="An absolute folder has four slashes: sqlite:////var/lib/parvis.",
        )
    return Path(unquote(rest[3:]))
