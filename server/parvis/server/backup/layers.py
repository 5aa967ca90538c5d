"""What is inside of a backup: a tar archive, so that common tools open it when Parvis is gone.

::

    parvis-backup.json                      what this is: format, id, moment
    tenants/<tenant>/layout.json            the tables of a tenant
    tenants/<tenant>/<table>/000001.msgpack.gz   rows, one MessagePack array each
    tenants/<tenant>/sums.json              checksums of its tables and rooms
    accounts/…                              the same for the accounts
    blobs/<tenant>/<sha256>                 files as they are
    manifest.json                           how much there is, and the checksum of all bytes
    manifest.sig                            who says so
"""

import dataclasses
import gzip
import hashlib
import json
import re
import tarfile
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Final, cast

import msgpack

from parvis.storage.archive import Layout, Row, Table
from parvis.storage.sums import packed
from parvis.storage.tenants import safe_name, tenant_of
from parvis.storage.transfer import Sums

from .errors import BackupDamaged, BackupTooNew

FORMAT: Final = 1
HEAD: Final = "parvis-backup.json"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
ACCOUNTS: Final = "accounts"

SEGMENT: Final = 4 * 1024 * 1024
"""Bytes of rows after which a segment ends."""

LARGEST: Final = 512 * 1024 * 1024
"""Bytes that an entry other than a blob may have, unpacked too: more is no backup of ours."""

_SCOPE = r"accounts|tenants/[a-z0-9_%A-F-]+"
_NAME = re.compile(
    rf"(?P<scope>{_SCOPE})/(?:(?P<what>layout|sums)\.json|(?P<table>[^/]+)/\d+\.msgpack\.gz)"
    r"|blobs/(?P<tenant>[a-z0-9_%A-F-]+)/(?P<digest>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Head:
    """The first entry."""

    format: int
    id: str
    created: float
    parvis: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The last entry but one.

    Attributes:
        scopes: Scope → how many rooms and rows it has, and the SHA-256 of its sums.
        blobs: How many there are.
        vanished: Blobs that were deleted while the backup was made.
        bytes: Of all entries before this one.
        sha256: Of all entries before this one, with their names and sizes.
        signer: Public key of the node, in hex.
    """

    format: int
    id: str
    created: float
    parvis: str
    kind: str
    scopes: Mapping[str, Mapping[str, Any]]
    blobs: int
    vanished: int
    entries: int
    bytes: int
    sha256: str
    signer: str


def scope_name(tenant: str | None) -> str:
    """Return where a scope stands in a backup."""
    return ACCOUNTS if tenant is None else f"tenants/{safe_name(tenant)}"


class _Total:
    """Counts entries into the manifest's sum."""

    def __init__(self) -> None:
        self.entries = 0
        self.bytes = 0
        self._hash = hashlib.sha256()

    def begin(self, name: str, size: int) -> None:
        self.entries += 1
        self.bytes += size
        self._hash.update(f"{name}\0{size}\n".encode())

    def add(self, content: bytes) -> None:
        self._hash.update(content)

    def hex(self) -> str:
        return self._hash.hexdigest()


class Packer:
    """Writes entries to a stream."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.total = _Total()
        self._segments: dict[str, int] = {}

    def head(self, head: Head) -> None:
        """Write the first entry."""
        self._json(HEAD, dataclasses.asdict(head))

    def layout(self, scope: str, layout: Layout) -> None:
        """Write what a scope's tables are."""
        self._json(f"{scope}/layout.json", dataclasses.asdict(layout))

    def rows(self, scope: str, table: str, rows: Sequence[Row]) -> None:
        """Write rows as one segment."""
        folder = f"{scope}/{table}"
        self._segments[folder] = number = self._segments.get(folder, 0) + 1
        content = gzip.compress(b"".join(map(packed, rows)), compresslevel=3, mtime=0)
        self._entry(f"{folder}/{number:06}.msgpack.gz", content)

    def sums(self, scope: str, sums: Sums) -> bytes:
        """Write a scope's checksums; return their own."""
        return self._json(f"{scope}/sums.json", dataclasses.asdict(sums))

    def blob(self, tenant: str, digest: str, size: int) -> None:
        """Begin a blob; `piece` follows until all of it is there, then `end_blob`."""
        name = f"blobs/{safe_name(tenant)}/{digest}"
        self._out.write(_header(name, size))
        self.total.begin(name, size)

    def piece(self, content: bytes) -> None:
        """Write some of a blob."""
        self._out.write(content)
        self.total.add(content)

    def end_blob(self, size: int) -> None:
        """Fill a blob of so many bytes up to a whole block."""
        self._out.write(_padding(size))

    def end(self, manifest: bytes, signature: bytes) -> None:
        """Write the last entries, and the end of the archive."""
        for name, content in ((MANIFEST, manifest), (SIGNATURE, signature)):
            self._out.write(_header(name, len(content)) + content + _padding(len(content)))
        self._out.write(bytes(2 * tarfile.BLOCKSIZE))
        self._out.flush()

    def _json(self, name: str, value: object) -> bytes:
        content = json.dumps(value, ensure_ascii=False, indent=1).encode()
        self._entry(name, content)
        return hashlib.sha256(content).digest()

    def _entry(self, name: str, content: bytes) -> None:
        self._out.write(_header(name, len(content)) + content + _padding(len(content)))
        self.total.begin(name, len(content))
        self.total.add(content)


@dataclass(frozen=True, slots=True)
class Begun:
    """A scope begins."""

    tenant: str | None
    layout: Layout


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of the scope."""

    table: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Ended:
    """A scope ends."""

    tenant: str | None
    sums: Sums
    digest: bytes


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob; `pieces` are to be read before the next event."""

    tenant: str
    digest: str
    size: int
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class End:
    """All was read, and its bytes are those that the manifest tells of."""

    manifest: Manifest
    content: bytes
    signature: bytes


Event = Head | Begun | Rows | Ended | Blob | End


def unpack(stream: BinaryIO) -> Generator[Event]:
    """Read a backup's content from its beginning to its end.

    Raises:
        BackupTooNew: If it is of a later format.
        BackupDamaged: If it is not what was written.
    """
    total = _Total()
    manifest = b""
    try:
        with tarfile.open(mode="r|", fileobj=stream) as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is None:
                    raise BackupDamaged(f"{member.name!r:.80} is no file")
                if member.name == SIGNATURE:
                    yield _end(manifest, _small(member, content), total)
                    _to_the_end(stream)
                    return
                if member.name == MANIFEST:
                    manifest = _small(member, content)
                    continue
                if manifest:
                    raise BackupDamaged("something follows the manifest")
                total.begin(member.name, member.size)
                if total.entries == 1:
                    yield _head(member, _counted(member, content, total))
                else:
                    yield _event(member, content, total)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BackupDamaged(f"it is cut short, or was changed: {error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BackupDamaged(f"it does not hold what it should: {error}") from error
    raise BackupDamaged("it ends before its manifest")


def _head(member: tarfile.TarInfo, content: bytes) -> Head:
    if member.name != HEAD:
        raise BackupDamaged("it is no backup of Parvis")
    values = json.loads(content)
    if values["format"] > FORMAT:
        raise BackupTooNew(
            f"the backup has format {values['format']}, made by Parvis {values.get('parvis')},"
            f" and this version of Parvis reads {FORMAT}",
            "Install the version of Parvis that has made it, or a later one.",
        )
    return Head(**{field.name: values[field.name] for field in dataclasses.fields(Head)})


def _event(member: tarfile.TarInfo, content: IO[bytes], total: _Total) -> Event:
    found = _NAME.fullmatch(member.name)
    if found is None:
        raise BackupDamaged(f"nobody knows what {member.name!r:.80} is")
    if found["digest"]:
        return Blob(
            _tenant(found["tenant"]),
            found["digest"],
            member.size,
            _pieces(content, member.size, total),
        )
    small = _counted(member, content, total)
    if found["table"]:
        return Rows(found["table"], _unpacked(small))
    tenant = None if found["scope"] == ACCOUNTS else _tenant(found["scope"].partition("/")[2])
    values = json.loads(small)
    if found["what"] == "layout":
        tables = tuple(
            Table(each["name"], tuple(each["columns"]), tuple(each["key"]))
            for each in values["tables"]
        )
        layout = Layout(values["kind"], values["schema"], values["plugins"], tables)
        return Begun(tenant, layout)
    sums = Sums(
        {name: (rows, digest) for name, (rows, digest) in values["tables"].items()},
        values["rooms"],
    )
    return Ended(tenant, sums, hashlib.sha256(small).digest())


def _end(manifest: bytes, signature: bytes, total: _Total) -> End:
    values = json.loads(manifest)
    read = Manifest(**{field.name: values[field.name] for field in dataclasses.fields(Manifest)})
    if (read.entries, read.bytes, read.sha256) != (total.entries, total.bytes, total.hex()):
        raise BackupDamaged("its content is not what its manifest tells of")
    return End(read, manifest, signature)


def _to_the_end(stream: BinaryIO) -> None:
    """Read what follows, which is nothing: so the layer below sees its own end, too."""
    while piece := stream.read(64 * 1024):
        if piece.strip(b"\0"):
            raise BackupDamaged("something follows the end")


def _small(member: tarfile.TarInfo, content: IO[bytes]) -> bytes:
    if member.size > LARGEST:
        raise BackupDamaged(f"{member.name!r:.80} has {member.size} bytes")
    return content.read()


def _counted(member: tarfile.TarInfo, content: IO[bytes], total: _Total) -> bytes:
    small = _small(member, content)
    total.add(small)
    return small


def _pieces(content: IO[bytes], size: int, total: _Total) -> Generator[bytes]:
    while size > 0:
        try:
            piece = content.read(min(size, 256 * 1024))
        except tarfile.TarError as error:
            raise BackupDamaged(f"it is cut short, or was changed: {error}") from error
        if not piece:
            raise BackupDamaged("a file in it ends too early")
        size -= len(piece)
        total.add(piece)
        yield piece


def _unpacked(content: bytes) -> list[Row]:
    inflated = zlib.decompressobj(wbits=31)
    rows = inflated.decompress(content, LARGEST)
    if not inflated.eof:
        raise BackupDamaged("a segment of rows is cut short, or too large")
    unpacker = msgpack.Unpacker(max_buffer_size=LARGEST)
    unpacker.feed(rows)
    found = [tuple(cast("list[Any]", row)) for row in unpacker]
    if unpacker.tell() != len(rows):
        raise BackupDamaged("a segment of rows ends inside of one")
    return found


def _tenant(name: str) -> str:
    tenant = tenant_of(name)
    if tenant is None:
        raise BackupDamaged(f"{name!r:.80} is no tenant")
    return tenant


def _header(name: str, size: int) -> bytes:
    about = tarfile.TarInfo(name)
    about.size = size
    about.mode = 0o600
    return about.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)
