"""The content schema, read from schema.json, and the check of a document against it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from prosemirror.model import MarkType, NodeType, Schema

from .vocabulary import SPEC

Json: TypeAlias = dict[str, Any]
"""A node of a document as ProseMirror writes it in JSON."""

_VALUES: dict[str, Json] = {n: v for n, v in SPEC["values"].items() if n != "about"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may hold at most.

    Attributes:
        text: Characters in one block of text.
        nesting: Nodes inside each other, the document itself and its texts not counted.
        nodes: Nodes altogether, texts included.
        schemes: Of links, in lower case; links without a scheme are allowed, too.
    """

    text: int
    nesting: int
    nodes: int
    schemes: frozenset[str]


LIMITS = Limits(
    text=SPEC["limits"]["text"],
    nesting=SPEC["limits"]["nesting"],
    nodes=SPEC["limits"]["nodes"],
    schemes=frozenset(SPEC["limits"]["schemes"]),
)


class Invalid(ValueError):
    """A document that does not fit the schema.

    Attributes:
        path: Of the place, e.g. ``content[3].attrs.level``; empty: the document itself.
        reason: What was expected and what came.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


def _build() -> Schema[str, str]:
    def attributes(spec: Json) -> Json:
        return {name: {"default": value} for name, value in spec.get("attrs", {}).items()}

    keys = ("group", "content", "marks", "inline", "atom", "code", "defining", "isolating")
    nodes = {
        name: {k: spec[k] for k in keys if k in spec} | {"attrs": attributes(spec)}
        for name, spec in SPEC["nodes"].items()
    }
    marks = {
        name: {k: spec[k] for k in ("inclusive", "excludes", "code") if k in spec}
        | {"attrs": attributes(spec)}
        for name, spec in SPEC["marks"].items()
    }
    return Schema(cast(Any, {"nodes": nodes, "marks": marks, "topNode": SPEC["top"]}))


SCHEMA = _build()
"""The schema as ProseMirror's; `check` says more clearly than its own check what is wrong."""


def defaults(kind: NodeType | MarkType) -> Mapping[str, Any]:
    """Return the attributes of a kind of node or mark with their default values, in order."""
    return {name: attribute.default for name, attribute in kind.attrs.items()}


def mark_types(schema: Schema[Any, Any] = SCHEMA) -> Mapping[str, MarkType]:
    """Return the kinds of marks by name, in the order in which a text carries them."""
    return cast("Mapping[str, MarkType]", schema.marks)


def node_types(schema: Schema[Any, Any] = SCHEMA) -> Mapping[str, NodeType]:
    """Return the kinds of nodes by name."""
    return cast("Mapping[str, NodeType]", schema.nodes)


def content_of(node: Json) -> list[Json]:
    """Return the children of a node."""
    return node.get("content") or []


def attributes_of(node: Json) -> Json:
    """Return the attributes that a node or a mark has been given."""
    return node.get("attrs") or {}


def marks_of(node: Json) -> list[Json]:
    """Return the marks of a node."""
    return node.get("marks") or []


def check(document: object) -> Json:
    """Return the document if it fits the schema.

    Raises:
        Invalid: At the first place that does not.
    """
    for fault in faults(document):
        raise fault
    return cast(Json, document)


def faults(document: object) -> Iterator[Invalid]:
    """Yield what does not fit the schema, in the order of the text."""
    if not isinstance(document, dict) or cast(Json, document).get("type") != SPEC["top"]:
        yield Invalid("", f"expected a node of type {SPEC['top']!r}")
        return
    yield from _Walk().node(cast(Json, document), "", 0)


class _Walk:
    """One pass over a document, with the count of its nodes."""

    def __init__(self) -> None:
        self.nodes = 0

    def node(self, node: Json, path: str, depth: int) -> Iterator[Invalid]:
        kind = node_types().get(str(node.get("type")))
        if kind is None:
            yield Invalid(path, f"unknown node {node.get('type')!r}")
        else:
            yield from _attributes(node, kind, path)
            yield from _marks(node, path)
        content: object = node.get("content", [])
        if not isinstance(content, list):
            yield Invalid(f"{path}.content".lstrip("."), "expected a list of nodes")
            return
        if content and depth >= LIMITS.nesting and kind is not None and not kind.is_textblock:
            yield Invalid(path, f"nested deeper than {LIMITS.nesting} levels")
            return
        characters = 0
        for index, child in enumerate(cast("list[object]", content)):
            here = f"{path}.content[{index}]".lstrip(".")
            self.nodes += 1
            if self.nodes == LIMITS.nodes + 1:
                yield Invalid(here, f"more than {LIMITS.nodes} nodes")
                return
            if not isinstance(child, dict):
                yield Invalid(here, "expected a node")
                continue
            child = cast(Json, child)
            yield from _placed(kind, child, here)
            if child.get("type") == "text":
                yield from _text(child, here)
                yield from _marks(child, here)
                characters += len(str(child.get("text")))
            else:
                yield from self.node(child, here, depth + 1)
        if characters > LIMITS.text:
            yield Invalid(path, f"a block of {characters} characters, {LIMITS.text} are allowed")


def _placed(parent: NodeType | None, child: Json, path: str) -> Iterator[Invalid]:
    kind = node_types().get(str(child.get("type")))
    if parent is None or kind is None:
        return
    if parent.content_match.match_type(kind) is None:
        yield Invalid(path, f"{kind.name} may not stand in {parent.name}")
    for mark in cast("list[object]", child.get("marks") or []):
        name = str(cast(Json, mark).get("type")) if isinstance(mark, dict) else ""
        known = mark_types().get(name)
        if known is not None and not parent.allows_mark_type(known):
            yield Invalid(path, f"{parent.name} takes no mark {name}")


def _text(node: Json, path: str) -> Iterator[Invalid]:
    text = node.get("text")
    if not isinstance(text, str) or not text:
        yield Invalid(f"{path}.text", "expected text that is not empty")
    elif not _whole(text):
        yield Invalid(f"{path}.text", "half of a surrogate pair")


def _marks(node: Json, path: str) -> Iterator[Invalid]:
    marks: object = node.get("marks", [])
    if not isinstance(marks, list):
        yield Invalid(f"{path}.marks".lstrip("."), "expected a list of marks")
        return
    seen: set[str] = set()
    for index, mark in enumerate(cast("list[object]", marks)):
        here = f"{path}.marks[{index}]".lstrip(".")
        name = str(cast(Json, mark).get("type")) if isinstance(mark, dict) else ""
        kind = mark_types().get(name)
        if kind is None:
            yield Invalid(here, f"unknown mark {name!r}")
            continue
        if name in seen:
            yield Invalid(here, f"{name} twice on one text")
        seen.add(name)
        yield from _attributes(cast(Json, mark), kind, here)


def _attributes(holder: Json, kind: NodeType | MarkType, path: str) -> Iterator[Invalid]:
    given: object = holder.get("attrs")
    if given is None:
        return
    path = f"{path}.attrs".lstrip(".")
    if not isinstance(given, dict):
        yield Invalid(path, "expected a map of attributes")
        return
    known = defaults(kind)
    for name, value in cast(Json, given).items():
        if name not in known:
            yield Invalid(f"{path}.{name}", f"{kind.name} has no such attribute")
        elif value is None and known[name] is None:
            continue
        elif wrong := _wrong(f"{kind.name}.{name}", name, value):
            yield Invalid(f"{path}.{name}", wrong)


def fits(kind: NodeType | MarkType, name: str, value: object) -> bool:
    """Tell whether a node or a mark of this kind may have this attribute, with this value."""
    known = defaults(kind)
    if name not in known:
        return False
    if value is None:
        return known[name] is None
    return _wrong(f"{kind.name}.{name}", name, value) is None


def _wrong(full: str, name: str, value: object) -> str | None:
    rule = _VALUES.get(full) or _VALUES[name]
    return _KINDS[rule["kind"]](value, rule)


def _is_text(value: object, rule: Json) -> str | None:
    if not isinstance(value, str) or len(value) > rule["max"] or not _whole(value):
        return f"expected text of at most {rule['max']} characters"
    if "pattern" in rule and not re.fullmatch(rule["pattern"], value):
        return f"expected text like {rule['pattern']}"
    return None


def _is_integer(value: object, rule: Json) -> str | None:
    if type(value) is int and rule["min"] <= value <= rule["max"]:
        return None
    return f"expected an integer from {rule['min']} to {rule['max']}"


def _is_boolean(value: object, rule: Json) -> str | None:
    return None if isinstance(value, bool) else "expected true or false"


def _is_choice(value: object, rule: Json) -> str | None:
    return None if value in rule["of"] else f"expected one of {', '.join(rule['of'])}"


def _are_integers(value: object, rule: Json) -> str | None:
    if not isinstance(value, list) or len(cast("list[object]", value)) > rule["items"]:
        return f"expected a list of at most {rule['items']} integers"
    # 0 stands for a column that has no width of its own.
    wrong = (_is_integer(item, rule) for item in cast("list[object]", value) if item != 0)
    return next((reason for reason in wrong if reason), None)


def _is_address(value: object, rule: Json) -> str | None:
    if wrong := _is_text(value, rule):
        return wrong
    return None if safe_address(str(value)) else "expected the address of a page or a mailbox"


_KINDS: Mapping[str, Callable[[object, Json], str | None]] = {
    "text": _is_text,
    "integer": _is_integer,
    "boolean": _is_boolean,
    "choice": _is_choice,
    "integers": _are_integers,
    "address": _is_address,
}


def _whole(text: str) -> bool:
    """Say whether a text is one: JSON can spell half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# Browsers drop these from addresses before they look for a scheme.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def safe_address(address: str) -> str | None:
    """Return an address that a link may lead to, without what browsers ignore in it, or None.

    One with a scheme must have one of ``limits.schemes``; one without leads to a place on the
    server or in the document itself.
    """
    address = _UNSEEN.sub("", address).strip().replace(" ", "%20")
    head = re.split(r"[/?#]", address, maxsplit=1)[0]
    scheme, colon, _ = head.partition(":")
    if not address or (colon and scheme.lower() not in LIMITS.schemes):
        return None
    return address
