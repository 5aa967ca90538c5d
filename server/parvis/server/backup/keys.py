"""Key files: who may open a backup (age's X25519), and who has made it (Ed25519).

A key file is one of the program age, with one comment more::

    # public key: age1…            whom backups are encrypted to
    # signer: 5f0c…                the node that makes them
    AGE-SECRET-KEY-1…              what opens them

Without its last line it is what a node needs to make backups that it cannot open itself.
"""

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyrage
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from parvis.storage import Accounts

from .errors import BackupDamaged, KeyUnusable

SECRET: Final = "backup-signing"
"""Name of the node's secret that its backups are signed with."""

_DOMAIN: Final = b"parvis backup manifest\n"
_LARGEST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Key:
    """What a key file says.

    Attributes:
        recipient: To encrypt to.
        public: The same as text, ``age1…``.
        identity: To decrypt with; None if the file has only public lines.
        signer: In hex, whose backups are believed; empty: anybody's.
    """

    recipient: pyrage.x25519.Recipient
    public: str
    identity: pyrage.x25519.Identity | None
    signer: str = ""


def make_key(path: Path, *, made: str, signer: str) -> Key:
    """Make a key and write its file, for this user only.

    Args:
        made: When, for people.
        signer: Public key of the node, in hex; empty if none is known.

    Raises:
        KeyUnusable: If there is such a file already, or it cannot be written.
    """
    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    lines = [
        f"# Parvis backup key, made {made}.",
        "# Whoever has this file can read the backups; without it nobody can. Keep copies of it,",
        "# and none on the machine that is backed up: that one needs the lines with # only.",
        f"# public key: {public}",
        *([f"# signer: {signer}"] if signer else []),
        str(identity),
    ]
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyUnusable(f"{path} is there already", "Keys are not overwritten.") from None
    except OSError as error:
        raise KeyUnusable(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return Key(identity.to_public(), public, identity, signer)


def read_key(path: Path) -> Key:
    """Read a key file.

    Raises:
        KeyUnusable: If it is none, or if others may read the secret in it.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST).decode("utf-8", "replace")
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    except OSError as error:
        raise KeyUnusable(
            f"the key file {path} cannot be read: {error.strerror}",
            "Name it with --key; parvis backup key makes one.",
        ) from error
    secret = re.search(r"^\s*(AGE-SECRET-KEY-1\w+)\s*$", text, re.MULTILINE)
    public = re.search(r"^(?:#\s*public key:)?\s*(age1\w+)\s*$", text, re.MULTILINE)
    signer = re.search(r"^#\s*signer:\s*([0-9a-f]{64})\s*$", text, re.MULTILINE)
    try:
        identity = pyrage.x25519.Identity.from_str(secret[1]) if secret else None
        if identity is not None:
            recipient = identity.to_public()
        elif public:
            recipient = pyrage.x25519.Recipient.from_str(public[1])
        else:
            raise KeyUnusable(f"{path} holds no key", "Expected a file of parvis backup key.")
    except (pyrage.IdentityError, pyrage.RecipientError) as error:
        raise KeyUnusable(
            f"{path} holds no key that can be used: {error}", "Was it copied whole?"
        ) from None
    if identity is not None and mode & 0o077:
        raise KeyUnusable(f"others may read {path}, mode {mode:o}", f"chmod 600 {path}")
    return Key(recipient, str(recipient), identity, signer[1] if signer else "")


async def sign(accounts: Accounts, manifest_digest: bytes, *, fresh: bytes) -> tuple[str, bytes]:
    """Sign a manifest for the node.

    Args:
        manifest_digest: SHA-256 of the manifest.
        fresh: 32 bytes of chance, the node's secret if it has none yet.

    Returns:
        The node's public key in hex, and the signature.
    """
    secret = Ed25519PrivateKey.from_private_bytes(await accounts.secret(SECRET, fresh=fresh))
    return secret.public_key().public_bytes_raw().hex(), secret.sign(_DOMAIN + manifest_digest)


def check_signature(manifest: bytes, signer: str, signature: bytes) -> None:
    """Raise `BackupDamaged` if a manifest was not signed by who it says."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer))
        key.verify(signature, _DOMAIN + hashlib.sha256(manifest).digest())
    except (ValueError, InvalidSignature):
        raise BackupDamaged("the manifest's signature does not hold") from None
