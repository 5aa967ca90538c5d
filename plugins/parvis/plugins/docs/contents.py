"""Content in and out: documents made from files, added to, duplicated, exported."""

from __future__ import annotations

from typing import Any, Final

from parvis.plugins import Caller, Node

from .documents import Documents
from .office import Office
from .rights import Rights

TASKS: Final = "parvis.plugins.docs.tasks"

PATIENCE: Final = 60.0
"""Seconds that a conversion may take."""


class Contents:
    """Makes documents out of content, and content out of documents."""

    def __init__(self, office: Office, rights: Rights, documents: Documents) -> None:
        self._office = office
        self._rights = rights
        self._documents = documents

    @property
    def _node(self) -> Node:
        return self._office.node

    async def create(self, caller: Caller, title: str, space: str | None) -> dict[str, Any]:
        """Make a document."""
        return await self._documents.create(caller, title, space)
