"""Room tokens that an application's own backend signs, within what the operator lets it grant.

The token: ``iss`` (the application's issuer), ``aud``, ``sub`` (its user), ``exp``, ``rooms``,
``capabilities``; if it likes also ``name``, ``color``, ``nbf`` and ``jti``. Signed with the shared
secret (HS256) or with a key of the application's key set.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from parvis.plugins import Caller

from ..ports import Clock
from ..settings import AppSettings
from .claims import Claims, Shown, look, narrowed, verify
from .errors import Unauthenticated
from .keysets import KeySet
from .proof import Identified, Proof
from .tokens import ACCESS, ROOM

OWN_TYPES: Final = frozenset({ACCESS.typ, ROOM.typ})


class App:
    """One application."""

    def __init__(self, id: str, settings: AppSettings, clock: Clock) -> None:
        self.id: Final = id
        self.settings: Final = settings
        self.issuer: Final = settings.issuer or id
        self._keys = KeySet(settings.jwks, clock) if settings.jwks else None

    async def verify(self, token: str, shown: Shown) -> Claims:
        """Return the claims of a token signed by this application.

        The header only picks between the secret and the key set; each has its own algorithm, so
        a public key is never taken for a secret.

        Raises:
            Unauthenticated, KeysUnavailable
        """
        if shown.algorithm == "HS256" and self.settings.secret:
            return Claims(verify(token, self.settings.secret, "HS256"))
        if self._keys is not None and shown.algorithm != "HS256":
            key = await self._keys.key(shown.kid)
            return Claims(verify(token, key.key, key.algorithm))
        raise Unauthenticated(f"the application does not sign with {shown.algorithm[:20]!r}")


class Apps:
    """The applications that may sign room tokens."""

    def __init__(self, apps: Mapping[str, AppSettings], clock: Clock) -> None:
        self._clock = clock
        self._apps = {app.issuer: app for app in (App(id, apps[id], clock) for id in sorted(apps))}

    def tenant(self, id: str) -> str | None:
        """Return the tenant whose rooms an application opens; None if it is unknown."""
        return next((app.settings.tenant for app in self._apps.values() if app.id == id), None)

    async def read(self, token: str) -> Identified:
        """Return who a room token speaks for.

        Raises:
            Unauthenticated: If it is not good, or grants nothing that its application may grant.
            KeysUnavailable: If the application's keys cannot be had now.
        """
        shown = look(token)
        app = self._apps.get(shown.issuer)
        if app is None:
            raise Unauthenticated("the token is of no application that is known here")
        if shown.typ in OWN_TYPES:
            raise Unauthenticated("an application's token must not pass for one of Parvis")
        claims = await app.verify(token, shown)
        expires = claims.expect(
            issuer=app.issuer, audience=app.settings.audience, now=self._clock.time()
        )
        settings = app.settings
        grants = narrowed(claims.grants(), settings.rooms, settings.capabilities)
        if not grants:
            raise Unauthenticated(f"the token grants nothing that application {app.id} may grant")
        caller = Caller(
            tenant=settings.tenant,
            user=f"app:{app.id}:{claims.text('sub')}",
            name=claims.text("name", ""),
            color=claims.color(),
            grants=grants,
        )
        id = claims.text("jti", "") or hashlib.sha256(token.encode()).hexdigest()
        return Identified(caller, expires, Proof("app", f"app:{app.id}:{id}"))
