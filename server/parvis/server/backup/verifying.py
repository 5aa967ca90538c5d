"""Reads a backup to its end, and holds every byte of it against what it says of itself."""

import hashlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from parvis.storage.transfer import Summing, Sums

from .errors import BackupDamaged, BackupError
from .keys import Key, check_signature
from .layers import Begun, Blob, End, Ended, Event, Head, Manifest, Rows, unpack
from .progress import Progress
from .sealing import opened


@dataclass(frozen=True, slots=True)
class Verified:
    """A backup that is whole.

    Attributes:
        sums: Scope → its checksums; None is the accounts.
        expected: Whether it was known whose signature to expect, and it was that one.
    """

    manifest: Manifest
    sums: Mapping[str | None, Sums]
    expected: bool


@dataclass(slots=True)
class Checking:
    """Checks events as they come by."""

    key: Key
    head: Head | None = None
    manifest: Manifest | None = None
    sums: dict[str | None, Sums] = field(default_factory=dict[str | None, Sums])
    _digests: set[str] = field(default_factory=set[str])
    _summing: Summing | None = None
    _blobs: int = 0

    def see(self, event: Event) -> None:
        """Check one event. Raises `BackupDamaged`."""
        match event:
            case Head():
                self.head = event
            case Begun():
                self._summing = Summing(event.layout)
            case Rows():
                if self._summing is None:
                    raise BackupDamaged("there are rows of no tenant")
                self._summing.add(event.table, event.rows)
            case Ended():
                self._end_scope(event)
            case Blob():
                self._blobs += 1
            case End():
                self._end(event)

    def pieces(self, blob: Blob) -> Generator[bytes]:
        """Yield a blob's pieces, and raise `BackupDamaged` in the end if they are others."""
        digest = hashlib.sha256()
        for piece in blob.pieces:
            digest.update(piece)
            yield piece
        if digest.hexdigest() != blob.digest:
            raise BackupDamaged(f"the file {blob.digest} of {blob.tenant} is another one")

    def verified(self) -> Verified:
        """Return what was found, once all is read."""
        if self.manifest is None:
            raise BackupDamaged("it ends before its manifest")
        return Verified(self.manifest, self.sums, bool(self.key.signer))

    def _end_scope(self, event: Ended) -> None:
        if self._summing is None or event.tenant in self.sums:
            raise BackupDamaged("a tenant ends that has not begun")
        found = self._summing.sums()
        if different := found.differences(event.sums):
            raise BackupDamaged(f"checksums differ: {', '.join(different[:5])}")
        self.sums[event.tenant] = found
        self._digests.add(event.digest.hex())
        self._summing = None

    def _end(self, event: End) -> None:
        manifest = event.manifest
        if {str(scope["sums"]) for scope in manifest.scopes.values()} != self._digests or len(
            manifest.scopes
        ) != len(self.sums):
            raise BackupDamaged("the manifest tells of other tenants")
        if manifest.blobs != self._blobs or self.head is None or manifest.id != self.head.id:
            raise BackupDamaged("the manifest tells of other files")
        check_signature(event.content, manifest.signer, event.signature)
        if self.key.signer and manifest.signer != self.key.signer:
            raise BackupDamaged(
                f"it was made by {manifest.signer}, and the key file names {self.key.signer}",
                "If you trust that one too, take the line 'signer' out of the key file.",
            )
        self.manifest = manifest


def verify(path: Path, key: Key, progress: Progress) -> Verified:
    """Read a backup to its end.

    Raises:
        BackupError: With what is wrong.
    """
    checking = Checking(key)
    begin(path, progress)
    try:
        with opened(path, key, progress.bytes) as stream:
            for event in unpack(stream):
                checking.see(event)
                if isinstance(event, Blob):
                    for _ in checking.pieces(event):
                        pass
    finally:
        progress.end()
    return checking.verified()


def begin(path: Path, progress: Progress) -> None:
    """Begin to read a backup. Raises `BackupError` if there is none."""
    try:
        progress.phase(path.name, path.stat().st_size)
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}") from error
