"""``parvis room rebuild``, ``restore``, and ``parvis room rescued …``."""

import argparse
import base64
import datetime
import json
import sys
from typing import Any

from ..settings import Settings
from .output import (
    LINES,
    USAGE,
    CommandError,
    harmless,
    refuse_terminal,
    show_facts,
    show_json,
    show_table,
    size,
    write_out,
)
from .people import moment
from .reach import operate

OFFLINE = (
    "stock clients that were away are asked for what they wrote, get nothing, and are told"
    " to reload the page; their work is put aside (parvis room rescued list)"
)


def rebuild(settings: Settings, arguments: argparse.Namespace) -> int:
    """Begin a new life of a part, or say what that would do."""
    done = operate(
        settings,
        "room_rebuild",
        {
            "tenant": arguments.tenant,
            "room": arguments.room,
            "dry_run": arguments.dry_run,
            "now": arguments.now,
            "positions": arguments.drop_positions,
        },
    )
    if arguments.json:
        show_json(done)
        return 0
    figures = done["figures"]
    share = figures["deleted"] / figures["clocks"] if figures["clocks"] else 0.0
    there = ", ".join(f"{count} {dialect}" for dialect, count in done["sessions"].items())
    facts: dict[str, object] = {
        "room": done["room"],
        "size": f"{size(figures['before'])} before, {size(figures['after'])} after",
        "tombstones": f"{share:.0%} of {figures['clocks']} letters, values and elements",
        "client ids": f"{figures['clients']} in it, {done['retired']} of earlier lives",
        "connected": there or "nobody",
        "rescued": done["rescued"],
    }
    if figures["positions"]:
        facts["positions"] = f"{figures['positions']} values that would point to nothing"
    if done["waiting"]:
        facts["waiting"] = f"{done['waiting']} updates whose predecessor never came are put aside"
    facts["offline"] = OFFLINE
    facts["life"] = (
        f"{done['incarnation']}; nothing was changed"
        if arguments.dry_run
        else f"{done['incarnation']}, begun at offset {done['offset']}"
    )
    show_facts(facts)
    return 0


def restore(settings: Settings, arguments: argparse.Namespace) -> int:
    """Change a part back to what it was."""
    done = operate(
        settings,
        "room_restore",
        {
            "tenant": arguments.tenant,
            "room": arguments.room,
            "offset": arguments.offset,
            "time": None if arguments.at is None else _seconds(arguments.at),
            "version": arguments.version_id,
        },
    )
    if arguments.json:
        show_json(done)
        return 0
    print(
        f"{done['room']} is what it was at offset {done['moment']}: {done['restored']} letters,"
        f" values and elements came back, {done['removed']} were deleted (offset {done['offset']})"
    )
    if left := {what: count for what, count in done["left"].items() if count}:
        print(f"left as they are: {left}", file=sys.stderr)
    return 0


def _seconds(at: str) -> float:
    try:
        return float(at)
    except ValueError:
        pass
    try:
        # Without an offset, what the clock on the wall said.
        return datetime.datetime.fromisoformat(at).astimezone().timestamp()
    except ValueError:
        raise CommandError(
            f"{at!r} is no time",
            "Say it as 2026-11-20T16:30, with +01:00 behind it if need be, or as seconds since"
            " 1970.",
            code="usage",
            exit_code=USAGE,
        ) from None


def list_rescued(settings: Settings, arguments: argparse.Namespace) -> int:
    """List what was rescued of a part."""
    found = _ask(settings, arguments, "rescued_list")
    if arguments.json:
        show_json(found)
        return 0
    rows = [
        (
            each["id"],
            each["origin"],
            each["sender"] or "-",
            str(each["incarnation"] or "-"),
            size(each["size"]),
            moment(each["first"]),
            moment(each["last"]),
        )
        for each in found
    ]
    show_table(("ID", "ORIGIN", "SENDER", "LIFE", "SIZE", "FIRST", "LAST"), rows)
    return 0


def show_rescued(settings: Settings, arguments: argparse.Namespace) -> int:
    """Show what a document said before, and with what was rescued."""
    found = _ask(settings, arguments, "rescued_show", id=arguments.id)
    if arguments.json:
        show_json(found)
        return 0
    show_facts(
        {
            "id": found["id"],
            "origin": found["origin"],
            "sender": found["sender"] or "-",
            "came": f"{moment(found['first'])} to {moment(found['last'])}",
            "size": size(found["size"]),
        }
    )
    for root in sorted({*found["before"], *found["with"]}):
        before, now = found["before"].get(root), found["with"].get(root)
        if before != now:
            name = harmless(root)
            print(f"\n{name} before:\n{_shown(before)}\n{name} with it:\n{_shown(now)}")
    return 0


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return harmless(text, keep=LINES)


def export_rescued(settings: Settings, arguments: argparse.Namespace) -> int:
    """Write what was rescued to a file, or to stdout."""
    if arguments.format in ("update", "added"):
        refuse_terminal(arguments.output)
    found = _ask(settings, arguments, "rescued_export", id=arguments.id, format=arguments.format)
    data = base64.b64decode(found["data"])
    write_out(data, arguments.output, as_json=arguments.json)
    return 0


def drop_rescued(settings: Settings, arguments: argparse.Namespace) -> int:
    """Forget what was rescued."""
    dropped = _ask(settings, arguments, "rescued_drop", id=arguments.id)
    if arguments.json:
        show_json(dropped)
    else:
        print(
            f"dropped {dropped['id']}, {size(dropped['size'])} of {dropped['sender'] or 'nobody'}"
        )
    return 0


def _ask(settings: Settings, arguments: argparse.Namespace, operation: str, **more: Any) -> Any:
    asked = {"tenant": arguments.tenant, "room": arguments.room, **more}
    return operate(settings, operation, asked)
