"""Writes ``native.json``: run it after a change of the messages, and read the difference.

The frames are made by msgpack from the numbers and fields written out here, not by our codec.
"""

import json
from pathlib import Path
from typing import cast

import msgpack

Row = tuple[int, str, dict[str, object]]

HEX = {"state": "0105ac02", "update": "010105000401017402686900"}

CLIENT: list[Row] = [
    (1, "Hello", dict(version=1, ticket="tk_9f2c", client="parvis-js/1.0")),
    (1, "Hello", dict(version=1, ticket="", client="é😀")),
    (2, "Join", dict(ref=1, room="plain/équipe", state=b"", incarnation=0, schema=0)),
    (
        2,
        "Join",
        dict(
            ref=2,
            room="docs/7:comments",
            state=bytes.fromhex(HEX["state"]),
            incarnation=3,
            schema=2,
        ),
    ),
    (3, "Leave", dict(channel=17)),
    (4, "Update", dict(channel=17, ref=3, update=bytes.fromhex(HEX["update"]), key=b"")),
    (4, "Update", dict(channel=2**53 - 1, ref=2**32, update=b"", key=b"\x01\x02")),
    (5, "Sync", dict(channel=17, ref=4, state=(41).to_bytes(8, "big"))),
    (6, "Awareness", dict(channel=17, states=bytes.fromhex("010501027b7d"))),
    (7, "Signal", dict(channel=17, ref=5, name="wave", body={"to": "ada", "n": [1, 2.5, None]})),
    (8, "Command", dict(channel=17, ref=6, name="book", body={"from": 1, "blob": b"\x00\xff"})),
    (9, "Refresh", dict(ref=7, ticket="tk_01")),
    (10, "Ping", dict(ref=8)),
    (11, "History", dict(channel=17, ref=9, question="at", body={"offset": 300})),
    (11, "History", dict(channel=17, ref=10, question="versions", body=None)),
]
SERVER: list[Row] = [
    (6, "Awareness", dict(channel=17, states=b"\x00")),
    (
        33,
        "Welcome",
        dict(
            session="9f2c",
            user={"id": "u_1", "name": "Ada", "color": "#336699"},
            expires=900.0,
            limits={"frame": 8388608, "rooms": 200, "silence": 60.0},
            server="parvis/0.1.0",
        ),
    ),
    (
        34,
        "Joined",
        dict(
            ref=1,
            channel=17,
            room="plain/équipe",
            incarnation=1,
            offset=300,
            access=["edit", "view"],
            updates=[bytes.fromhex(HEX["update"])],
            state=bytes.fromhex(HEX["state"]),
            awareness=b"",
            schema=0,
        ),
    ),
    (
        34,
        "Joined",
        dict(
            ref=2,
            channel=18,
            room="docs/7:comments",
            incarnation=3,
            offset=0,
            access=[],
            updates=[],
            state=b"\x00",
            awareness=b"\x00",
            schema=2,
        ),
    ),
    (35, "Left", dict(channel=17, code=301, reason="the room was deleted")),
    (
        36,
        "Changed",
        dict(channel=17, update=bytes.fromhex(HEX["update"]), offset=0, sender="", time=0.0),
    ),
    (36, "Changed", dict(channel=17, update=b"\x00", offset=9, sender="u_1", time=1.75e9)),
    (37, "Synced", dict(channel=17, ref=4, updates=[], state=(41).to_bytes(8, "big"))),
    (38, "Ack", dict(channel=17, ref=3, offset=301)),
    (39, "Signaled", dict(channel=17, name="wave", body=True, sender="u_1")),
    (39, "Signaled", dict(channel=0, name="notice", body={"id": 7, "read": False}, sender="")),
    (40, "Answer", dict(channel=17, ref=5, body=None, offset=0)),
    (41, "Refreshed", dict(ref=7, expires=900.0)),
    (42, "Pong", dict(ref=8)),
    (43, "Refuse", dict(channel=17, ref=3, code=201, reason="you may not write here")),
    (44, "Error", dict(code=3500, reason="expected binary frames")),
    (45, "Resync", dict(channel=17, state=b"\x00")),
    (46, "Reset", dict(channel=17, incarnation=2, code=403, reason="refused")),
    (47, "AccessChanged", dict(channel=17, access=["view"])),
    (48, "Unsaved", dict(channel=17, waiting=True)),
    (49, "Drain", dict(within=20.0, reason="the node restarts")),
]
MALFORMED = [
    "",
    "c1",
    "80",
    "90",
    "9104",
    "920407",
    "91cc63",
    "9404ff07c400",
    "9404cf0020000000000000" + "07c400",
    "94040307a474657874",
    "930101a1ff",
    "95070102a178810102",
    "95070102a178" + "91" * 33 + "c0",
    "9404030" + "7c402aa",
    "920ac0",
    "9404c307c400",
    "94040307c40000",
]


def to_json(value: object) -> object:
    """Write bytes as {hex: ...}."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [to_json(item) for item in cast("list[object]", value)]
    return value


def main() -> None:
    """Write the file."""
    rows = [
        {
            "from": side,
            "message": {"type": name, **{key: to_json(item) for key, item in fields.items()}},
            "bytes": msgpack.packb([number, *fields.values()]).hex(),
        }
        for side, table in (("client", CLIENT), ("server", SERVER))
        for number, name, fields in table
    ]
    about = "Frames of the native dialect, SPEC.md sections 5 and 6. Bytes are {hex: ...}."
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    text = f'{{\n"about": "{about}",\n"messages": [\n{lines}\n],\n"malformed": '
    text += json.dumps(MALFORMED) + "\n}\n"
    (Path(__file__).parents[1] / "native.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
