"""Can the store be used, and is it whole: its version and rights, and the pages of its files."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from parvis.storage import StorageError
from parvis.storage.factory import open_store
from parvis.storage.urls import redacted

from ..commands.output import size
from .examination import Examination
from .finding import Finding, fail, judged, ok

PATIENCE: Final = 5.0
"""Seconds for the pages of all files together."""


async def look(case: Examination) -> AsyncIterator[Finding]:
    """Look whether the store can be used."""
    url = case.settings.store_url
    if url.startswith("sqlite:") and not _begun(case.settings.data):
        case.inspection = None
        yield ok("store", "nothing yet; a start makes it")
        return
    try:
        if url.startswith("sqlite:"):
            if case.inspection is not None:
                await case.inspection.check()
        else:
            await _beat(url)
    except StorageError as error:
        case.inspection = None  # whoever else asks would say the same
        yield fail("store", str(error), error.hint)
        return
    yield ok("store", redacted(url))


async def pages(case: Examination) -> AsyncIterator[Finding]:
    """Read the pages of each file."""
    if case.inspection is None:
        return
    case.report("reading the pages of all files")
    hint = "Stop the node, keep a copy of the folder, restore the last backup."
    unread: list[str] = []
    for file in await case.inspection.sound(patience=case.patience(PATIENCE)):
        if not file.answer:
            unread.append(file.name)
            continue
        yield judged(file.answer == "ok", file.name, f"{size(file.size)}, {file.answer}", hint)
    if unread:
        more = f", and {len(unread) - 1} others" if len(unread) > 1 else ""
        yield ok("not read", f"{unread[0]}{more}; parvis doctor --deep reads all")


def _begun(data: Path) -> bool:
    """Whether anything of a store lies in a data folder, such as what was saved from another."""
    return (data / "control.db").exists() or any(data.glob("tenants/*.db"))


async def _beat(url: str) -> None:
    store, _ = open_store(url)
    try:
        await store.check()
    finally:
        await store.close()
