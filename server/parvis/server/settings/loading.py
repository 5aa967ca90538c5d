"""Reads the settings from a file, the environment and a command line, and describes them all."""

import dataclasses
import inspect
import re
import tomllib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from .filling import Problem, SettingsInvalid, Word, collect, describe_type, key_of, unknown
from .sections import (
    NAME,
    AppSettings,
    AuthSettings,
    BackupSettings,
    BlobSettings,
    LogSettings,
    MailSettings,
    RoomSettings,
    ServerSettings,
    Settings,
    StoreSettings,
)

PLAIN: Final[Mapping[str, type[Any]]] = {
    "server": ServerSettings,
    "store": StoreSettings,
    "blobs": BlobSettings,
    "backup": BackupSettings,
    "auth": AuthSettings,
    "mail": MailSettings,
    "log": LogSettings,
}
SECTIONS: Final = (*PLAIN, "rooms")

FLAGS: Final[Mapping[str, tuple[str, str]]] = {
    "host": ("server", "host"),
    "port": ("server", "port"),
    "data": ("server", "data"),
    "public_url": ("server", "public_url"),
    "workers": ("server", "workers"),
    "redis": ("server", "redis"),
    "open": ("server", "open"),
    "store": ("store", "url"),
    "log_level": ("log", "level"),
    "log_format": ("log", "format"),
}
"""Attribute of the parsed command line → section and key."""

CORE: Final = tuple(
    each.name for each in dataclasses.fields(RoomSettings) if each.name != "options"
)
"""Keys of ``[rooms.<type>]`` that the core reads; the others are the room type's own."""

Raw = dict[str, Any]


def load(arguments: object, environ: Mapping[str, str]) -> Settings:
    """Read the settings.

    Args:
        arguments: The parsed command line; attributes named in `FLAGS` and ``config`` count,
            those that are missing or None do not.
        environ: The environment.

    Raises:
        SettingsInvalid: With everything that is wrong, each with key, value and what is accepted.
    """
    problems: list[Problem] = []
    sources: dict[str, str] = {}
    raw = _read_file(getattr(arguments, "config", None) or environ.get("PARVIS_CONFIG"))
    _read_environment(environ, raw, sources, problems)
    for flag, (section, key) in FLAGS.items():
        value = getattr(arguments, flag, None)
        if value is not None:
            given: object = Word(value) if isinstance(value, str) else value
            raw.setdefault(section, {})[key] = given
            sources[f"{section}.{key}"] = f"--{flag.replace('_', '-')}"
    settings = _build(raw, problems)
    if settings is None:
        raise SettingsInvalid(_with_source(problem, sources) for problem in problems)
    return settings


def _with_source(problem: Problem, sources: Mapping[str, str]) -> Problem:
    source = sources.get(problem.key)
    return Problem(problem.key, f"{problem.message} (from {source})") if source else problem


def _read_file(path: str | None) -> Raw:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingsInvalid([Problem(path, f"cannot be read: {reason}")]) from None


def _read_environment(
    environ: Mapping[str, str], raw: Raw, sources: dict[str, str], problems: list[Problem]
) -> None:
    """Merge ``PARVIS_A__B__C=value`` into the raw settings.

    A name without two underscores is none of ours: Kubernetes sets ``PARVIS_PORT`` and the like
    for a service that happens to be called parvis.
    """
    for name, value in sorted(environ.items()):
        if not name.startswith("PARVIS_") or "__" not in name:
            continue
        path = [step.lower() for step in name.removeprefix("PARVIS_").split("__")]
        # Types and applications are spelled with hyphens, which no variable can carry.
        if path[0] == "rooms" and len(path) == 3:
            path[1] = path[1].replace("_", "-")
        if path[:2] == ["auth", "apps"] and len(path) == 4:
            path[2] = path[2].replace("_", "-")
        place: Raw | None = raw
        for step in path[:-1]:
            below: object = None if place is None else place.setdefault(step, {})
            place = cast(Raw, below) if isinstance(below, dict) else None
        if place is None:
            problems.append(Problem(name, "names something below a plain value"))
            continue
        place[path[-1]] = Word(value)
        sources[".".join(path)] = name


def _build(raw: Raw, problems: list[Problem]) -> Settings | None:
    made: dict[str, Any] = {}
    for section, values in raw.items():
        if section not in SECTIONS:
            problems.append(unknown(section, SECTIONS))
        elif not isinstance(values, Mapping):
            problems.append(Problem(section, f"got {values!r:.80}, expected a section"))
        elif section == "rooms":
            made["rooms"] = dict(_rooms(cast(Raw, values), problems))
        else:
            own = dict(cast(Raw, values))
            apps: object = own.pop("apps", None) if section == "auth" else None
            made[section] = collect(PLAIN[section], own, section, problems)
            if made[section] is not None and apps is not None:
                found = dict(_apps(apps, problems))
                made[section] = dataclasses.replace(made[section], apps=found)
    if problems:
        return None
    try:
        return Settings(**made)
    except ValueError as error:
        problems.append(Problem("settings", str(error)))
        return None


def _tables(tables: object, where: str, problems: list[Problem]) -> Iterator[tuple[str, Raw]]:
    if not isinstance(tables, Mapping):
        problems.append(Problem(where, f"got {tables!r:.80}, expected a section"))
        return
    for name, values in cast("Mapping[str, object]", tables).items():
        if not NAME.fullmatch(name):
            problems.append(Problem(f"{where}.{name}", f"expected a name like {NAME.pattern}"))
        elif not isinstance(values, Mapping):
            problems.append(Problem(f"{where}.{name}", f"got {values!r:.80}, expected a section"))
        else:
            yield name, cast(Raw, values)


def _rooms(tables: Raw, problems: list[Problem]) -> Iterator[tuple[str, RoomSettings]]:
    core = set(CORE)
    for name, values in _tables(tables, "rooms", problems):
        mine = {key: value for key, value in values.items() if key in core}
        options = {key: value for key, value in values.items() if key not in core}
        made = collect(RoomSettings, mine, f"rooms.{name}", problems)
        if made is not None:
            yield name, dataclasses.replace(made, options=options)


def _apps(tables: object, problems: list[Problem]) -> Iterator[tuple[str, AppSettings]]:
    issuers: dict[str, str] = {}
    for name, values in _tables(tables, "auth.apps", problems):
        made = collect(AppSettings, values, f"auth.apps.{name}", problems)
        if made is None:
            continue
        issuer = made.issuer or name
        if issuer in issuers:
            said = f"same issuer as auth.apps.{issuers[issuer]}, so nobody can tell who signed"
            problems.append(Problem(f"auth.apps.{name}", said))
        issuers[issuer] = name
        yield name, made


@dataclass(frozen=True, slots=True)
class Described:
    """One line of the table of settings."""

    key: str
    variable: str
    default: str
    accepts: str
    meaning: str


def describe(rooms: Mapping[str, type[Any]] | None = None) -> list[Described]:
    """List every setting, for documentation and for the operator.

    Args:
        rooms: Room type → the dataclass of its own settings.
    """
    own = {f"rooms.{name}": kind for name, kind in sorted((rooms or {}).items())}
    kinds: Mapping[str, type[Any]] = {
        **PLAIN,
        "auth.apps.<id>": AppSettings,
        "rooms.<type>": RoomSettings,
        **own,
    }
    return [
        Described(
            key=f"{where}.{key_of(each)}",
            variable="PARVIS_"
            + f"{where}.{key_of(each)}".replace(".", "__").replace("-", "_").upper(),
            default=_shown(_default(each)),
            accepts=_accepts(kind, each),
            meaning=_meaning(kind, each),
        )
        for where, kind in kinds.items()
        for each in dataclasses.fields(kind)
        if where in own or ("meaning" in each.metadata and not each.metadata.get("hidden"))
    ]


def _default(each: dataclasses.Field[Any]) -> object:
    if each.default is not dataclasses.MISSING:
        return each.default
    made: object = each.default_factory is not dataclasses.MISSING and each.default_factory()
    return made or ""


def _meaning(kind: type[Any], each: dataclasses.Field[Any]) -> str:
    """Return what a setting means; a room type's author says it in the docstring."""
    if "meaning" in each.metadata:
        return str(each.metadata["meaning"])
    lines = inspect.getdoc(kind) or ""
    found = re.search(rf"^    {re.escape(each.name)}: (.+(?:\n {{8,}}.+)*)", lines, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, cast("tuple[object, ...]", value)))
    return str(value)


def _accepts(kind: type[Any], each: dataclasses.Field[Any]) -> str:
    return describe_type(typing.get_type_hints(kind)[each.name], each.metadata)
