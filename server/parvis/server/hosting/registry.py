"""The installed room types, found by the entry point group ``parvis.room_types``."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from parvis.plugins import Refused, RoomType
from parvis.protocol import ErrorCode, InvalidName, RoomName, parse_name, room_type
from parvis.protocol.names import PART, TYPE

from ..settings import CORE, Problem, RoomSettings, Settings, SettingsInvalid, fill

logger = logging.getLogger(__name__)

GROUP = "parvis.room_types"

AnyType = RoomType[Any]


class Registry:
    """Room types by name, with the core's settings for each."""

    def __init__(self, types: Iterable[AnyType], settings: Settings) -> None:
        self._types = {kind.name: kind for kind in types}
        self._settings = settings

    def __iter__(self) -> Iterator[AnyType]:
        return iter(self._types.values())

    def get(self, name: str) -> AnyType:
        """Return a room type. Raises `Refused` if there is none of that name."""
        if (kind := self._types.get(name)) is None:
            raise Refused(ErrorCode.UNKNOWN_ROOM_TYPE, f"there is no room type {name[:32]!r}")
        return kind

    def parse(self, name: str) -> RoomName:
        """Read a room's name as it came from a client. Raises `Refused`."""
        try:
            return parse_name(name, self.get(room_type(name)).parts)
        except InvalidName as problem:
            raise Refused(ErrorCode.INVALID_NAME, str(problem)) from None

    def settings(self, name: str) -> RoomSettings:
        return self._settings.room(name)


def installed(settings: Settings) -> Registry:
    """Make one instance of each installed room type, with its settings filled in.

    Raises:
        SettingsInvalid: If a type's settings are wrong, or are for a type that is not installed.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    problems: list[Problem] = []
    types: list[AnyType] = []
    for name, point in sorted(found.items()):
        try:
            types.append(_make(name, point, settings.room(name).options))
        except SettingsInvalid as invalid:
            problems += invalid.problems
    for name in sorted(set(settings.rooms) - set(found)):
        known = ", ".join(sorted(found))
        problems.append(Problem(f"rooms.{name}", f"no such room type; installed: {known}"))
    if problems:
        raise SettingsInvalid(problems)
    return Registry(types, settings)


def _make(name: str, point: EntryPoint, options: Mapping[str, object]) -> AnyType:
    found: Any = point.load()
    if not _is_room_type(found):
        raise TypeError(f"entry point {point.value}: expected a RoomType, got {found!r}")
    kind: type[AnyType] = found
    if kind.name != name or not TYPE.fullmatch(name):
        raise TypeError(f"entry point {name} = {point.value}: the type's name is {kind.name!r}")
    for part in kind.parts:
        if not PART.fullmatch(part):
            raise TypeError(f"{point.value}: {part!r} is no name for a part")
    return kind(fill(kind.Settings, options, f"rooms.{name}", beside=CORE))


def _is_room_type(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, RoomType)
