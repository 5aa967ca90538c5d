"""Stores' URLs as they may be shown: without the password."""

from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

HIDDEN = "…"


def redacted(url: str) -> str:
    """Return a URL with its password hidden, wherever it stands in it."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("postgres", "postgresql"):
            return url
        user, at, host = parts.netloc.rpartition("@")
        name, colon, _ = user.partition(":")
        netloc = f"{name}{colon}{HIDDEN if colon else ''}{at}{host}"
        asked = "&".join(
            f"{quote(key)}={HIDDEN if 'password' in key.lower() else quote(value)}"
            for key, value in parse_qsl(parts.query, keep_blank_values=True)
        )
        return urlunsplit((parts.scheme, netloc, parts.path, asked, parts.fragment))
    except ValueError:
        return f"{url.partition(':')[0]}:{HIDDEN}"
