"""What a document says to people: its roots, as plain text or JSON. Tasks of helper processes."""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

Step = Callable[[int], None]
"""How a task tells how far it has come; see `parvis.server.firewall.tasks`."""

KINDS: Final[Mapping[str, type[Any]]] = {
    "map": Map,
    "text": Text,
    "array": Array,
    "xml": XmlFragment,
}


def roots(step: Step, update: bytes) -> dict[str, str]:
    """Name the root types: ``map``, ``array``, ``text`` or ``xml``.

    Updates do not carry what an application declared a root to be, so this tells it from the
    contents; a root without contents is an ``array``.
    """
    doc = document(update)
    return {name: _kind(doc, name) for name in sorted(doc.keys())}


def text(step: Step, update: bytes, root: str) -> str:
    """Return the plain text of a root, without formats; of a map or an array, all texts in it."""
    doc = document(update)
    if root not in set(doc.keys()):
        return ""
    lines: list[str] = []
    _collect(doc.get(root, type=KINDS[_kind(doc, root)]), lines)
    return "\n".join(lines)


def to_json(step: Step, update: bytes, kinds: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return all roots as JSON values.

    Args:
        update: The state of a document.
        kinds: Root → what it is, where the caller knows better than `roots`.

    Returns:
        Texts and XML as strings, the latter marked up; binary values as MessagePack binaries.
    """
    doc = document(update)
    values: dict[str, Any] = {}
    for name in sorted(doc.keys()):
        kind = (kinds or {}).get(name) or _kind(doc, name)
        values[name] = _value(doc.get(name, type=KINDS[kind]))
    return values


def document(update: bytes) -> Doc[Any]:
    """Return a fresh document in this state."""
    doc: Doc[Any] = Doc()
    doc.apply_update(update)
    return doc


def _kind(doc: Doc[Any], name: str) -> str:
    if len(doc.get(name, type=Map)):
        return "map"
    if str(doc.get(name, type=Text)):
        return "text"
    items = list(doc.get(name, type=Array))
    return "xml" if any(isinstance(item, XmlElement | XmlText) for item in items) else "array"


def _value(value: object) -> Any:
    match value:
        case Map():
            entries = cast("Map[object]", value)
            return {key: _value(entries[key]) for key in sorted(entries.keys())}
        case Array():
            return [_value(item) for item in cast("Array[object]", value)]
        case Text() | XmlFragment() | XmlElement() | XmlText():
            return str(value)
        case Doc():
            return {"guid": value.guid}
        case float() if value.is_integer() and abs(value) < 2**53:
            # JavaScript has one kind of number, and writes such a one without a point.
            return int(value)
        case list():
            return [_value(item) for item in cast("list[object]", value)]
        case dict():
            return {key: _value(item) for key, item in cast("dict[str, object]", value).items()}
        case _:
            return value


def _collect(value: object, lines: list[str]) -> None:
    """Add the texts inside a value, one line for each, in document order."""
    match value:
        case str():
            lines.append(value)
        case Text():
            lines.append(str(value))
        case XmlText():
            lines.append("".join(part for part, _ in value.diff() if isinstance(part, str)))
        case XmlFragment() | XmlElement():
            for child in value.children:
                _collect(child, lines)
        case Map():
            entries = cast("Map[object]", value)
            for key in sorted(entries.keys()):
                _collect(entries[key], lines)
        case Array():
            for item in cast("Array[object]", value):
                _collect(item, lines)
        case list():
            for item in cast("list[object]", value):
                _collect(item, lines)
        case dict():
            for _, item in sorted(cast("dict[str, object]", value).items()):
                _collect(item, lines)
        case _:
            pass
