"""``parvis quarantine …``: what was set aside because it broke a document, and what becomes of it.

Exit status: 0 if all was done, 1 if something could not be, 2 if the command line is wrong.
"""

import argparse
import base64
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..settings import Settings
from .output import FAULT, USAGE, CommandError, harmless, show_facts, show_json, show_table, size
from .people import moment
from .reach import operate

LINE = 16
"""Bytes in a line of the preview."""


def list_all(settings: Settings, arguments: argparse.Namespace) -> int:
    """List what was set aside."""
    found = _listed(settings, arguments)
    if arguments.json:
        show_json(found)
        return 0
    rows = [
        (
            each["id"],
            _place(each),
            str(each["offset"] or "-"),
            size(each["size"]),
            each["sender"],
            moment(each["time"]),
            each["reason"],
        )
        for each in found
    ]
    show_table(("ID", "ROOM", "OFFSET", "SIZE", "SENDER", "TIME", "REASON"), rows)
    return 0


def show(settings: Settings, arguments: argparse.Namespace) -> int:
    """Tell all about one update, and write its bytes if that is wanted."""
    asked = {"tenant": arguments.tenant, "id": arguments.id, "room": arguments.room}
    found: dict[str, Any] = operate(settings, "quarantine_show", asked)
    if arguments.export is not None:
        try:
            Path(arguments.export).write_bytes(base64.b64decode(found["data"]))
        except OSError as error:
            raise CommandError(f"{arguments.export}: {error.strerror}", exit_code=FAULT) from None
    if arguments.json:
        show_json(found)
        return 0
    outline = found["outline"]
    facts = {
        "id": found["digest"],
        "room": _place(found),
        "offset": str(found["offset"] or "not logged"),
        "sender": found["sender"] or "not known",
        "time": moment(found["time"]),
        "size": size(found["size"]),
        "reason": found["reason"],
    }
    if outline["error"]:
        facts["structure"] = f"cannot be read: {outline['error']}"
    else:
        facts |= {
            "structure": f"{outline['blocks']} blocks, {outline['types']} shared types",
            "writes": f"{outline['units']} characters: {_ranges(outline['clients'])}",
            "deletes": f"{outline['deleted']} characters: {_ranges(outline['deletes'])}",
            "builds on": ", ".join(f"{c} up to {n}" for c, n in outline["needs"].items()) or "-",
            "roots": ", ".join(outline["roots"]) or "-",
            "elements": ", ".join(outline["elements"]) or "-",
            "formats": ", ".join(outline["formats"]) or "-",
        }
    show_facts(facts)
    print()
    for line in _hex(bytes.fromhex(found["hex"])):
        print(line)
    if found["size"] > len(found["hex"]) // 2:
        print("… --export FILE writes all of it")
    if arguments.export is not None:
        print(f"wrote {size(found['size'])} to {arguments.export}", file=sys.stderr)
    return 0


def replay(settings: Settings, arguments: argparse.Namespace) -> int:
    """Put updates back into their logs, one after the other."""
    chosen = _chosen(settings, arguments)
    return _each(settings, arguments, "quarantine_replay", chosen, _replayed)


def drop(settings: Settings, arguments: argparse.Namespace) -> int:
    """Forget updates for good."""
    chosen = _chosen(settings, arguments)
    if chosen and not arguments.yes and not _agreed(chosen):
        raise CommandError(
            f"dropping {len(chosen)} updates cannot be undone",
            "Say --yes if that is what you want; parvis quarantine show ID --export FILE keeps a"
            " copy.",
            code="usage",
            exit_code=USAGE,
        )
    return _each(settings, arguments, "quarantine_drop", chosen, _dropped)


def _listed(settings: Settings, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    asked = {
        "tenant": arguments.tenant,
        "room": arguments.room,
        "type": arguments.type,
        "key": arguments.prefix,
    }
    found: list[dict[str, Any]] = operate(settings, "quarantine_list", asked)
    return found


def _chosen(settings: Settings, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the updates that are meant, each once."""
    if bool(arguments.ids) is arguments.all:
        raise CommandError(
            "say which updates are meant",
            "Name their ids, as parvis quarantine list shows them, or say --all.",
            code="usage",
            exit_code=USAGE,
        )
    found = _listed(settings, arguments)
    if arguments.all:
        return found
    chosen: list[dict[str, Any]] = []
    for id in arguments.ids:
        meant = [each for each in found if each["digest"].startswith(id.strip().lower())]
        if not meant:
            raise CommandError(
                f"nothing in quarantine has the id {id[:64]}",
                "parvis quarantine list shows what there is.",
                code="not_found",
            )
        if len(meant) > 1:
            raise CommandError(
                f"{len(meant)} updates have ids that begin with {id[:64]}",
                "Give more of the id, or say --room ROOM.",
                code="ambiguous",
            )
        chosen += [each for each in meant if each not in chosen]
    return chosen


def _each(
    settings: Settings,
    arguments: argparse.Namespace,
    operation: str,
    chosen: list[dict[str, Any]],
    told: Callable[[dict[str, Any]], str],
) -> int:
    """Do an operation for each; what cannot be done is told, and the others are."""
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for each in chosen:
        asked = {"tenant": arguments.tenant, "id": each["digest"], "room": _place(each)}
        try:
            result: dict[str, Any] = operate(settings, operation, asked)
        except CommandError as error:
            if len(chosen) == 1:
                raise
            failed.append(each | {"error": {"code": error.code, "message": str(error)}})
            if not arguments.json:
                print(
                    f"parvis: {each['id']} {_place(each)}: {harmless(str(error))}", file=sys.stderr
                )
            continue
        done.append(result)
        if not arguments.json:
            print(f"{each['id']} {told(result)}", flush=True)
    if arguments.json:
        show_json({"done": done, "failed": failed})
    return FAULT if failed else 0


def _replayed(done: dict[str, Any]) -> str:
    if done["added"]:
        return f"{_place(done)}: logged at offset {done['logged']}"
    return f"{_place(done)}: was there already, at the latest at offset {done['logged']}"


def _dropped(done: dict[str, Any]) -> str:
    return f"{_place(done)}: dropped"


def _agreed(chosen: list[dict[str, Any]]) -> bool:
    if not sys.stdin.isatty():
        return False
    for each in chosen[:20]:
        print(f"{each['id']} {_place(each)} {size(each['size'])} by {each['sender']}")
    return input(f"Drop {len(chosen)} updates for good? [y/N] ").strip().lower() in ("y", "yes")


def _place(each: dict[str, Any]) -> str:
    return f"{each['room']}:{each['part']}" if each["part"] else str(each["room"])


def _ranges(table: dict[str, list[list[int]]]) -> str:
    shown = [
        f"{client} {', '.join(f'{start}-{end - 1}' for start, end in ranges)}"
        for client, ranges in table.items()
    ]
    return "; ".join(shown) or "none"


def _hex(data: bytes) -> list[str]:
    lines: list[str] = []
    for at in range(0, len(data), LINE):
        piece = data[at : at + LINE]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        lines.append(f"{at:06x}  {piece.hex(' ').ljust(3 * LINE)} {letters}")
    return lines
