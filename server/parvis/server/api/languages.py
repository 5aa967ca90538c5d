"""What a browser says its person reads."""

from collections.abc import Collection
from typing import Final

from aiohttp import web

LONGEST: Final = 500
"""Characters of the header that are looked at."""


def preferred(request: web.BaseRequest, known: Collection[str]) -> str:
    """Return the language that a request's person likes best of those known; empty: none.

    By ``Accept-Language`` (RFC 9110 section 12.5.4); ``fr-CA`` is French.
    """
    best, weight = "", 0.0
    for item in request.headers.get("Accept-Language", "")[:LONGEST].split(","):
        tag, _, parameter = item.partition(";")
        language = tag.strip().lower().partition("-")[0]
        try:
            quality = float(parameter.partition("=")[2]) if parameter.strip() else 1.0
        except ValueError:
            continue
        if language in known and quality > weight:
            best, weight = language, quality
    return best
