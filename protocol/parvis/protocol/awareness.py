"""Awareness updates: each client's short-lived state, as JSON that is looked into only on demand.

The server passes most states on without reading them, so decoding leaves the JSON as text; who
needs the object, to stamp an identity on it, calls ``parse_state`` (SPEC.md section 11.2).
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from parvis.protocol import lib0
from parvis.protocol.errors import Malformed, TooDeep, TooLarge
from parvis.protocol.nesting import json_depth

MAX_ENTRIES = 1_000
"""Entries in one awareness update."""

MAX_STATE = 64 * 1024
"""Bytes of one client's state."""

MAX_DEPTH = 32
"""Levels of objects and arrays in a state; the state itself is the first."""

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_BLANK = " \t\n\r"


@dataclass(frozen=True, slots=True)
class AwarenessEntry:
    """One client's state at a clock; ``state`` is JSON, or ``None`` if the client has left."""

    client: int
    clock: int
    state: str | None


def decode_awareness(
    update: bytes, *, max_entries: int = MAX_ENTRIES, max_state: int = MAX_STATE
) -> list[AwarenessEntry]:
    """Read an awareness update's entries in their order; a client may come twice.

    Raises:
        TooLarge: If there are too many entries, or a state has too many bytes.
        Malformed: If the bytes are no awareness update. The states' JSON is not looked into.
    """
    reader = lib0.Reader(update)
    count = reader.var_uint()
    if count > max_entries:
        raise TooLarge(f"at most {max_entries} awareness entries, not {count},", 0)
    entries: list[AwarenessEntry] = []
    for _ in range(count):
        client = reader.var_uint()
        clock = reader.var_uint()
        start = reader.pos
        state = reader.var_string()
        if reader.pos - start > max_state and len(state.encode()) > max_state:
            raise TooLarge(f"a state of at most {max_state} bytes", start)
        gone = state == "null" or state.strip(_BLANK) == "null"
        entries.append(AwarenessEntry(client, clock, None if gone else state))
    if not reader.at_end:
        raise Malformed("the end of the awareness update", reader.pos)
    return entries


def encode_awareness(entries: Collection[AwarenessEntry]) -> bytes:
    """Encode an awareness update."""
    parts = [lib0.var_uint(len(entries))]
    for entry in entries:
        state = "null" if entry.state is None else entry.state
        parts += (lib0.var_uint(entry.client), lib0.var_uint(entry.clock), lib0.var_string(state))
    return b"".join(parts)


def parse_state(state: str, *, max_depth: int = MAX_DEPTH) -> dict[str, Json]:
    """Return a state as an object.

    Raises:
        TooDeep: If objects and arrays are nested too deep.
        Malformed: If it is not JSON (``NaN`` and ``Infinity`` are not), or not an object, or holds
            a number that is too large for one.
    """
    if json_depth(state, max_depth) > max_depth:
        raise TooDeep(f"JSON of at most {max_depth} levels")
    try:
        value: Json = json.loads(state, parse_constant=_no_constant, parse_float=_finite)
    except ValueError as error:  # JSONDecodeError is one; so is an integer of too many digits
        raise Malformed("JSON as an awareness state") from error
    if not isinstance(value, dict):
        raise Malformed("a JSON object as an awareness state")
    return value


def dump_state(state: dict[str, Json]) -> str:
    """Return the shortest JSON for a state, which is valid as UTF-8 whatever the state holds."""
    text = json.dumps(state, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half an emoji, written as an escape, which JSON allows
        return json.dumps(state, separators=(",", ":"), allow_nan=False)
    return text


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(literal: str) -> float:
    value = float(literal)
    if value - value != 0:
        raise ValueError(f"{literal} is no finite number")
    return value
