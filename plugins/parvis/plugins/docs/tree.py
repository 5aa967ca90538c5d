"""The content of a document as Yjs keeps it: elements with attributes, and texts with formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Run:
    """Text with the same formats throughout; a format is a mark's name, maybe with a hash."""

    text: str
    formats: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Text:
    """An XmlText.

    Attributes:
        foreign: It holds something that is no text. Editors write no such thing; it is not shown
            and never changed, only deleted.
    """

    runs: Sequence[Run]
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Element:
    """An XmlElement; attributes that are null are left out."""

    tag: str
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    children: Sequence[Element | Text] = ()


Part: TypeAlias = Element | Text
