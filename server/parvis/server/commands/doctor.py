"""``parvis doctor``: looks at everything a node needs and says what is wrong."""

import argparse
import asyncio
import contextlib
import platform
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Final
from urllib.parse import quote

import aiohttp

from parvis.plugins import Refused
from parvis.storage import DataFolderHeld, StorageError
from parvis.storage.factory import open_store
from parvis.storage.folder import Held, hold_data_folder
from parvis.storage.urls import redacted

from ..clock import SystemClock
from ..hosting.registry import installed
from ..mail import carrier_of
from ..operator_socket import ask
from ..pages import is_built
from ..settings import Settings, SettingsInvalid
from .output import FAULT, CommandError, show_json, show_table, size
from .serving import check, nearest, why_not_writable

ENOUGH: Final = 256 * 1024 * 1024
"""Bytes of free space below which a busy node soon stops."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one check."""

    name: str
    good: bool
    detail: str
    hint: str = ""


def doctor(settings: Settings, arguments: argparse.Namespace) -> int:
    """Check everything; the exit code is 1 if anything is wrong."""
    findings = list(examine(settings))
    good = all(finding.good for finding in findings)
    if arguments.json:
        show_json({"good": good, "findings": [asdict(finding) for finding in findings]})
    else:
        rows = [
            ("ok" if finding.good else "WRONG", finding.name, finding.detail)
            for finding in findings
        ]
        show_table(("", "CHECK", "FOUND"), rows)
        for finding in findings:
            if not finding.good and finding.hint:
                print(f"hint: {finding.name}: {finding.hint}")
    return 0 if good else FAULT


def examine(settings: Settings) -> Iterator[Finding]:
    """Check one thing after the other; a folder that nobody holds is held meanwhile."""
    yield Finding(
        "python",
        sys.version_info >= (3, 11),
        f"{platform.python_implementation()} {platform.python_version()}",
        "Parvis needs Python 3.11 or newer.",
    )
    yield _crdt()
    yield _settings(settings)
    yield from _room_types(settings)
    yield _web_app()
    yield _mail(settings)
    problem = why_not_writable(settings.data)
    state = "writable" if settings.data.is_dir() else "does not exist yet; a start makes it"
    yield Finding("data folder", not problem, problem or f"{settings.data.resolve()}, {state}",
                  "Give this user the right to write there.")  # fmt: skip
    if problem:
        return
    free = shutil.disk_usage(nearest(settings.data)).free
    yield Finding("free space", free >= ENOUGH, size(free), "Make room before the disk is full.")
    if not settings.data.is_dir():
        yield _port(settings)
        if not settings.store_url.startswith("sqlite:"):
            yield _store(settings)
        return
    held: Held | None = None
    try:
        held = hold_data_folder(settings.data, now=time.time())
    except DataFolderHeld as holder:
        yield _holder(settings, str(holder))
    try:
        if held is not None:
            yield Finding("held by", True, "nobody")
            yield _port(settings)
            yield _store(settings)
        yield from _files(settings)
    finally:
        if held is not None:
            held.release()


def _crdt() -> Finding:
    try:
        from pycrdt import Doc, Text

        one: Doc[Text] = Doc()
        one["text"] = Text("parvis")
        other: Doc[Text] = Doc()
        other.apply_update(one.get_update())
        works = str(other.get("text", type=Text)) == "parvis"
    except Exception as error:
        return Finding("pycrdt", False, str(error), "Install Parvis again, with its constraints.")
    return Finding("pycrdt", works, version("pycrdt"), "Install Parvis again.")


def _settings(settings: Settings) -> Finding:
    try:
        types = installed(settings)
        check(settings)
    except SettingsInvalid as error:
        return Finding("settings", False, str(error), "parvis config list shows what is accepted.")
    except CommandError as error:
        return Finding("settings", False, str(error), error.hint)
    names = ", ".join(kind.name for kind in types)
    return Finding(
        "settings", bool(names), f"room types: {names or 'none'}", "Install a room type."
    )


def _room_types(settings: Settings) -> Iterator[Finding]:
    """Look at what the room types need, as they say themselves."""
    try:
        types = installed(settings)
    except SettingsInvalid:
        return  # and that was said
    for kind in types:
        for name, place in kind.checks.items():
            module, _, function = place.partition(":")
            try:
                yield Finding(name, True, getattr(import_module(module), function)())
            except Refused as problem:
                yield Finding(name, False, problem.reason)


def _web_app() -> Finding:
    built = is_built()
    detail = "built" if built else "not built"
    return Finding("web app", built, detail, "Run make setup in the checkout.")


def _mail(settings: Settings) -> Finding:
    carrier = carrier_of(settings, settings.data, SystemClock())
    hint = "parvis mail test EMAIL sends a letter; mail.security says how the way is protected."
    try:
        return Finding("mail", True, asyncio.run(carrier.look()))
    except OSError as error:
        return Finding("mail", False, f"{settings.mail.host}: {error}", hint)
    finally:
        carrier.close()


def _holder(settings: Settings, holder: str) -> Finding:
    try:
        asyncio.run(ask(settings.data, "user_list", {"tenant": ""}))
    except (OSError, aiohttp.ClientError) as error:
        return Finding("held by", False, f"{holder}; no answer: {error}", "It may be starting.")
    return Finding("held by", True, f"{holder}; it answers")


def _port(settings: Settings) -> Finding:
    host, port = settings.server.host, settings.server.port
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with contextlib.closing(socket.socket(family, kind, protocol)) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except OSError as error:
        hint = "Take another one with --port; 0 takes a free one."
        return Finding("port", False, f"{host}:{port}: {error.strerror}", hint)
    return Finding("port", True, f"{host}:{port} is free")


def _store(settings: Settings) -> Finding:
    async def open_and_check() -> None:
        store, _ = open_store(settings.store_url)
        try:
            await store.check()
        finally:
            await store.close()

    try:
        asyncio.run(open_and_check())
    except StorageError as error:
        return Finding("store", False, str(error), error.hint)
    return Finding("store", True, redacted(settings.store_url))


def _files(settings: Settings) -> Iterator[Finding]:
    if not settings.store_url.startswith("sqlite:"):
        return
    for file in sorted(settings.data.rglob("*.db")):
        name = str(file.relative_to(settings.data))
        try:
            answer = _with_reader(str(file.resolve()), _quick_check)
        except sqlite3.Error as error:
            answer = str(error)
        hint = "Stop the node, keep a copy of the folder, restore the last backup."
        detail = f"{size(file.stat().st_size)}, {answer}"
        yield Finding(name, answer == "ok", detail, hint)


def _with_reader(file: str, work: Callable[[sqlite3.Connection], str]) -> str:
    with contextlib.closing(sqlite3.connect(f"file:{quote(file)}?mode=ro", uri=True)) as reader:
        return work(reader)


def _quick_check(reader: sqlite3.Connection) -> str:
    return str(reader.execute("PRAGMA quick_check(1)").fetchone()[0])
