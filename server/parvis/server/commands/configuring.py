"""``parvis config check`` and ``parvis config list``."""

import argparse
import dataclasses
from typing import Any, cast

from parvis.storage.urls import redacted

from ..hosting.registry import installed
from ..settings import Settings, describe
from .output import show_json, show_table
from .serving import check


def check_settings(settings: Settings, arguments: argparse.Namespace) -> int:
    """Say whether a node would start with these settings."""
    registry = installed(settings)
    check(settings)
    if arguments.json:
        types = {kind.name: dataclasses.asdict(kind.settings) for kind in registry}
        show_json({"settings": shown(settings), "room_types": types})
    else:
        print("the settings are fine")
    return 0


def list_settings(settings: Settings, arguments: argparse.Namespace) -> int:
    """List every setting with its default."""
    types = {kind.name: kind.Settings for kind in installed(Settings())}
    described = describe(types)
    if arguments.json:
        show_json([dataclasses.asdict(each) for each in described])
        return 0
    show_table(
        ("SETTING", "DEFAULT", "ACCEPTS", "MEANING"),
        [(each.key, each.default or "-", each.accepts, each.meaning) for each in described],
    )
    return 0


def shown(value: object) -> Any:
    """Return settings as JSON, without their secrets."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: shown(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if not field.metadata.get("secret")
        }
    if isinstance(value, dict):
        return {key: shown(each) for key, each in cast("dict[str, object]", value).items()}
    if isinstance(value, str):
        return redacted(value)
    return list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value
