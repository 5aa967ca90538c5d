"""Tenants' names as names of files and folders."""

import re

from parvis.storage.errors import StorageError

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")
_SAFE = re.compile("(?:[a-z0-9_-]|%[0-9A-F]{2})+")
_LONGEST = 240


def safe_name(tenant: str) -> str:
    """Spell a tenant's name in letters that are distinct in every file system.

    Capitals and everything but ``a-z 0-9 - _`` become ``%XX``: ``Acme`` and ``acme`` must not
    meet in one file where case is ignored, nor two Unicode spellings where those are folded.
    """
    raw = tenant.encode("utf-8", "surrogatepass")
    safe = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in raw)
    if not 0 < len(safe) <= _LONGEST:
        raise StorageError(
            f"a tenant's name of {len(raw)} bytes; expected 1 to {_LONGEST // 3} bytes of UTF-8"
        )
    return safe


def tenant_of(name: str) -> str | None:
    """Return the tenant whose safe name this is.

    None if it is nobody's, like that of a copy ``acme (1).db`` that somebody laid beside the files.
    """
    if not _SAFE.fullmatch(name):
        return None
    raw = re.sub(rb"%([0-9A-F]{2})", lambda match: bytes.fromhex(match[1].decode()), name.encode())
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
