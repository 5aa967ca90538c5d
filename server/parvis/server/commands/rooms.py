"""``parvis room list, inspect, history, export, delete``."""

import argparse
import base64
import sys

from ..settings import Settings
from .output import (
    USAGE,
    CommandError,
    refuse_terminal,
    show_facts,
    show_json,
    show_table,
    size,
    write_out,
)
from .people import moment
from .reach import operate


def list_all(settings: Settings, arguments: argparse.Namespace) -> int:
    """List living rooms."""
    rooms = operate(
        settings,
        "room_list",
        {
            "tenant": arguments.tenant,
            "prefix": arguments.prefix,
            "after": arguments.after,
            "limit": arguments.limit,
        },
    )
    if arguments.json:
        show_json(rooms)
        return 0
    rows = [
        (
            each["room"],
            str(sum(head["offset"] for head in each["parts"].values())),
            size(each["size"]),
            moment(each["created"]),
            each["creator"],
        )
        for each in rooms
    ]
    show_table(("ROOM", "UPDATES", "SIZE", "CREATED", "CREATOR"), rows)
    if len(rooms) == arguments.limit:
        print(f"there may be more: --after {rows[-1][0]!r}", file=sys.stderr)
    return 0


def inspect(settings: Settings, arguments: argparse.Namespace) -> int:
    """Describe a room."""
    room = operate(settings, "room_inspect", {"tenant": arguments.tenant, "room": arguments.room})
    if arguments.json:
        show_json(room)
        return 0
    facts = {
        "room": room["room"],
        "created": f"{moment(room['created'])} by {room['creator'] or 'the server'}",
        "size": size(room["size"]),
        "quarantined": room["quarantined"],
    }
    for part, head in room["parts"].items():
        snapshot = "none" if head["snapshot"] is None else f"at {head['snapshot']}"
        facts[f"part {part}" if part else "main part"] = (
            f"{head['offset']} updates, incarnation {head['incarnation']}, snapshot {snapshot}"
        )
    show_facts(facts)
    return 0


def history(settings: Settings, arguments: argparse.Namespace) -> int:
    """Say who wrote in a room when."""
    page = operate(
        settings,
        "room_history",
        {
            "tenant": arguments.tenant,
            "room": arguments.room,
            "before": arguments.before,
            "limit": arguments.limit,
        },
    )
    if arguments.json:
        show_json(page)
        return 0
    rows = [
        (
            f"{entry['first']}-{entry['last']}",
            moment(entry["start"]),
            moment(entry["end"]),
            str(entry["updates"]),
            ", ".join(entry["authors"]),
        )
        for entry in page["entries"]
    ]
    show_table(("OFFSETS", "FROM", "TO", "UPDATES", "AUTHORS"), rows)
    if page["following"] is not None:
        print(f"there is more: --before {page['following']}", file=sys.stderr)
    return 0


def export(settings: Settings, arguments: argparse.Namespace) -> int:
    """Write what a part holds durably to a file, or to stdout."""
    if arguments.format == "update":
        refuse_terminal(arguments.output)
    result = operate(
        settings,
        "room_export",
        {
            "tenant": arguments.tenant,
            "room": arguments.room,
            "format": arguments.format,
            "root": arguments.root,
            "offset": arguments.offset,
        },
    )
    data = base64.b64decode(result["data"])
    write_out(data, arguments.output, as_json=arguments.json)
    return 0


def delete(settings: Settings, arguments: argparse.Namespace) -> int:
    """Delete a room for good."""
    if not arguments.yes:
        raise CommandError(
            f"deleting {arguments.room} cannot be undone",
            "Say --yes if that is what you want; parvis room export keeps a copy.",
            code="usage",
            exit_code=USAGE,
        )
    result = operate(settings, "room_delete", {"tenant": arguments.tenant, "room": arguments.room})
    if arguments.json:
        show_json(result)
    else:
        print(f"deleted {result['room']}")
    return 0
