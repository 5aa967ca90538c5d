"""The program, as an operator types it."""

import asyncio
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from io import StringIO
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from pycrdt import Doc, Map, Text, merge_updates

from parvis.server.api import Fault
from parvis.server.clock import SystemClock, SystemRandom
from parvis.server.commands.program import COMMANDS, main
from parvis.server.identity import Unauthenticated, open_identity
from parvis.server.operator_socket import ask
from parvis.server.settings import Settings
from parvis.storage import Address, Batch, Entry, Quarantined, Snapshot
from parvis.storage.factory import open_store
from parvis.storage.folder import hold_data_folder
from tests.identities import OTHER_PASSWORD, PASSWORD

Run = Callable[..., tuple[int, str, str]]

PROGRAM = (sys.executable, "-m", "parvis.server")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where a data folder may be made."""
    return tmp_path / "data"


@pytest.fixture
def run(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """Run the program in this process; returns exit code, stdout and stderr."""
    for name in [name for name in os.environ if name.startswith("PARVIS_")]:
        monkeypatch.delenv(name)
    before = os.umask(0o022)

    def run(*words: str, stdin: str = "", folder: Path | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", StringIO(stdin))
        code = main([*words, "--data", str(folder or data)])
        out, err = capsys.readouterr()
        return code, out, err

    yield run
    os.umask(before)


def parsed(run: Run, *words: str, **options: Any) -> Any:
    """Run a command that succeeds and return its JSON."""
    code, out, err = run(*words, "--json", **options)
    assert (code, err) == (0, "")
    return json.loads(out)


def updates() -> list[bytes]:
    """Return the updates of a small document: a text and a map."""
    doc: Doc[Any] = Doc()
    found: list[bytes] = []
    subscription = doc.observe(lambda event: found.append(event.update))
    text: Text = doc.get("text", type=Text)
    text += "Hello"
    text += ", world"
    doc.get("facts", type=Map)["answer"] = 42
    doc.unobserve(subscription)
    return found


async def fill(folder: Path, room: str, rows: list[bytes], *, snapshot_at: int = 0) -> None:
    """Keep a room in a data folder."""
    store, _ = open_store(f"sqlite:///{folder}")
    opened = await store.open_room("local", room, creator="u_1", now=1_795_176_000.0)
    entries = tuple(
        Entry(update=row, sender="u_1", time=1_795_176_000.0, key=bytes([at + 1]))
        for at, row in enumerate(rows)
    )
    await store.append("local", [Batch(room, "", opened.fence, 0, entries)])
    if snapshot_at:
        state = merge_updates(*rows[:snapshot_at])
        snapshot = Snapshot(incarnation=1, offset=snapshot_at, state=state)
        assert await store.save_snapshot(Address("local", room), opened.fence, snapshot)
    await store.close()


def add_ada(run: Run, *more: str) -> Any:
    """Make an account."""
    return parsed(
        run, "user", "add", "ada@example.org", "--password-stdin", *more, stdin=PASSWORD + "\n"
    )


# Accounts


def test_an_account_is_made_and_listed(run: Run, data: Path) -> None:
    user = add_ada(run, "--admin", "--name", "Ada Lovelace")
    assert (user["email"], user["name"], user["admin"]) == (
        "ada@example.org",
        "Ada Lovelace",
        True,
    )
    assert "password" not in user
    assert parsed(run, "user", "list") == [user]
    _, out, _ = run("user", "list")
    row = rf"^{user['id']} +ada@example.org +Ada Lovelace +local +admin"
    assert re.search(row, out, re.MULTILINE)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in data.glob("*.db*")} == {0o600}


def test_an_account_belongs_to_a_tenant(run: Run) -> None:
    add_ada(run, "--tenant", "acme")
    assert parsed(run, "user", "list", "--tenant", "acme")[0]["tenant"] == "acme"
    assert parsed(run, "user", "list", "--tenant", "local") == []


def test_a_token_is_printed_alone(run: Run) -> None:
    user = add_ada(run)
    code, out, err = run("token", "ADA@example.org")
    assert (code, err) == (0, "")
    claims = jwt.decode(out.strip(), options={"verify_signature": False})
    assert (claims["sub"], claims["tid"]) == (user["id"], "local")
    assert parsed(run, "token", "ada@example.org")["expires"] > 0


@pytest.mark.parametrize(
    ("words", "stdin", "code", "message"),
    [
        (("user", "add", "x@x.org", "--password-stdin"), "short\n", 1, "12 to 128 characters"),
        (("user", "add", "x@x.org", "--password-stdin"), "", 1, "12 to 128 characters"),
        (("user", "add", "x@x.org", "--password-stdin"), "password1234\n", 1, "well-known"),
        (("user", "add", "nobody", "--password-stdin"), PASSWORD, 1, "e-mail address"),
        (("user", "add", "ADA@example.org", "--password-stdin"), PASSWORD, 1, "another account"),
        (("user", "add", "x@x.org"), PASSWORD, 2, "no terminal"),
        (("token", "nobody@example.org"), "", 1, "no account"),
        (("token", "nobody"), "", 1, "no account"),
        (("room", "inspect", "plain/none"), "", 1, "no room plain/none"),
        (("room", "inspect", "chess/none"), "", 1, "no room type 'chess'"),
        (("room", "inspect", "none"), "", 1, "type/key"),
        (("room", "export", "plain/none", "--format", "json"), "", 1, "no room plain/none"),
        (("room", "delete", "plain/none", "--yes"), "", 1, "no room plain/none"),
        (("room", "delete", "plain/none"), "", 2, "cannot be undone"),
        (("room", "export", "plain/none", "--format", "pdf"), "", 1, "no room plain/none"),
        (("room", "list", "--limit", "x"), "", 2, "invalid int"),
        (("room", "paint"), "", 2, "invalid choice"),
        (("user", "list", "--nothing"), "", 2, "--nothing"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(
    run: Run, words: tuple[str, ...], stdin: str, code: int, message: str
) -> None:
    add_ada(run)
    found, out, err = run(*words, stdin=stdin)
    assert (found, out) == (code, "")
    assert re.fullmatch(r"parvis: [^\n]+\n(hint: [^\n]+\n)?", err)
    assert message in err
    _, out, err = run(*words, "--json", stdin=stdin)
    assert out == ""
    assert set(json.loads(err)["error"]) == {"code", "message", "hint"}


def test_a_wrong_folder_is_not_made(run: Run, data: Path) -> None:
    for path in COMMANDS:
        if path in ("serve", "user add") or path.startswith("backup "):  # see tests/server/backup
            continue
        if path in ("doctor", "config list", "config check", "store migrate"):
            run(*path.split())
            assert not data.exists(), path
            continue
        words = path.split()
        words += ["a@b.org"] if path in ("token", "mail test", "user invite") else []
        words += ["a@b.org", "--password-stdin"] if path == "user password" else []
        words += ["plain/x"] if path in ONE_ROOM else []
        words += ["plain/x"] if path in ONE_PART else []
        words += ["--offset", "1"] if path == "room restore" else []
        words += ["1"] if path in ONE_RESCUE else []
        words += ["--format", "log"] if path == "room export" else []
        words += ["--yes"] if path == "room delete" else []
        words += ["--to", "memory:"] if path == "migrate" else []
        words += ["01234567"] if path in ONE_UPDATE else []
        words += ["--yes"] if path == "quarantine drop" else []
        words += ["a-file"] if path == "room import" else []
        code, _, err = run(*words, stdin=PASSWORD)
        assert (code, err.splitlines()[0]) == (1, f"parvis: there is no data folder {data}"), path
    assert not data.exists()


def test_a_folder_that_cannot_be_used_is_an_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = run("room", "list", folder=tmp_path / "file" / "data")
    assert (code, "no data folder" in err) == (1, True)
    code, _, err = run("serve", folder=tmp_path / "file" / "data")
    assert (code, "cannot be used: Not a directory" in err) == (1, True)


def test_a_forgotten_password_is_replaced_by_the_operator(run: Run, data: Path) -> None:
    user = add_ada(run)
    changed = parsed(
        run, "user", "password", "ADA@example.org", "--password-stdin", stdin=OTHER_PASSWORD
    )
    assert changed == user | {"epoch": user["epoch"] + 1}

    async def signs_in(password: str) -> bool:
        store, accounts = open_store(f"sqlite:///{data}")
        identity = await open_identity(Settings(), accounts, SystemClock(), SystemRandom())
        try:
            await identity.people.authenticate("ada@example.org", password, "192.0.2.1")
        except Unauthenticated:
            return False
        finally:
            identity.close()
            await store.close()
        return True

    assert asyncio.run(signs_in(OTHER_PASSWORD))
    assert not asyncio.run(signs_in(PASSWORD))
    code, out, _ = run("user", "password", "ada@example.org", "--password-stdin", stdin=PASSWORD)
    assert (code, out) == (0, "ada@example.org has a new password, and is signed out everywhere\n")


def test_an_invitation_is_printed_as_a_link(run: Run) -> None:
    add_ada(run)
    code, out, err = run("user", "invite", "new@example.org")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/invite#[\w-]{43}\n", out)
    invited = parsed(run, "user", "invite", "new@example.org", "--admin", "--path", "/docs")
    facts = invited["invitation"]
    assert (facts["email"], facts["admin"], facts["path"]) == ("new@example.org", True, "/docs")
    assert "/invite#" in invited["link"]
    code, _, err = run("user", "invite", "ADA@example.org")
    assert (code, "another account" in err) == (1, True)
    code, _, err = run("user", "invite", "new@example.org", "--path", "//evil.example")
    assert (code, "expected the path" in err) == (1, True)


# Letters


def test_a_test_letter_is_a_file_until_a_mail_server_is_set(run: Run, data: Path) -> None:
    add_ada(run)
    sent = parsed(run, "mail", "test", "ada@example.org", "--language", "fr")
    file = Path(sent["where"])
    assert (sent["to"], sent["sent"], file.parent) == ("ada@example.org", False, data / "mail")
    letter = message_from_bytes(file.read_bytes(), policy=default)
    assert (letter["To"], letter["Subject"]) == ("ada@example.org", "Une lettre de Parvis")
    code, _, err = run("mail", "test", "a,b@example.org")
    assert (code, "is no address" in err) == (1, True)


def test_a_test_letter_says_why_it_was_not_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("PARVIS_MAIL__HOST", "127.0.0.1")
    monkeypatch.setenv("PARVIS_MAIL__PORT", str(port))
    monkeypatch.setenv("PARVIS_SERVER__PUBLIC_URL", "https://parvis.example.org")
    code, _, err = run("mail", "test", "ada@example.org")
    assert (code, "refused" in err) == (1, True)
    found = findings(run, code=1)
    assert not found["mail"]["good"]
    assert "refused" in found["mail"]["detail"]


def test_the_doctor_says_that_letters_are_files(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(monkeypatch)
    found = findings(run, code=0)
    assert found["mail"]["detail"] == f"mail.host is not set: letters are written to {data}/mail"
    assert found["data folder"]["detail"].endswith("does not exist yet; a start makes it")
    assert not data.exists()


# Rooms

ONE_RESCUE = ("room rescued show", "room rescued export", "room rescued drop")
ONE_PART = ("room rebuild", "room restore", "room rescued list", *ONE_RESCUE)
ONE_UPDATE = ("quarantine show", "quarantine replay", "quarantine drop")
ONE_ROOM = ("room inspect", "room history", "room export", "room delete")


def test_the_past_of_a_room_is_listed_and_exported(run: Run, data: Path, tmp_path: Path) -> None:
    asyncio.run(fill(data, "plain/notes", updates()))
    page = parsed(run, "room", "history", "plain/notes")
    assert [(entry["first"], entry["last"]) for entry in page["entries"]] == [(1, 3)]
    assert (page["following"], page["since"]) == (None, 0)
    _, out, _ = run("room", "history", "plain/notes")
    assert ("1-3" in out, "u_1" in out) == (True, True)
    target = tmp_path / "then"
    export = ("room", "export", "plain/notes", "--output", str(target), "--format", "text")
    assert run(*export, "--root", "text", "--offset", "1")[0] == 0
    first = target.read_text()
    assert "Hello, world".startswith(first)
    assert first != "Hello, world"
    code, _, err = run(*export, "--offset", "9")
    assert (code, "no such moment" in err) == (1, True)


def test_rooms_are_listed_and_described(run: Run, data: Path) -> None:
    for name in ("plain/a", "plain/b", "plain/c"):
        asyncio.run(fill(data, name, updates()))
    assert [room["room"] for room in parsed(run, "room", "list")] == [
        "plain/a",
        "plain/b",
        "plain/c",
    ]
    page = parsed(run, "room", "list", "--after", "plain/a", "--limit", "1")
    assert [room["room"] for room in page] == ["plain/b"]
    described = parsed(run, "room", "inspect", "plain/a")
    assert described["parts"] == {"": {"incarnation": 1, "offset": 3, "snapshot": None}}
    assert (described["creator"], described["quarantined"]) == ("u_1", 0)
    _, out, _ = run("room", "inspect", "plain/a")
    assert "3 updates, incarnation 1, snapshot none" in out


@pytest.mark.parametrize("snapshot_at", [0, 2])
def test_a_room_is_exported_in_each_form(
    run: Run, data: Path, tmp_path: Path, snapshot_at: int
) -> None:
    asyncio.run(fill(data, "plain/notes", updates(), snapshot_at=snapshot_at))
    file = tmp_path / "notes.yjs"
    code, _, _ = run("room", "export", "plain/notes", "--output", str(file))
    assert code == 0
    doc: Doc[Any] = Doc()
    doc.apply_update(file.read_bytes())
    assert str(doc.get("text", type=Text)) == "Hello, world"

    target = str(tmp_path / "out")
    export = ("room", "export", "plain/notes", "--output", target, "--format")
    assert run(*export, "json")[0] == 0
    assert json.loads(Path(target).read_text()) == {
        "facts": {"answer": 42},
        "text": "Hello, world",
    }
    assert run(*export, "text", "--root", "text")[0] == 0
    assert Path(target).read_text() == "Hello, world"
    assert run(*export, "log")[0] == 0
    rows = [json.loads(line) for line in Path(target).read_text().splitlines()]
    assert [(row["offset"], row["sender"]) for row in rows] == [(1, "u_1"), (2, "u_1"), (3, "u_1")]
    code, _, err = run(*export, "text", "--root", "nothing")
    assert (code, "no root 'nothing'" in err) == (1, True)


def test_a_broken_document_cannot_end_the_program(run: Run, data: Path) -> None:
    asyncio.run(fill(data, "plain/broken", [b"\x01\x02\x03 no update"]))
    code, _, err = run("room", "export", "plain/broken", "--format", "json")
    assert (code, "cannot be read" in err) == (1, True)
    assert run("room", "export", "plain/broken", "--format", "log", "--output", os.devnull)[0] == 0


def test_a_room_is_deleted_for_good(run: Run, data: Path) -> None:
    asyncio.run(fill(data, "plain/notes", updates()))
    assert parsed(run, "room", "delete", "plain/notes", "--yes") == {"room": "plain/notes"}
    assert parsed(run, "room", "list") == []
    code, _, err = run("room", "inspect", "plain/notes")
    assert (code, "was deleted" in err) == (1, True)


def test_what_was_set_aside_is_listed(run: Run, data: Path) -> None:
    asyncio.run(fill(data, "plain/notes", updates()))

    async def set_aside() -> None:
        store, _ = open_store(f"sqlite:///{data}")
        poison = Quarantined("plain/notes", "", 2, b"poison", b"d" * 32, "u_2", 1.8e9, "a panic")
        await store.quarantine("local", poison)
        await store.close()

    asyncio.run(set_aside())
    (found,) = parsed(run, "quarantine", "list")
    assert (found["room"], found["offset"], found["sender"], found["reason"]) == (
        "plain/notes",
        2,
        "u_2",
        "a panic",
    )
    assert "poison" not in json.dumps(found)
    assert parsed(run, "quarantine", "list", "--room", "plain/other") == []
    assert parsed(run, "room", "inspect", "plain/notes")["quarantined"] == 1


def test_what_others_wrote_gives_a_terminal_no_orders(run: Run, data: Path) -> None:
    order = "\x1b]0;mine\x07\x9b2J"
    doc: Doc[Any] = Doc()
    text: Text = doc.get(f"root{order}", type=Text)
    text += "x"

    async def set_aside() -> None:
        store, _ = open_store(f"sqlite:///{data}")
        poison = Quarantined(
            "plain/notes", "", 0, doc.get_update(), b"d" * 32, "u_2", 1.8e9, f"why{order}"
        )
        await store.quarantine("local", poison)
        await store.close()

    asyncio.run(fill(data, "plain/notes", updates()))
    asyncio.run(set_aside())
    for words in (("quarantine", "list"), ("quarantine", "show", "6464")):
        code, out, _ = run(*words)
        assert (code, "why\\x1b]0;mine" in out) == (0, True)
        assert all(c.isprintable() for line in out.split("\n") for c in line)
    assert "root\\x1b]0;mine" in out


# Settings


def test_settings_are_checked(run: Run, tmp_path: Path) -> None:
    assert run("config", "check")[:2] == (0, "the settings are fine\n")
    file = tmp_path / "parvis.toml"
    file.write_text(
        "[server]\nprot = 1\n[rooms.chess]\nidle = 3\n[auth.apps.shop]\nsecret = 'short secret'\n"
    )
    code, out, err = run("config", "check", "--config", str(file))
    assert (code, out) == (2, "")
    assert "parvis: server.prot: unknown key; did you mean server.port?\n" in err
    assert "short secret" not in err
    file.write_text("[rooms.plain]\ncreat = 'anyone'\n")
    _, _, err = run("config", "check", "--config", str(file))
    assert "rooms.plain.creat: unknown key; did you mean rooms.plain.create?" in err
    file.write_text("[rooms.chess]\nidle = 3\n[rooms.plain]\nmember = 'edit'\n")
    code, _, err = run("config", "check", "--config", str(file))
    assert code == 2
    assert "rooms.chess: no such room type; installed: " in err
    assert "rooms.plain.member: unknown key; did you mean rooms.plain.members?" in err


def test_settings_are_shown_without_secrets(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARVIS_AUTH__APPS__SHOP__SECRET", "s" * 40)
    monkeypatch.setenv("PARVIS_AUTH__APPS__SHOP__ROOMS", "plain/shop-*")
    shown = parsed(run, "config", "check")
    assert "s" * 40 not in json.dumps(shown)
    assert shown["settings"]["auth"]["apps"]["shop"]["rooms"] == ["plain/shop-*"]
    assert shown["room_types"]["plain"] == {"members": "edit"}
    listed = {each["key"] for each in parsed(run, "config", "list")}
    assert {"server.port", "rooms.<type>.create", "auth.apps.<id>.jwks"} <= listed


def test_room_types_own_settings_are_listed_and_nothing_that_does_not_exist(run: Run) -> None:
    listed = {each["key"]: each for each in parsed(run, "config", "list")}
    members = listed["rooms.plain.members"]
    assert (members["variable"], members["default"], members["accepts"]) == (
        "PARVIS_ROOMS__PLAIN__MEMBERS",
        "edit",
        "one of edit, view, nothing",
    )
    assert members["meaning"].startswith("What people with an account may do in every plain")
    assert listed["mail.from"]["variable"] == "PARVIS_MAIL__FROM"
    assert not {"server.workers", "server.redis"} & set(listed)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--open", "--host", "0.0.0.0"), "--open lets anyone do anything"),
        (("--open", "--host", ""), "--open lets anyone do anything"),
        (("--open", "--host", "::"), "--open lets anyone do anything"),
        (("--workers", "2"), "is for several workers"),
        (("--redis", "redis://127.0.0.1"), "is for several workers"),
        (("--store", "postgres:parvis"), "postgresql://USER:PASSWORD@HOST/DATABASE"),
        (("--port", "http"), "expected a whole number from 0 to 65535"),
        (("--public-url", "parvis.example.org"), "an address like https://"),
    ],
)
def test_a_start_that_cannot_go_well_ends_before_it_begins(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(data.parent)
    code = main(["serve", *words])
    assert code == 2
    _, _, err = run("serve", *words)
    assert message in err
    assert not data.exists()


# The doctor


def findings(run: Run, *words: str, code: int) -> dict[str, Any]:
    """Return what the doctor finds, by name."""
    found, out, _ = run("doctor", "--port", "0", "--json", *words)
    answer = json.loads(out)
    assert (found, answer["good"]) == (code, code == 0)
    return {each["name"]: each for each in answer["findings"]}


def built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the doctor find the page, whether or not this checkout has built it."""
    monkeypatch.setattr("parvis.server.checks.program.is_built", lambda: True)


def test_the_doctor_finds_a_healthy_node_healthy(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(monkeypatch)
    add_ada(run)
    asyncio.run(fill(data, "plain/notes", updates()))
    found = findings(run, code=0)
    assert all(each["good"] for each in found.values())
    assert {"python", "pycrdt", "settings", "data folder", "port", "store", "control.db"} <= set(
        found
    )
    assert found["control.db"]["detail"].endswith("ok")
    assert sum(name.startswith("tenants/") for name in found) == 1


def test_the_doctor_makes_nothing(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built(monkeypatch)
    for store in ((), ("--store", "postgresql://nobody@127.0.0.1:1/none")):
        run("doctor", "--port", "0", *store)
        assert not data.exists()
    data.mkdir()
    found = findings(run, code=0)
    assert found["store"]["detail"] == "nothing yet; a start makes it"
    assert list(data.iterdir()) == []
    add_ada(run)
    before = sorted(data.rglob("*"))
    findings(run, code=0)
    assert sorted({*data.rglob("*")} - {data / "measurements.json"}) == before


def test_the_doctor_asks_room_types_what_they_need(
    run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(monkeypatch)
    add_ada(run)
    assert findings(run, code=0)["docs pdf"]["detail"].endswith("with Pango")
    # What WeasyPrint does on a machine without Pango.
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libpango-1.0-0')")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for name in [name for name in sys.modules if name.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    found = findings(run, code=1)["docs pdf"]
    assert not found["good"]
    assert "libpango-1.0-0" in found["detail"]


def test_the_doctor_finds_a_damaged_file(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(monkeypatch)
    add_ada(run)
    asyncio.run(fill(data, "plain/notes", updates()))
    (file,) = data.glob("tenants/*.db")
    size = file.stat().st_size
    with file.open("r+b") as damaged:
        damaged.seek(4096)
        damaged.write(b"\xff" * (size - 4096))
    found = findings(run, code=1)
    assert not found[f"tenants/{file.name}"]["good"]
    assert found["control.db"]["good"]
    _, out, _ = run("doctor", "--port", "0")
    assert re.search(rf"^  fail  tenants/{re.escape(file.name)}", out, re.MULTILINE)
    assert "hint:  Stop the node, keep a copy" in out


def test_the_doctor_finds_a_port_that_is_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    built(monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = findings(run, "--port", str(port), code=1)
    assert not found["port"]["good"]
    assert "Address already in use" in found["port"]["detail"]


def test_the_doctor_finds_what_the_settings_forbid(run: Run, data: Path) -> None:
    file = data.parent / "parvis.toml"
    file.write_text("[server]\nopen = true\nhost = '0.0.0.0'\n")
    found = findings(run, "--config", str(file), code=1)
    assert "--open" in found["settings"]["detail"]


# While a node serves


@contextmanager
def serving(data: Path, *words: str) -> Generator[tuple[str, str]]:
    """Run a node; gives its address and the link of the first start."""
    command = [*PROGRAM, "serve", "--port", "0", "--data", str(data), *words]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PARVIS_")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        try:
            assert process.stdout is not None
            said: list[str] = []
            for line in process.stdout:
                said.append(line)
                if line.startswith("Parvis is ready: "):
                    break
            link = re.search(r"http\S+/setup#\S+", "".join(said))
            address = re.search(r"http\S+", said[-1])
            assert address is not None, said
            yield address[0], "" if link is None else link[0]
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()


async def post(url: str, body: object) -> tuple[int, Any]:
    """Send JSON."""
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        return answer.status, await answer.json()


def test_commands_reach_a_node_that_serves(run: Run, data: Path) -> None:
    with serving(data) as (address, link):
        server, _, secret = link.partition("/setup#")
        assert server == address
        body = {"secret": secret, "email": "root@example.org", "password": PASSWORD}
        assert asyncio.run(post(f"{address}/api/v1/setup", body))[0] == 201
        assert asyncio.run(post(f"{address}/api/v1/setup", body))[0] == 403

        sock = data / "parvis.sock"
        assert stat.S_IMODE(sock.stat().st_mode) == 0o600
        user = add_ada(run)
        listed = parsed(run, "user", "list")
        assert [each["email"] for each in listed] == ["root@example.org", "ada@example.org"]
        token = parsed(run, "token", "ada@example.org")["token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["sub"] == user["id"]
        assert parsed(run, "room", "list") == []
        code, _, err = run("token", "nobody@example.org")
        assert (code, err.splitlines()[0]) == (
            1,
            "parvis: no account has the address 'nobody@example.org'",
        )
        with pytest.raises(Fault) as refused:
            asyncio.run(ask(data, "__init__", {}))
        assert refused.value.code == "unknown_operation"

        _, out, _ = run("doctor", "--json")
        holder = {each["name"]: each for each in json.loads(out)["findings"]}["held by"]
        assert holder["good"] and holder["detail"].endswith("it answers")

        again = subprocess.run(
            [*PROGRAM, "serve", "--port", "0", "--data", str(data)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert again.returncode == 1
        assert f"{data} is in use by process" in again.stderr
    assert not sock.exists()
    assert [each["email"] for each in parsed(run, "user", "list")] == [
        "root@example.org",
        "ada@example.org",
    ]
    with serving(data) as (_, link):
        assert link == ""


def test_a_folder_with_a_long_path_works_too(run: Run, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    with serving(deep) as (_, link):
        assert link
        assert parsed(run, "user", "list", folder=deep) == []


def test_a_holder_that_does_not_answer_is_named(run: Run, data: Path) -> None:
    held = hold_data_folder(data, now=1_795_176_000.0)
    code, _, err = run("room", "list")
    held.release()
    assert code == 1
    assert f"is in use by process {os.getpid()}" in err
    assert "does not answer" in err


def test_a_port_that_is_taken_is_named(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = subprocess.run(
            [*PROGRAM, "serve", "--port", str(port), "--data", str(data)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert answer.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in answer.stderr


def test_the_program_says_its_version_and_its_commands() -> None:
    version = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"parvis \d+\.\d+\.\d+\n", version.stdout)
    help = subprocess.run([*PROGRAM, "--help"], capture_output=True, text=True, check=True)
    assert all(path.split()[0] in help.stdout for path in COMMANDS)
