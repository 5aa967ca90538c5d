"""Fills frozen dataclasses from what a file, the environment or a command line says, type-checked.

Every wrong value and unknown key is collected, so that a start ends with all its problems at once:

    server.port: got 80000, expected a whole number from 0 to 65535 (from PARVIS_SERVER__PORT)
    rooms.plain.creat: unknown key; did you mean rooms.plain.create?
"""

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, TypeVar, Union

from ..errors import ServerError

T = TypeVar("T")

_KEYS: Final = re.compile(r"(?<=//)[^/\s]*(?=@)")
"""Who somebody is to an address, and by which password."""

SIZES: Final[Mapping[str, int]] = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30}
TRUTHS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


class Word(str):
    """A value from the environment or a command line, where everything is text."""

    __slots__ = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the settings."""

    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


class SettingsInvalid(ServerError):
    """The settings cannot be used; `problems` says all that is wrong with them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


def setting(
    default: T,
    meaning: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    check: Callable[[Any], str | None] | None = None,
    secret: bool = False,
    hidden: bool = False,
) -> T:
    """Declare a field of a settings dataclass.

    Args:
        default: What holds if nobody says anything.
        meaning: For the operator.
        unit: ``seconds``, ``bytes`` (which also takes ``8 MiB``) or nothing.
        low: The least accepted number.
        high: The greatest accepted number.
        check: Says what is expected instead, or None if the value will do.
        secret: Its value is never shown.
        hidden: It is not offered: what it asks for does not exist yet, and a start says so.
    """
    about = {
        "meaning": meaning,
        "unit": unit,
        "low": low,
        "high": high,
        "check": check,
        "secret": secret,
        "hidden": hidden,
    }
    # A field stands where its default would: that is how dataclasses are declared.
    return dataclasses.field(default=default, metadata=about, repr=not secret)


def fill(
    kind: type[T], values: Mapping[str, object], where: str, *, beside: Iterable[str] = ()
) -> T:
    """Make a settings dataclass from raw values.

    Fields may be int, float, str, bool, Literal, ``tuple[str, ...]`` and each of them or None.
    Metadata ``low`` and ``high`` bound a number.

    Args:
        kind: A dataclass of the caller's, e.g. ``RoomType.Settings``.
        values: As a file or the environment had them.
        where: Leads every key in a problem, e.g. ``rooms.plain``.
        beside: Keys that stand in the same place and are somebody else's to read.

    Raises:
        SettingsInvalid: With every unknown key and wrong value.
    """
    problems: list[Problem] = []
    made = collect(kind, values, where, problems, beside=beside)
    if made is None:
        raise SettingsInvalid(problems)
    return made


def collect(
    kind: type[T],
    values: Mapping[str, object],
    where: str,
    problems: list[Problem],
    *,
    beside: Iterable[str] = (),
) -> T | None:
    """Like `fill`, but add what is wrong to `problems`; None if there was anything."""
    fields = {
        key_of(field): field for field in dataclasses.fields(typing.cast(Any, kind)) if field.init
    }
    hints = typing.get_type_hints(kind)
    before = len(problems)
    arguments: dict[str, object] = {}
    for key, raw in values.items():
        if key not in fields:
            known = [f"{where}.{name}" for name in (*fields, *beside)]
            problems.append(unknown(f"{where}.{key}", known))
            continue
        name, about = fields[key].name, fields[key].metadata
        try:
            arguments[name] = convert(raw, hints[name], about)
        except ValueError as error:
            # An address may hold a password where it should not.
            shown = "a value" if about.get("secret") else f"{_KEYS.sub('…', repr(raw)):.80}"
            problems.append(Problem(f"{where}.{key}", f"got {shown}, expected {error}"))
    if len(problems) > before:
        return None
    try:
        return kind(**arguments)
    except (TypeError, ValueError) as error:
        problems.append(Problem(where, str(error)))
        return None


def key_of(field: dataclasses.Field[Any]) -> str:
    """Return what a field is called outside: ``from_`` stands for a word that Python keeps."""
    return field.name.removesuffix("_")


def unknown(key: str, known: Iterable[str]) -> Problem:
    """Say that a key is unknown, and which one was probably meant."""
    known = list(known)
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.75)
    if near:
        return Problem(key, f"unknown key; did you mean {near[0]}?")
    names = ", ".join(sorted(name.rpartition(".")[2] for name in known))
    return Problem(key, f"unknown key; expected one of {names}" if names else "unknown key")


def convert(raw: object, hint: Any, about: Mapping[str, Any]) -> object:
    """Return a raw value as its declared type. Raises ValueError saying what was expected."""
    expected = describe_type(hint, about)
    value = _as_type(raw, hint, about)
    if value is _WRONG:
        raise ValueError(expected)
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = about.get("low"), about.get("high")
        if (low is not None and value < low) or (high is not None and value > high):
            raise ValueError(expected)
    check: Callable[[Any], str | None] | None = about.get("check")
    if check is not None and value is not None and (instead := check(value)):
        raise ValueError(instead)
    return value


def describe_type(hint: Any, about: Mapping[str, Any]) -> str:
    """Say in words what a setting accepts, e.g. ``a whole number from 0 to 65535``."""
    options = alternatives(hint)
    if options:
        return " or ".join(describe_type(option, about) for option in options)
    if hint is type(None):
        return "nothing"
    if typing.get_origin(hint) is Literal:
        return "one of " + ", ".join(map(str, typing.get_args(hint)))
    if typing.get_origin(hint) is tuple:
        return "a list of texts"
    if hint is bool:
        return "true or false"
    if hint is str:
        return "a text"
    unit = about.get("unit", "")
    words = {int: "a whole number", float: "a number"}.get(hint, str(hint))
    words = "a size in bytes, or like 8 MiB," if unit == "bytes" else words
    words += f" of {unit}" if unit and unit != "bytes" else ""
    low, high = about.get("low"), about.get("high")
    if low is not None and high is not None:
        return f"{words} from {low:,} to {high:,}".replace(",", "")
    return f"{words} of at least {low}" if low is not None else words.rstrip(",")


class _Wrong:
    """Stands for a value that is not of its type."""


_WRONG: Final = _Wrong()


def alternatives(hint: Any) -> tuple[Any, ...]:
    """Return what a union is of; nothing for any other type."""
    union = typing.get_origin(hint) in (Union, types.UnionType)
    return typing.get_args(hint) if union else ()


def _as_type(raw: object, hint: Any, about: Mapping[str, Any]) -> object:
    options = alternatives(hint)
    if options:
        if raw is None or (isinstance(raw, Word) and not raw and type(None) in options):
            return None if type(None) in options else _WRONG
        values = (_as_type(raw, option, about) for option in options if option is not type(None))
        return next((value for value in values if value is not _WRONG), _WRONG)
    if typing.get_origin(hint) is Literal:
        return next((word for word in typing.get_args(hint) if str(word) == str(raw)), _WRONG)
    if typing.get_origin(hint) is tuple:
        return _texts(raw)
    if hint is bool:
        if isinstance(raw, Word):
            return TRUTHS.get(raw.strip().lower(), _WRONG)
        return raw if isinstance(raw, bool) else _WRONG
    if hint is str:
        return str(raw) if isinstance(raw, str) else _WRONG
    return _number(raw, hint, about.get("unit", ""))


def _texts(raw: object) -> object:
    if isinstance(raw, Word):
        return tuple(text for item in raw.split(",") if (text := item.strip()))
    if not isinstance(raw, list | tuple):
        return _WRONG
    items = typing.cast("list[object]", raw)
    return tuple(map(str, items)) if all(isinstance(item, str) for item in items) else _WRONG


def _number(raw: object, hint: Any, unit: str) -> object:
    if isinstance(raw, str) and unit == "bytes":
        found = re.fullmatch(r"\s*(\d{1,15})\s*([a-z]*)\s*", raw.lower())
        if found is None or found[2] not in SIZES:
            return _WRONG
        return int(found[1]) * SIZES[found[2]]
    if isinstance(raw, Word):
        try:
            raw = int(raw) if hint is int else float(raw)
        except ValueError:
            return _WRONG
    if isinstance(raw, bool):
        return _WRONG
    if hint is int:
        return raw if isinstance(raw, int) else _WRONG
    if hint is float and isinstance(raw, int | float):
        # NaN is unequal to itself and would pass every bound.
        return float(raw) if raw == raw else _WRONG
    return _WRONG
