"""Which pages may use a browser's cookie: those of this node only, by exact Origin.

A browser sends the cookie with every websocket to this node, whichever page opens it, and says in
Origin which page that is. A proof that a page must know by itself (a ticket, a token) is good from
anywhere.
"""

from urllib.parse import urlsplit

from .errors import Unauthenticated

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def origin_of(url: str) -> str:
    """Return the origin of a URL as a browser writes it; empty if it has none."""
    parts = urlsplit(url)
    if not parts.scheme or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    try:
        port = parts.port
    except ValueError:
        return ""
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != usual else "")


def is_loopback(origin: str) -> bool:
    """Tell whether an origin is a page on this machine."""
    try:
        return urlsplit(origin).hostname in LOOPBACK
    except ValueError:
        return False


class Origins:
    """The origins of this node's own pages."""

    def __init__(self, public_url: str) -> None:
        self._public = origin_of(public_url)

    def own(self, origin: str | None, here: str) -> bool:
        """Tell whether a page is our own.

        Args:
            origin: The Origin header; None if there was none.
            here: Scheme and host that the request itself was sent to, e.g. ``http://host:8000``.
        """
        return bool(origin) and origin in (self._public, origin_of(here))

    def require(self, origin: str | None, here: str) -> None:
        """Return if a page is our own; raise `Unauthenticated` otherwise."""
        if not self.own(origin, here):
            shown = "no origin" if origin is None else f"the origin {origin[:100]!r}"
            raise Unauthenticated(f"a cookie counts only from our own pages, this has {shown}")
