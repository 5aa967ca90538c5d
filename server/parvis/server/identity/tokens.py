"""Tokens that Parvis signs itself: access tokens and room tokens (ES256).

Both are signed with one key. ``typ`` and ``aud`` keep them apart: a room token, which may stand in
an address, is never taken for an access token.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from parvis.plugins import Caller, Grant
from parvis.storage.accounts import Accounts, User

from ..ports import Clock, Random
from .claims import Claims, look, verify
from .errors import Unauthenticated
from .people import COLORS
from .proof import Identified, Proof

ISSUER: Final = "parvis"
ALGORITHM: Final = "ES256"
KEY_NAME: Final = "token-key"
"""Under this name the store keeps the private key, as PKCS #8 in DER."""


@dataclass(frozen=True, slots=True)
class TokenKind:
    """What tells one kind of token from another."""

    typ: str
    audience: str


ACCESS: Final = TokenKind("at+jwt", "parvis:access")
ROOM: Final = TokenKind("room+jwt", "parvis:room")


@dataclass(frozen=True, slots=True)
class Signed:
    """A fresh token.

    Attributes:
        id: By which it can be revoked.
        expires: Seconds since 1970.
    """

    token: str
    id: str
    expires: float


async def open_tokens(accounts: Accounts, clock: Clock, random: Random) -> "Tokens":
    """Return the tokens of this installation; its key is made on the first start."""
    fresh = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    kept = await accounts.secret(KEY_NAME, fresh=fresh)
    key = serialization.load_der_private_key(kept, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"the secret {KEY_NAME!r} in the store is not a P-256 key")
    return Tokens(key, clock, random)


class Tokens:
    """Signs and reads Parvis' own tokens."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, clock: Clock, random: Random) -> None:
        self._key = key
        self._public = key.public_key()
        self._clock = clock
        self._random = random
        point = self._public.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        self.kid: Final = hashlib.sha256(point).hexdigest()[:16]

    def access(self, user: User, *, seconds: float) -> Signed:
        """Sign an access token: the user, for a while, until the account's epoch moves on."""
        return self._sign(
            ACCESS,
            f"at-{self._random.bytes(16).hex()}",
            seconds,
            {"sub": user.id, "tid": user.tenant, "epoch": user.epoch},
        )

    def room(
        self,
        user: User,
        *,
        rooms: tuple[str, ...],
        capabilities: tuple[str, ...],
        seconds: float,
        guest: str | None = None,
    ) -> Signed:
        """Sign a room token in the name of a user.

        Args:
            user: Whose right it rests on; void once the account's epoch moves on.
            rooms: Patterns of `Grant.rooms`.
            capabilities: In each of them.
            seconds: How long it lasts.
            guest: Name of the person it is for, if that is not the user.
        """
        # The id says who minted it, so that they, too, may revoke it.
        id = f"rt-{user.id}-{self._random.bytes(12).hex()}"
        who: dict[str, object] = {"sub": user.id, "name": user.name, "color": user.color}
        if guest is not None:
            color = COLORS[self._random.below(len(COLORS))]
            who = {"sub": f"guest-{self._random.bytes(8).hex()}", "name": guest, "color": color}
        return self._sign(
            ROOM,
            id,
            seconds,
            who
            | {
                "by": user.id,
                "tid": user.tenant,
                "epoch": user.epoch,
                "rooms": list(rooms),
                "capabilities": sorted(capabilities),
            },
        )

    def is_ours(self, token: str) -> bool:
        """Tell whether a token says that Parvis signed it; `read_…` finds out if that is so."""
        return look(token).kid == self.kid

    def read_access(self, token: str) -> tuple[Proof, float]:
        """Return the account's proof and the expiry. Raises `Unauthenticated`."""
        claims, expires = self._read(token, ACCESS)
        proof = Proof("access", claims.text("jti"), claims.text("sub"), claims.number("epoch"))
        return proof, expires

    def read_room(self, token: str) -> Identified:
        """Return who a room token speaks for. Raises `Unauthenticated`."""
        claims, expires = self._read(token, ROOM)
        grants: tuple[Grant, ...] = claims.grants()
        user, by = claims.text("sub"), claims.text("by")
        caller = Caller(
            tenant=claims.text("tid"),
            user=user,
            name=claims.text("name", ""),
            color=claims.color(),
            grants=grants,
            host="" if user == by else by,
        )
        proof = Proof("room", claims.text("jti"), by, claims.number("epoch"))
        return Identified(caller, expires, proof)

    def _sign(self, kind: TokenKind, id: str, seconds: float, claims: dict[str, object]) -> Signed:
        now = self._clock.time()
        payload: dict[str, Any] = claims | {
            "iss": ISSUER,
            "aud": kind.audience,
            "jti": id,
            "iat": int(now),
            "exp": int(now + seconds),
        }
        headers = {"typ": kind.typ, "kid": self.kid}
        token = jwt.encode(payload, self._key, algorithm=ALGORITHM, headers=headers)
        return Signed(token, id, payload["exp"])

    def _read(self, token: str, kind: TokenKind) -> tuple[Claims, float]:
        if look(token).typ != kind.typ:
            raise Unauthenticated(f"expected a token of type {kind.typ}")
        claims = Claims(verify(token, self._public, ALGORITHM))
        now = self._clock.time()  # by the same clock that it was signed by
        expires = claims.expect(issuer=ISSUER, audience=kind.audience, now=now, leeway=0)
        return claims, expires
