"""Request bodies: JSON objects read into frozen dataclasses, which also describe them."""

import asyncio
import dataclasses
import json
import typing
from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

from aiohttp import web

from ..settings.filling import Problem, alternatives, collect
from .faults import Fault
from .parting import seconds_for

T = TypeVar("T")

MAX_BODY: Final = 64 * 1024

JSON_TYPES: Final[Mapping[Any, Mapping[str, Any]]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
}


async def read(request: web.Request, kind: type[T]) -> T:
    """Return the body of a request as a dataclass.

    Raises:
        Fault: 415 if it is not JSON, 400 if it is not what `kind` says, 408 if it takes too long.
        web.HTTPRequestEntityTooLarge: Above the application's ``client_max_size``.
    """
    require_json(request)
    return parse(await whole(request), kind)


def require_json(request: web.Request) -> None:
    """Raise `Fault` 415 for a body that is not called JSON.

    A form on another site can send neither this type nor, without our leave, this header.
    """
    if request.content_type != "application/json":
        raise Fault(415, "unsupported_media_type", "expected application/json")


def parse(body: bytes, kind: type[T]) -> T:
    """Return JSON as a dataclass. Raises `Fault` 400 if it is not what `kind` says."""
    try:
        values: object = json.loads(body)
    except (ValueError, RecursionError):
        raise Fault(400, "malformed", "the body is not JSON") from None
    if not isinstance(values, dict):
        raise Fault(400, "malformed", "expected a JSON object")
    read = cast("dict[str, object]", values)
    given = cast("dict[str, object]", _mended(read)) if b"\\u" in body else read
    problems = [
        Problem(f"body.{name}", "is missing") for name in required(kind) if name not in given
    ]
    made = collect(kind, given, "body", problems)
    if made is None or problems:
        raise Fault(400, "malformed", "; ".join(map(str, problems)))
    return made


def _mended(value: object) -> object:
    """Return JSON with U+FFFD for each half of a character that stands alone.

    JavaScript cuts texts inside of an emoji; no database takes the halves, and pycrdt panics.
    """
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(each) for each in cast("list[object]", value)]
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        return {cast(str, _mended(name)): _mended(each) for name, each in items}
    return value


async def whole(request: web.Request, *, most: int = MAX_BODY) -> bytes:
    """Return the body of a request.

    Raises:
        Fault: 408 if it does not come within the time that one so large may take.
        web.HTTPRequestEntityTooLarge: Above `most` bytes.
    """
    if most != MAX_BODY:
        request = request.clone(client_max_size=most)
    if (request.content_length or 0) > most:
        raise web.HTTPRequestEntityTooLarge(most)
    patience = seconds_for(max(0, most - MAX_BODY))
    try:
        async with asyncio.timeout(patience):
            return await request.read()
    except TimeoutError:
        raise Fault(408, "too_slow", f"the body took more than {patience:g} seconds") from None


def required(kind: type[Any]) -> list[str]:
    """Name the fields without default."""
    return [
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]


def schema(kind: type[Any]) -> dict[str, Any]:
    """Return the JSON schema of a body."""
    hints = typing.get_type_hints(kind)
    properties = {
        field.name: _schema_of(hints[field.name])
        | ({"description": field.metadata["meaning"]} if "meaning" in field.metadata else {})
        for field in dataclasses.fields(kind)
    }
    return {
        "type": "object",
        "properties": properties,
        "required": required(kind),
        "additionalProperties": False,
    }


def _schema_of(hint: Any) -> dict[str, Any]:
    options = alternatives(hint)
    if options:
        return {
            "anyOf": [
                {"type": "null"} if option is type(None) else _schema_of(option)
                for option in options
            ]
        }
    if typing.get_origin(hint) is typing.Literal:
        return {"enum": list(typing.get_args(hint))}
    if typing.get_origin(hint) is tuple:
        return {"type": "array", "items": {"type": "string"}}
    return dict(JSON_TYPES[hint])
