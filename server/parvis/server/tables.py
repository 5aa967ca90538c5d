"""All tables that a node needs beside the store's own: of its room types, and of the core."""

from collections.abc import Mapping, Sequence
from typing import Final

from parvis.plugins import migrations_in
from parvis.storage import Migration

from .history.rows import PLUGIN as HISTORY
from .hosting.registry import Registry
from .lives.rows import PLUGIN as LIVES
from .notices.rows import PLUGIN as NOTICES

CORE: Final = {
    NOTICES: "parvis.server.notices",
    HISTORY: "parvis.server.history",
    LIVES: "parvis.server.lives",
}
"""Whose tables are the core's own → the package of their migrations."""


def tables_of(registry: Registry) -> Mapping[str, Sequence[Migration]]:
    """Return migrations by whose tables they make, in the order in which they run."""
    types = {kind.name: kind.migrations for kind in registry}
    return types | {name: migrations_in(package) for name, package in CORE.items()}
