"""Public keys of an application (JWKS, RFC 7517): from a file, an https address or the settings."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import aiohttp
import jwt

from ..ports import Clock
from .errors import KeysUnavailable, Unauthenticated

MAX_BYTES: Final = 256 * 1024
MAX_KEYS: Final = 64
TIMEOUT: Final = 5.0
FRESH: Final = 600.0
"""Seconds for which a key set is used without asking again."""
AGAIN: Final = 30.0
"""Seconds between two fetches at least, whatever keys unknown tokens name."""

ALGORITHMS: Final[Mapping[tuple[str, str], str]] = {
    ("RSA", ""): "RS256",
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("EC", "P-521"): "ES512",
    ("OKP", "Ed25519"): "EdDSA",
}
"""Kind of key → the algorithm, unless the key names another of its own family. No secrets (oct)."""

FAMILIES: Final[Mapping[str, frozenset[str]]] = {
    "RSA": frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    "EC": frozenset({"ES256", "ES384", "ES512"}),
    "OKP": frozenset({"EdDSA", "Ed25519"}),
}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key and the one algorithm it is for."""

    kid: str
    algorithm: str
    key: Any  # One of cryptography's public keys; pyjwt has no name for all of them.


def parse_keys(text: str | bytes) -> tuple[PublicKey, ...]:
    """Read a key set; keys that are not for signing, or of no use here, are passed over.

    Raises:
        ValueError: If it is no key set.
    """
    try:
        document: object = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    keys = cast("dict[str, object]", document).get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ValueError('expected {"keys": […]}')
    items = cast("list[object]", keys)[:MAX_KEYS]
    return tuple(key for item in items if (key := _parse_key(item)) is not None)


def _parse_key(item: object) -> PublicKey | None:
    if not isinstance(item, dict):
        return None
    data = cast("dict[str, Any]", item)
    kind, curve = data.get("kty"), data.get("crv", "")
    if data.get("use", "sig") != "sig" or not isinstance(kind, str) or not isinstance(curve, str):
        return None
    algorithm: Any = data.get("alg") or ALGORITHMS.get((kind, curve))
    if algorithm not in FAMILIES.get(kind, frozenset()):
        return None
    public = {name: value for name, value in data.items() if name not in ("d", "p", "q")}
    try:
        key = jwt.PyJWK.from_dict(public, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    kid = data.get("kid", "")
    return PublicKey(kid if isinstance(kid, str) else "", algorithm, key)


class KeySet:
    """The keys of one application, fetched when first needed and again when they may be stale."""

    def __init__(self, source: str, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._keys: tuple[PublicKey, ...] = ()
        self._fetched: float | None = None
        self._tried: float | None = None
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> PublicKey:
        """Return the key with an id; without one, the only key.

        Raises:
            Unauthenticated: If there is no such key.
            KeysUnavailable: If the key set cannot be had.
        """
        async with self._lock:
            found = self._find(kid)
            now = self._clock.monotonic()
            stale = self._fetched is None or now - self._fetched > FRESH
            may_ask = self._tried is None or now - self._tried > AGAIN
            if (found is None or stale) and may_ask:
                self._tried = now
                try:
                    self._keys = parse_keys(await self._read())
                    self._fetched = now
                except (OSError, ValueError, TimeoutError, aiohttp.ClientError) as error:
                    # Keys that were good keep being good while their source is away.
                    if found is None:
                        raise KeysUnavailable(f"cannot read the key set: {error}") from error
                found = self._find(kid)
            if found is None and self._fetched is None:
                raise KeysUnavailable("the key set could not be read a moment ago")
        if found is None:
            raise Unauthenticated("the token names a key that the application does not have")
        return found

    def _find(self, kid: str) -> PublicKey | None:
        if not kid:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.kid == kid), None)

    async def _read(self) -> bytes:
        if self._source.startswith("{"):
            return self._source.encode()
        if not self._source.startswith(("http://", "https://")):
            return await asyncio.to_thread(Path(self._source).read_bytes)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(self._source, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise ValueError(f"{self._source} answered {response.status}")
            body = await response.content.read(MAX_BYTES + 1)
            while len(body) <= MAX_BYTES and (more := await response.content.read(MAX_BYTES)):
                body += more
            if len(body) > MAX_BYTES:
                raise ValueError(f"{self._source} sent more than {MAX_BYTES} bytes")
            return body
