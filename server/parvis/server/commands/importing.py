"""``parvis room import``: documents of other servers into rooms, one by one, each checked."""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiohttp

from parvis.storage import DataFolderHeld, StorageError
from parvis.storage.folder import hold_data_folder
from parvis.storage.scratch import Scratch

from ..api.faults import Fault
from ..backup.progress import Progress
from ..moving_in import asking
from ..moving_in.naming import naming
from ..moving_in.opening import open_source
from ..moving_in.sources import DocumentBroken, Found, Source, SourceError
from ..moving_in.workbench import workbench
from ..operator_socket import ask as ask_node, fault
from ..settings import Settings
from .backups import progress_of
from .output import USAGE, CommandError, harmless, show_json, show_table, size
from .reach import require_folder

Ask = Callable[[str, Mapping[str, Any]], Awaitable[Any]]

PREFIX: Final = "parvis-import-"

PAGE: Final = 500
"""Names that are asked about at a time."""

LONGEST: Final = 60
"""Characters of a name that a table shows."""

AGAIN: Final = frozenset({"not_answering", "storage", "store_unavailable"})
"""Codes that say nothing about one document: with them the import as a whole ends."""

IN: Final = frozenset({"imported", "merged", "there"})


@dataclass(slots=True)
class Line:
    """One document of the report.

    Attributes:
        status: As `Taken` has it, or ``failed``, ``left out``; in a dry run ``new``, ``exists``.
        content: SHA-256 of what it shows, as it was read back.
    """

    name: str
    room: str = ""
    status: str = "new"
    reason: str = ""
    updates: int = 0
    size: int = 0
    content: str = ""
    notes: tuple[str, ...] = ()


def bring_in(settings: Settings, arguments: argparse.Namespace) -> int:
    """Import; the exit code is 1 if a document is not in."""
    require_folder(settings)
    if arguments.merge and arguments.skip_existing:
        raise CommandError("--merge or --skip-existing, not both", code="usage", exit_code=USAGE)
    began = time.monotonic()
    try:
        scratch = Scratch(Path(arguments.work or tempfile.gettempdir()), PREFIX)
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}") from None
    progress = progress_of(arguments)
    try:
        path = Path(arguments.source)
        progress.phase(f"looking at {path}", 0)
        source = open_source(path, scratch.path, arguments.kind)
        try:
            lines = asyncio.run(_run(settings, arguments, source, progress))
        finally:
            source.close()
    except SourceError as error:
        raise CommandError(str(error), error.hint, code="source") from None
    finally:
        progress.end()
        scratch.remove()
    _report(arguments, source, lines, time.monotonic() - began)
    return 1 if any(line.status == "failed" for line in lines) else 0


async def _run(
    settings: Settings, arguments: argparse.Namespace, source: Source, progress: Progress
) -> Sequence[Line]:
    found = source.documents()
    keys = naming(arguments.key_from, arguments.prefix).keys(each.name for each in found)
    lines = {each.name: Line(each.name, updates=each.updates, size=each.size) for each in found}
    for name, line in lines.items():
        if name not in keys:
            line.status = "left out"
    asked = {"tenant": arguments.tenant, "type": arguments.type, "owner": arguments.owner}
    async with _reaching(settings) as ask:
        await _plan(ask, asked, keys, lines)
        for each in found:
            line = lines[each.name]
            if each.broken and line.status != "left out":
                line.status, line.reason = "failed", each.broken
        if not arguments.dry_run:
            todo = [each for each in found if lines[each.name].status in ("new", "exists")]
            progress.phase("importing", sum(each.size for each in todo))
            asked["mode"] = _mode(arguments)
            for number, each in enumerate(todo, 1):
                progress.doing(f"{_shown(each.name)} ({number} of {len(todo)})")
                await _take(ask, {**asked, "key": keys[each.name]}, source, each, lines[each.name])
                progress.bytes(each.size)
    return [lines[each.name] for each in found]


def _mode(arguments: argparse.Namespace) -> str:
    if arguments.merge:
        return "merge"
    return "skip" if arguments.skip_existing else "refuse"


async def _plan(
    ask: Ask, asked: Mapping[str, Any], keys: Mapping[str, str], lines: Mapping[str, Line]
) -> None:
    """Note into which rooms the documents would go."""
    names = list(keys)
    # Also if there is nothing: a wrong type or owner is said all the same.
    for at in range(0, len(names) or 1, PAGE):
        page = names[at : at + PAGE]
        plan = await ask("room_import_plan", {**asked, "keys": [keys[name] for name in page]})
        for name, planned in zip(page, plan, strict=True):
            line = lines[name]
            line.room = planned["room"]
            if planned["problem"]:
                line.status, line.reason = "failed", planned["problem"]
            elif planned["there"]:
                line.status = "exists"


async def _take(
    ask: Ask, asked: Mapping[str, Any], source: Source, found: Found, line: Line
) -> None:
    try:
        rows = source.rows(found.name)
        taken = await ask("room_import", {**asked, "rows": asking.written(rows)})
    except DocumentBroken as problem:
        line.status, line.reason = "failed", str(problem)
    except CommandError as problem:
        if problem.code in AGAIN:
            raise
        line.status, line.reason = "failed", str(problem)
    else:
        line.room, line.status = taken["room"], taken["status"]
        line.updates, line.size = taken["updates"], taken["size"]
        line.content = taken["content"]
        line.notes = (*source.notes_of(found.name, rows), *taken["notes"])


@asynccontextmanager
async def _reaching(settings: Settings) -> AsyncGenerator[Ask]:
    """Give what has things done: here, if nobody holds the data folder, else by who does."""
    try:
        held = hold_data_folder(settings.data, now=time.time())
    except DataFolderHeld:
        yield partial(_asked, settings)
        return
    try:
        async with workbench(settings) as intake:
            does: Mapping[str, Callable[..., Awaitable[Any]]] = {
                "room_import_plan": asking.plan,
                "room_import": asking.take,
            }

            async def do(operation: str, arguments: Mapping[str, Any]) -> Any:
                try:
                    return await does[operation](intake, **arguments)
                except Exception as error:
                    shown = error if isinstance(error, Fault) else fault(error)
                    raise CommandError(shown.message, shown.hint, code=shown.code) from None

            yield do
    except StorageError as error:
        raise CommandError(str(error), error.hint, code="storage") from None
    finally:
        held.release()


async def _asked(settings: Settings, operation: str, arguments: Mapping[str, Any]) -> Any:
    """Have the node do something. It may stop on the way, and nobody takes its place then."""
    try:
        return await ask_node(settings.data, operation, arguments)
    except Fault as error:
        raise CommandError(error.message, error.hint, code=error.code) from None
    except (OSError, aiohttp.ClientError) as error:
        raise CommandError(
            f"the process that holds {settings.data} does not answer: {error}",
            "Import again in a moment; it goes on where it was.",
            code="not_answering",
        ) from None


def _report(
    arguments: argparse.Namespace, source: Source, lines: Sequence[Line], seconds: float
) -> None:
    counts: dict[str, int] = {}
    for line in lines:
        counts[line.status] = counts.get(line.status, 0) + 1
    if arguments.json:
        facts = {"source": source.path, "kind": source.kind, "dry_run": arguments.dry_run}
        documents = [
            asdict(line) | {"name": _spelled(line.name), "room": _spelled(line.room)}
            for line in lines
        ]
        show_json(
            {
                **facts,
                "documents": documents,
                "counts": counts,
                "notes": source.notes,
                "seconds": round(seconds, 3),
            }
        )
        return
    rows = [
        (
            _shown(line.name),
            _shown(line.room) or "-",
            line.status,
            str(line.updates),
            size(line.size),
            line.content[:16] or "-",
            "; ".join([*([line.reason] if line.reason else []), *line.notes]),
        )
        for line in lines
    ]
    show_table(("DOCUMENT", "ROOM", "STATUS", "UPDATES", "SIZE", "CONTENT", "WHY"), rows)
    for note in source.notes:
        print(harmless(note))
    print(", ".join(f"{count} {status}" for status, count in counts.items()) or "no documents")
    if not arguments.dry_run and any(line.status in IN for line in lines):
        print("each that is in was read back from the store, and is the same as in the source")


def _spelled(name: str) -> str:
    """Return a name of a file, which may be no UTF-8, as something that can be printed."""
    return name.encode(errors="backslashreplace").decode()


def _shown(name: str) -> str:
    """Return a name for a terminal, which takes orders from some characters; short."""
    shown = harmless(name)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
