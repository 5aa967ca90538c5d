"""The past of documents over HTTP: the questions of `parvis.server.history.asking`."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from parvis.plugins import Answer
from parvis.protocol import RoomName
from parvis.protocol.messages import Value

from ..settings import setting
from .contract import Api, Call
from .faults import Fault
from .names import find
from .parting import send

MOMENT: Mapping[str, str] = {
    "offset": "After this place in the log.",
    "time": "Or at this time, in seconds since 1970.",
    "version": "Or the moment of this version.",
}
"""How a request says which moment it means."""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A moment that gets a name."""

    name: str
    offset: int | None = setting(None, "Of the moment; left away: the present one.")
    time: float | None = setting(None, "Or its time, in seconds since 1970.")
    id: str | None = setting(None, "1 to 64 letters, digits, - and _; left away: a new one.")


@dataclass(frozen=True, slots=True)
class NewName:
    """Another name for a version."""

    name: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Where to go back to: one of these."""

    offset: int | None = setting(None, MOMENT["offset"])
    time: float | None = setting(None, MOMENT["time"])
    version: str | None = setting(None, MOMENT["version"])


@dataclass(frozen=True, slots=True)
class Period:
    """Whose changes are taken back: offsets or times, both ends included."""

    author: str
    first: int | None = setting(None, "The first offset.")
    last: int | None = setting(None, "The last one.")
    start: float | None = setting(None, "Or the first second since 1970.")
    end: float | None = setting(None, "And the last one.")


async def list_history(api: Api, call: Call) -> web.Response:
    """Say who wrote when, newest first."""
    body = _query(call, {"before": int, "limit": int, "pause": float})
    return web.json_response((await _ask(api, call, "timeline", body)).body)


async def show_state(api: Api, call: Call) -> web.Response:
    """Return a document as it was, as a Yjs update; the offset stands in a header."""
    answer = await _ask(api, call, "at", _query(call, _MOMENT))
    found: Any = answer.body
    headers = {"Parvis-Offset": str(found["offset"]), "Cache-Control": "private, no-store"}
    response = web.Response(
        body=found["state"], content_type="application/octet-stream", headers=headers
    )
    await send(call.request, response)
    return response


async def show_blame(api: Api, call: Call) -> web.Response:
    """Say who wrote which range."""
    body = _query(call, {**_MOMENT, "root": str, "pause": float})
    return web.json_response((await _ask(api, call, "blame", body)).body)


async def list_versions(api: Api, call: Call) -> web.Response:
    """List named versions, newest moment first."""
    return web.json_response((await _ask(api, call, "versions", None)).body)


async def add_version(api: Api, call: Call) -> web.Response:
    """Name a moment."""
    answer = await _ask(api, call, "version.add", asdict(call.body))
    return web.json_response(answer.body, status=201)


async def rename_version(api: Api, call: Call) -> web.Response:
    """Give a version another name."""
    body = {"id": call.request.match_info["id"], **asdict(call.body)}
    await _ask(api, call, "version.rename", body)
    return web.Response(status=204)


async def delete_version(api: Api, call: Call) -> web.Response:
    """Forget a version."""
    await _ask(api, call, "version.delete", {"id": call.request.match_info["id"]})
    return web.Response(status=204)


async def restore(api: Api, call: Call) -> web.Response:
    """Go back to an earlier state by one more change."""
    return web.json_response((await _ask(api, call, "restore", asdict(call.body))).body)


async def rollback(api: Api, call: Call) -> web.Response:
    """Take back what one author did in a period."""
    return web.json_response((await _ask(api, call, "rollback", asdict(call.body))).body)


_MOMENT: Mapping[str, type] = {"offset": int, "time": float, "version": str}


async def _ask(api: Api, call: Call, question: str, body: Value) -> Answer:
    return await api.ask(call.who.caller, _name(api, call), question, body)


def _name(api: Api, call: Call) -> RoomName:
    path = call.request.match_info
    return find(api, f"{path['type']}/{path['key']}")[1]


def _query(call: Call, kinds: Mapping[str, type]) -> dict[str, Value]:
    """Return what stands in the query, read as what it is. Raises `Fault` 400."""
    found: dict[str, Value] = {}
    for name, kind in kinds.items():
        given = call.request.query.get(name)
        if given is None:
            continue
        try:
            value = kind(given) if len(given) <= 1000 else None
        except ValueError:
            value = None
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            expected = "a whole number" if kind is int else "a number"
            raise Fault(400, "malformed", f"expected {name} to be {expected}")
        found[name] = value
    return found
