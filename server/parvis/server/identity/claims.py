"""Reads signed tokens (JWT): the signature first, then each claim, by rules that stand here."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import jwt

from parvis.plugins import Access, Grant

from .errors import Unauthenticated

MAX_TOKEN: Final = 16 * 1024
LEEWAY: Final = 10.0
"""Seconds by which the clock of an application may be off."""

MAX_TEXT: Final = 256
MAX_GRANTS: Final = 100
COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")

Key = Any  # A secret, or one of cryptography's public keys; pyjwt has no name for all of them.


@dataclass(frozen=True, slots=True)
class Shown:
    """What an unverified token says about how to verify it. Nothing else may be taken from it."""

    algorithm: str
    kid: str
    typ: str
    issuer: str


def look(token: str) -> Shown:
    """Read how a token wants to be verified. Raises `Unauthenticated` if it is none."""
    if len(token) > MAX_TOKEN:
        raise Unauthenticated(f"expected a token of at most {MAX_TOKEN} bytes, got {len(token)}")
    try:
        opened = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise Unauthenticated("this is not a token") from error
    header = cast("Mapping[str, object]", opened["header"])
    payload = cast("Mapping[str, object]", opened["payload"])

    def text(source: Mapping[str, object], name: str) -> str:
        value = source.get(name)
        return value if isinstance(value, str) and len(value) <= MAX_TEXT else ""

    return Shown(
        text(header, "alg"), text(header, "kid"), text(header, "typ"), text(payload, "iss")
    )


def verify(token: str, key: Key, algorithm: str) -> Mapping[str, object]:
    """Return the claims of a token whose signature holds.

    Args:
        token: As it came.
        key: Belongs to `algorithm`; never chosen by what the token says of itself.
        algorithm: The only one that is accepted.

    Raises:
        Unauthenticated: If it is forged, or signed in another way.
    """
    # Times are judged by our clock, and audience and issuer more strictly, in `Claims`.
    options: Any = {
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
        "verify_aud": False,
        "enforce_minimum_key_length": True,
    }
    try:
        claims: Any = jwt.decode(token, key, algorithms=[algorithm], options=options)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise Unauthenticated("the token's signature does not hold") from error
    return cast("Mapping[str, object]", claims)


class Claims:
    """The claims of a verified token. Every method raises `Unauthenticated` if one will not do."""

    def __init__(self, claims: Mapping[str, object]) -> None:
        self._claims = claims

    def expect(self, *, issuer: str, audience: str, now: float, leeway: float = LEEWAY) -> float:
        """Check issuer, audience and times; return until when the token holds here.

        Args:
            leeway: Seconds by which the clock of whoever signed may be off.
        """
        if self._claims.get("iss") != issuer:
            raise Unauthenticated("the token is of another issuer")
        if self._claims.get("aud") not in (audience, [audience]):
            raise Unauthenticated(f"the token is for another audience than {audience!r}")
        expires = self.moment("exp")
        if expires is None:
            raise Unauthenticated("the token has no expiry (exp)")
        if now >= expires + leeway:
            raise Unauthenticated("the token has expired", expired=True)
        begins = self.moment("nbf")
        if begins is not None and now < begins - leeway:
            raise Unauthenticated("the token is not valid yet")
        return expires + leeway

    def moment(self, name: str) -> float | None:
        """Return seconds since 1970, or None if the claim is missing."""
        value = self._claims.get(name)
        if value is None:
            return None
        # A comparison, unlike float(), neither overflows nor lets NaN pass.
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e12:
            raise Unauthenticated(f"the token's {name} is no time")
        return float(value)

    def number(self, name: str) -> int:
        value = self._claims.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise Unauthenticated(f"the token's {name} is no whole number")
        return value

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text of printable characters; `default` if the claim is missing."""
        value = self._claims.get(name, default)
        if not isinstance(value, str) or len(value) > MAX_TEXT or not _clean(value):
            raise Unauthenticated(
                f"the token's {name} is not a text of up to {MAX_TEXT} characters"
            )
        if not value and default is None:
            raise Unauthenticated(f"the token's {name} is empty")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._claims.get(name)
        if not isinstance(value, list) or len(cast("list[object]", value)) > MAX_GRANTS:
            raise Unauthenticated(f"the token's {name} is not a list of up to {MAX_GRANTS} texts")
        items = cast("list[object]", value)
        for item in items:
            # Room names are up to 512 bytes and a little.
            if not isinstance(item, str) or not 0 < len(item) <= 600 or not _clean(item):
                raise Unauthenticated(f"the token's {name} is not a list of texts")
        return tuple(cast("list[str]", items))

    def color(self) -> str:
        color = self.text("color", "")
        return color if COLOR.fullmatch(color) else ""

    def grants(self) -> tuple[Grant, ...]:
        """Return what the token grants: its capabilities, in each of its rooms."""
        access = Access.of(self.texts("capabilities"))
        return tuple(Grant(pattern, access) for pattern in self.texts("rooms"))


def narrowed(
    grants: Sequence[Grant], rooms: Sequence[str], capabilities: Sequence[str]
) -> tuple[Grant, ...]:
    """Return what remains of grants when only some rooms and capabilities may be granted.

    Args:
        grants: As a token has them.
        rooms: Patterns like those of `Grant.rooms`.
        capabilities: ``*`` among them means all.
    """
    return tuple(
        Grant(pattern, access)
        for grant in grants
        for allowed in rooms
        if (pattern := _both(grant.rooms, allowed)) is not None
        if (
            access := grant.access
            if "*" in capabilities
            else grant.access & Access.of(capabilities)
        )
    )


def _both(one: str, other: str) -> str | None:
    """Return the pattern of the rooms that two patterns share."""
    for inner, outer in ((one, other), (other, one)):
        prefix_in_name = inner.endswith("*") and not outer.endswith("*")
        if not prefix_in_name and Grant(outer, Access()).covers(inner.removesuffix("*")):
            return inner
    return None


def _clean(text: str) -> bool:
    """Tell whether a text can be shown and sent: no control characters, no lone surrogates."""
    return not any(
        ord(character) < 32 or ord(character) == 127 or 0xD800 <= ord(character) <= 0xDFFF
        for character in text
    )
