"""What a request says about who sent it: cookie, token, Origin, address."""

import contextlib
import ipaddress
from collections.abc import Generator
from typing import Final

from aiohttp import web

from parvis.plugins import ErrorCode, Refused
from parvis.storage import StoreUnavailable

from ..identity import Identified, Identity, KeysUnavailable, Unauthenticated
from ..identity.origins import is_loopback
from ..settings import Settings

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate:
    """Identifies the sender of an HTTP request or of a websocket's upgrade."""

    def __init__(self, identity: Identity, settings: Settings) -> None:
        self.identity: Final = identity
        self.secure: Final = settings.server.public_url.startswith("https://")
        # A browser takes a cookie with this prefix only over HTTPS and only from this very host.
        self.cookie_name: Final = "__Host-parvis" if self.secure else "parvis"
        self._public_url = settings.server.public_url.rstrip("/")
        self._cookie_seconds = int(settings.auth.sign_in_days * 86_400)
        self._proxies = tuple(
            ipaddress.ip_network(network, strict=False)
            for network in settings.server.trusted_proxies
        )

    # What stands in a request

    def address(self, request: web.BaseRequest) -> str:
        """Return the network address of the client; a proxy is believed only if it is listed."""
        address = request.remote or ""
        hops = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
        while self._trusted(address) and hops and (hop := hops.pop().strip()):
            address = hop
        return address

    def here(self, request: web.BaseRequest) -> str:
        """Return scheme and host that the client used, e.g. ``https://parvis.example.org``."""
        scheme = request.scheme
        if self._trusted(request.remote or ""):
            forwarded = request.headers.get("X-Forwarded-Proto", "").strip().lower()
            scheme = forwarded if forwarded in ("http", "https") else scheme
        return f"{scheme}://{request.headers.get('Host', '')}"

    def base(self, request: web.BaseRequest) -> str:
        """Return scheme and host for links to this node: its public URL, or what was asked for."""
        return self._public_url or self.here(request)

    def origin(self, request: web.BaseRequest) -> str | None:
        """Return which page made the request; None if it was none."""
        return request.headers.get("Origin")

    def cookie(self, request: web.BaseRequest) -> str | None:
        """Return the secret of the session cookie."""
        return request.cookies.get(self.cookie_name)

    # Who sent it

    async def http(self, request: web.Request) -> Identified:
        """Identify by ``Authorization: Bearer``, an access or room token, or by the cookie.

        Raises:
            Unauthenticated: If that does not hold, or is missing.
        """
        if self.identity.open:
            self._require_own_page(request)
            return self.identity.guest()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self.identity.by_token(token.strip())
        cookie = self.cookie(request)
        if cookie is None:
            raise Unauthenticated("sign in, or send an access token")
        if request.method not in SAFE:
            self.identity.origins.require(self.origin(request), self.here(request))
        return await self.identity.by_cookie(cookie)

    async def stock(self, request: web.BaseRequest, token: str) -> Identified:
        """Identify a stock client by its room token or, if that is empty, by the cookie.

        Raises:
            Unauthenticated: If the proof does not hold.
            Refused: If that cannot be found out now.
        """
        with _not_now():
            return await self.identity.stock(
                token=token,
                cookie=self.cookie(request),
                origin=self.origin(request),
                here=self.here(request),
            )

    async def native(self, request: web.BaseRequest, ticket: str) -> Identified:
        """Identify who says ``hello`` or ``refresh`` on a native websocket; raises as `stock`."""
        with _not_now():
            return await self.identity.native(ticket, self.origin(request))

    def require_own_page(self, request: web.Request) -> None:
        """Refuse a request that another site's page made, also one without a cookie.

        Otherwise that page could sign its visitors in as somebody else.
        """
        origin = self.origin(request)
        if origin is not None:
            self.identity.origins.require(origin, self.here(request))

    # The cookie

    def set_cookie(self, response: web.Response, secret: str) -> None:
        """Give the browser the secret of its sign-in."""
        response.set_cookie(
            self.cookie_name,
            secret,
            max_age=self._cookie_seconds,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=self.secure,
        )

    def clear_cookie(self, response: web.Response) -> None:
        """Take the cookie away."""
        response.del_cookie(
            self.cookie_name, path="/", httponly=True, samesite="Lax", secure=self.secure
        )

    def _require_own_page(self, request: web.Request) -> None:
        # A name that somebody else points at this machine (DNS rebinding) shows in Host.
        origin = self.origin(request)
        if not is_loopback(f"http://{request.headers.get('Host', '')}") or (
            origin is not None and not is_loopback(origin)
        ):
            raise Unauthenticated("an open node takes pages of this machine only")

    def _trusted(self, address: str) -> bool:
        if not self._proxies:
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._proxies)


@contextlib.contextmanager
def _not_now() -> Generator[None]:
    """Turn a passing fault into a refusal that tells a socket to come back."""
    try:
        yield
    except StoreUnavailable as fault:
        raise Refused(ErrorCode.STORE_UNAVAILABLE, "the store does not answer") from fault
    except KeysUnavailable as fault:
        raise Refused(ErrorCode.TRY_AGAIN, "the application's keys cannot be had") from fault
