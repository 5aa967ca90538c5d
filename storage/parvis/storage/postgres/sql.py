"""Plugins' SQL, written once for all stores, as PostgreSQL wants it.

==============================  ==================================================================
``?``, ``?1``                   ``($1::bigint)`` …: cast by what is passed; None becomes ``NULL``
``ON CONFLICT (a, b)``          ``ON CONFLICT (tenant, a, b)``: every key begins with the tenant
``max(a, b)``, ``min(a, b)``    ``greatest(a, b)``, ``least(a, b)``; of one argument: as it is
``IN ()``                       ``= ANY ('{}')``
``INSERT OR ABORT INTO``        ``INSERT INTO``: whatever fails undoes its own entry and no more
``x'00ff'``                     ``'\\x00ff'::bytea``
==============================  ==================================================================

Nothing inside strings, quoted names and comments is touched. What could leave the transaction, the
tenant or the plugins' own tables is refused here, before the server's own roles would.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from parvis.storage.api import SqlValue
from parvis.storage.errors import StatementRefused

_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?\*/)
      | (?P<blob>[xX]'[0-9A-Fa-f]*')
      | (?P<text>[eE]?'(?:[^']|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<word>[A-Za-z_\u0080-\U0010ffff][\w$]*)
      | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)
      | (?P<mark>\?\d*)
      | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)

READING = frozenset({"select", "with", "values"})
WRITING = READING | {"insert", "update", "delete"}
SHAPING = WRITING | {"create", "alter", "drop", "comment"}

_FOREIGN = re.compile(
    r"parvis(?!_tenant$)\w*|pg_\w*|information_schema|set_config|current_setting|dblink\w*|lo_\w+"
)
"""Names that are the store's or the server's; `parvis_tenant()` says whose rows are meant."""

_OF_SEVERAL = {"max": "greatest", "min": "least"}


@dataclass(slots=True)
class Token:
    """A piece of SQL: its kind, and its text, which translation may replace."""

    kind: str
    text: str

    def says(self, *words: str) -> bool:
        """Tell whether this is one of some words, whatever its case."""
        return self.kind in ("word", "sign") and self.text.lower() in words


def tokens(sql: str) -> list[Token]:
    """Take SQL apart; put together again, the pieces are the text."""
    return [
        Token("text" if match.lastgroup == "tag" else match.lastgroup or "sign", match[0])
        for match in _TOKEN.finditer(sql)
    ]


@lru_cache(maxsize=2048)
def translate(sql: str, kinds: tuple[type, ...], allowed: frozenset[str]) -> str:
    """Return a statement for PostgreSQL, whose parameters are those of `kinds` that are not None.

    Args:
        kinds: The type of each argument.
        allowed: What the statement may begin with.

    Raises:
        StatementRefused: If it begins with something else, touches what is not a plugin's, or
            has not as many placeholders as arguments.
    """
    whole = tokens(sql)
    pieces = [token for token in whole if token.kind != "blank"]
    _check(pieces, allowed)
    _lead_conflicts(pieces)
    _compare_several(pieces)
    _find_in_nothing(pieces)
    _fail_alone(pieces)
    _number(pieces, kinds)
    for token in pieces:
        if token.kind == "blob":
            token.text = f"'\\x{token.text[2:-1]}'::bytea"
    return "".join(token.text for token in whole)


def values(args: Sequence[SqlValue]) -> list[SqlValue]:
    """Return the arguments that a translated statement takes."""
    return [value for value in args if value is not None]


def split_script(sql: str) -> list[str]:
    """Split a script into its statements; semicolons in strings and comments do not count."""
    statements: list[str] = []
    begun: list[Token] = []
    for token in [*tokens(sql), Token("sign", ";")]:
        if token.text != ";" or token.kind != "sign":
            begun.append(token)
            continue
        if any(each.kind != "blank" for each in begun):
            statements.append("".join(each.text for each in begun).strip())
        begun = []
    return statements


def verb(statement: str) -> str:
    """Return the word that a statement begins with, in small letters."""
    return next((t.text.lower() for t in tokens(statement) if t.kind != "blank"), "")


def check_script(statement: str) -> None:
    """Raise `StatementRefused` if a statement of a migration touches what is not a plugin's."""
    _check([token for token in tokens(statement) if token.kind != "blank"], SHAPING)


def _check(pieces: Sequence[Token], allowed: frozenset[str]) -> None:
    first = pieces[0].text if pieces else "nothing"
    if first.lower() not in allowed and not (first == "(" and "select" in allowed):
        raise StatementRefused(f"a statement here cannot begin with {first[:40]}")
    for before, token in zip([Token("sign", ";"), *pieces], pieces, strict=False):
        name = token.text.strip('"').lower() if token.kind in ("word", "quoted") else ""
        # What follows a point is a column, or a table of a schema that was judged already.
        if name and not before.says(".") and _FOREIGN.fullmatch(name):
            raise StatementRefused(f"{token.text} is not the plugin's to use")


def _number(pieces: Sequence[Token], kinds: Sequence[type]) -> None:
    """Turn ``?`` and ``?NNN`` into parameters; a bare one follows the highest before it."""
    highest = 0
    for token in pieces:
        if token.kind == "mark":
            place = int(token.text[1:] or highest + 1)
            highest = max(highest, place)
            if 0 < place <= len(kinds):
                token.text = _parameter(place, kinds)
    if highest != len(kinds):
        raise StatementRefused(f"{highest} placeholders for {len(kinds)} values")


def _parameter(place: int, kinds: Sequence[type]) -> str:
    kind = kinds[place - 1]
    if kind is type(None):  # which has no type that would fit everywhere
        return "NULL"
    number = sum(each is not type(None) for each in kinds[:place])
    return f"(${number}::{_cast(kind)})"


def _lead_conflicts(pieces: list[Token]) -> None:
    for at in range(len(pieces) - 3):
        opening, first = pieces[at + 2], pieces[at + 3]
        if (
            pieces[at].says("on")
            and pieces[at + 1].says("conflict")
            and opening.says("(")
            and first.text.strip('"').lower() != "tenant"
        ):
            opening.text = "(tenant, "


def _compare_several(pieces: list[Token]) -> None:
    for at, token in enumerate(pieces[:-1]):
        if token.says(*_OF_SEVERAL) and pieces[at + 1].says("(") and _is_several(pieces[at + 2 :]):
            token.text = _OF_SEVERAL[token.text.lower()]


def _find_in_nothing(pieces: list[Token]) -> None:
    for at in range(len(pieces) - 2):
        if pieces[at].says("in") and pieces[at + 1].says("(") and pieces[at + 2].says(")"):
            within, before = pieces[at : at + 3], pieces[at - 1] if at else None
            negated = before is not None and before.says("not")
            if before is not None and negated:
                before.text = ""
            within[0].text = "<> ALL " if negated else "= ANY "
            within[1].text = "('{}'"


def _fail_alone(pieces: list[Token]) -> None:
    for verb, either, how in zip(pieces, pieces[1:], pieces[2:], strict=False):
        if (
            verb.says("insert", "update")
            and either.says("or")
            and how.says("rollback", "abort", "fail")
        ):
            either.text = how.text = ""


def _is_several(inside: Sequence[Token]) -> bool:
    depth = 0
    for token in inside:
        if token.says("("):
            depth += 1
        elif token.says(")"):
            depth -= 1
            if depth < 0:
                return False
        elif token.says(",") and depth == 0:
            return True
    return False


def _cast(kind: type) -> str:
    for python, sql in (
        (bool, "boolean"),
        (int, "bigint"),
        (float, "double precision"),
        (str, 'text COLLATE "C"'),  # as in the tables, so that recursive queries are of one
        (bytes, "bytea"),
    ):
        if issubclass(kind, python):
            return sql
    raise StatementRefused(f"a value of type {kind.__name__}; expected a number, text or bytes")
