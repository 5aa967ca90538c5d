"""What is imported by tests, and how to look at what became of it."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pycrdt import Doc, Text

from parvis.server.moving_in.weighing import weigh
from parvis.storage import Address, LoggedUpdate
from parvis.storage.factory import open_store

Parvis = Callable[..., Any]


def updates_of(*texts: str, client: int = 7) -> list[bytes]:
    """Return an update for each text that somebody wrote behind the one before."""
    doc: Doc[Any] = Doc(client_id=client)
    text: Text = doc.get("text", type=Text)
    found: list[bytes] = []
    for each in texts:
        before = doc.get_state()
        text += each
        found.append(doc.get_update(before))
    return found


def kept(folder: Path, name: str, update: bytes) -> Path:
    """Write an update to a file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(update)
    return path


def lines(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the documents of a report by name."""
    return {line["name"]: line for line in report["documents"]}


def statuses(report: Mapping[str, Any]) -> dict[str, str]:
    """Return what became of each document."""
    return {line["name"]: line["status"] for line in report["documents"]}


def exported(parvis: Parvis, room: str, folder: Path) -> bytes:
    """Return what a room holds, as one update."""
    path = folder / "exported"
    code, answer = parvis("room", "export", room, "--output", str(path))
    assert code == 0, answer
    return path.read_bytes()


def same(one: bytes, *other: bytes) -> bool:
    """Whether these updates are the same document."""
    here, there = weigh([one]), weigh(other)
    return all(here[each] == there[each] for each in ("clocks", "deletes", "content"))


async def rows_of(url: str, room: str) -> list[LoggedUpdate]:
    """Return a room's log."""
    store, _ = open_store(url)
    try:
        return list(await store.read(Address("local", room), after=0))
    finally:
        await store.close()


def standing(path: Path) -> dict[str, tuple[int, str]]:
    """Return what there is to change in a file or a folder: names, times, contents."""
    files = [path, *path.parent.glob(f"{path.name}-*")] if path.is_file() else path.rglob("*")
    return {
        str(file): (file.stat().st_mtime_ns, hashlib.sha256(file.read_bytes()).hexdigest())
        for file in files
        if file.is_file()
    }


def unpacked(states: Mapping[str, str]) -> dict[str, bytes]:
    """Return states that were printed as base64."""
    return {name: base64.b64decode(state) for name, state in states.items()}
