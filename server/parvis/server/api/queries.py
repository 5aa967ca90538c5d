"""What stands after the question mark of an address."""

from aiohttp import web

from .faults import Fault


def number(request: web.Request, name: str, default: int, *, low: int, high: int) -> int:
    """Return a whole number of the query. Raises `Fault` 400 if it is none, or out of bounds."""
    given = request.query.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal() and low <= int(given[:20]) <= high):
        raise Fault(400, "malformed", f"expected {name} from {low} to {high}")
    return int(given)
