"""The command line: one table of commands, each with what it takes and what it does."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, Final

from ..settings import LOCAL_TENANT, Settings, SettingsInvalid, load
from .output import USAGE, CommandError, show_error

Run = Callable[[Settings, argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """An argument parser that complains as the rest of the program does."""

    def error(self, message: str) -> Any:
        hint = f"{self.prog} --help says what it takes."
        raise CommandError(message, hint, code="usage", exit_code=USAGE)


def parser() -> argparse.ArgumentParser:
    """Return the whole command line."""
    top = _Parser(prog="parvis", description="Realtime collaboration, self-hosted.")
    top.add_argument("--version", action="version", version=f"parvis {version('parvis')}")
    groups: dict[str, Any] = {"": top.add_subparsers(metavar="COMMAND", parser_class=_Parser)}
    for group, help in GROUPS.items():
        outer, _, name = group.rpartition(" ")
        inner = groups[outer].add_parser(name, help=help, description=help)
        groups[group] = inner.add_subparsers(metavar="COMMAND", parser_class=_Parser)
    for path, (help, run, arguments) in COMMANDS.items():
        group, _, name = path.rpartition(" ")
        one = groups[group].add_parser(name, help=help, description=help)
        for add in (*arguments, *COMMON):
            add(one)
        one.set_defaults(run=run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 2 if it was asked wrongly, 1 if it failed."""
    words = sys.argv[1:] if argv is None else list(argv)
    as_json = "--json" in words
    # The data folder holds keys and password hashes, also one that somebody made too open.
    os.umask(0o077)
    try:
        arguments = parser().parse_args(words)
        if not hasattr(arguments, "run"):
            raise CommandError("no command", "parvis --help lists them.", exit_code=USAGE)
        run: Run = arguments.run
        return run(load(arguments, os.environ), arguments)
    except SettingsInvalid as error:
        for problem in error.problems[:-1]:
            print(f"parvis: {problem}", file=sys.stderr)
        last = "\n".join(map(str, error.problems)) if as_json else str(error.problems[-1])
        hint = "parvis config list shows every setting."
        show_error(CommandError(last, hint, code="settings", exit_code=USAGE), as_json=as_json)
        return USAGE
    except CommandError as error:
        show_error(error, as_json=as_json)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has enough, such as head(1).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


Add = Callable[[argparse.ArgumentParser], object]


def _argument(*names: str, **options: Any) -> Add:
    return lambda parser: parser.add_argument(*names, **options)


def _lazily(module: str, name: str) -> Run:
    """Import what a command needs when it runs: `parvis --help` loads no server."""

    def run(settings: Settings, arguments: argparse.Namespace) -> int:
        from importlib import import_module

        command: Run = getattr(import_module(f"parvis.server.commands.{module}"), name)
        return command(settings, arguments)

    return run


COMMON: Final = (
    _argument("--config", metavar="FILE", help="settings in TOML"),
    _argument("--data", metavar="DIR", help="data folder (./data)"),
    _argument(
        "--store", metavar="URL", help="sqlite:///DIR (in the data folder) or postgresql://…"
    ),
    _argument("--json", action="store_true", help="answer in JSON"),
)
TENANT: Final = _argument("--tenant", default=LOCAL_TENANT, help=f"whose data ({LOCAL_TENANT})")
ROOM: Final = _argument("room", metavar="ROOM", help="type/key")
PART: Final = _argument("room", metavar="ROOM", help="type/key or type/key:part")
RESCUE: Final = _argument("id", metavar="ID", help="as parvis room rescued list shows it")


def _one_moment(parser: argparse.ArgumentParser) -> None:
    moment = parser.add_mutually_exclusive_group(required=True)
    moment.add_argument("--at", metavar="TIME", help="2026-11-20T16:30, or seconds since 1970")
    moment.add_argument("--offset", type=int, help="after this place in the log")
    moment.add_argument("--version", dest="version_id", metavar="ID", help="a named version's id")


ASIDE: Final = (
    _argument("--room", metavar="ROOM", help="of one room only: type/key or type/key:part"),
    _argument("--type", default="", help="of rooms of one type only"),
    _argument("--prefix", default="", help="of rooms whose key begins so"),
)
IDS: Final = _argument("ids", metavar="ID", nargs="*", help="the beginning of an id")
ALL: Final = _argument("--all", action="store_true", help="all that the filters leave")
KEY: Final = _argument("--key", metavar="FILE", help="key file of parvis backup key (backup.key)")
BACKUP: Final = _argument("file", metavar="FILE", help="a file, or s3://BUCKET/PREFIX/NAME?…")
NEWEST: Final = _argument(
    "file", metavar="FILE", nargs="?", help="a file, or s3://BUCKET/PREFIX/NAME?… (the newest)"
)
TEXTFILE: Final = _argument(
    "--textfile", metavar="FILE", help="write the metrics for node_exporter, too"
)

GROUPS: Final = {
    "user": "accounts",
    "room": "rooms",
    "room rescued": "what came too late for a document that was rebuilt",
    "quarantine": "updates that were set aside",
    "mail": "letters",
    "backup": "copies of everything",
    "store": "where everything durable is",
    "config": "settings",
}

COMMANDS: Final[dict[str, tuple[str, Run, tuple[Add, ...]]]] = {
    "serve": (
        "run a node",
        _lazily("serving", "serve"),
        (
            _argument("--host", help="address to listen on (127.0.0.1)"),
            _argument("--port", help="port to listen on (8000); 0 takes a free one"),
            _argument("--public-url", metavar="URL", help="address that browsers use"),
            # Taken, and answered by what is missing: they are part of the command line for good.
            _argument("--redis", help=argparse.SUPPRESS),
            _argument("--workers", help=argparse.SUPPRESS),
            _argument(
                "--open",
                action="store_true",
                default=None,
                help="anyone may do anything; loopback only",
            ),
            _argument("--log-level", metavar="LEVEL", help="debug, info, warning or error"),
            _argument("--log-format", metavar="FORMAT", help="text or json"),
        ),
    ),
    "user add": (
        "make an account",
        _lazily("people", "add"),
        (
            _argument("email", metavar="EMAIL"),
            _argument("--name", default="", help="for people (what stands before the @)"),
            _argument("--admin", action="store_true", help="administers the tenant"),
            _argument("--password-stdin", action="store_true", help="read it from the first line"),
            TENANT,
        ),
    ),
    "user password": (
        "give an account a new password",
        _lazily("people", "password"),
        (
            _argument("email", metavar="EMAIL"),
            _argument("--password-stdin", action="store_true", help="read it from the first line"),
        ),
    ),
    "user invite": (
        "print a link by which somebody makes an account",
        _lazily("people", "invite"),
        (
            _argument("email", metavar="EMAIL"),
            _argument("--admin", action="store_true", help="administers the tenant"),
            _argument("--path", default="/", help="where the person is led afterwards (/)"),
            TENANT,
        ),
    ),
    "user list": (
        "list accounts",
        _lazily("people", "list_all"),
        (_argument("--tenant", help="of one tenant only"),),
    ),
    "token": (
        "print an access token",
        _lazily("people", "token"),
        (_argument("email", metavar="EMAIL"),),
    ),
    "room list": (
        "list rooms",
        _lazily("rooms", "list_all"),
        (
            TENANT,
            _argument("--prefix", default="", help="of names"),
            _argument("--after", default="", help="the last name of the page before"),
            _argument("--limit", type=int, default=100, help="at most so many (100)"),
        ),
    ),
    "room inspect": ("describe a room", _lazily("rooms", "inspect"), (TENANT, ROOM)),
    "room history": (
        "say who wrote in a room when, newest first",
        _lazily("rooms", "history"),
        (
            TENANT,
            _argument("room", metavar="ROOM", help="type/key or type/key:part"),
            _argument("--before", type=int, default=0, help="the first offset of the page before"),
            _argument("--limit", type=int, default=50, help="at most so many (50; up to 100)"),
        ),
    ),
    "room export": (
        "write what a room holds durably",
        _lazily("rooms", "export"),
        (
            TENANT,
            _argument("room", metavar="ROOM", help="type/key or type/key:part"),
            _argument(
                "--format",
                default="update",
                help="update (of Yjs), json (all roots), text, log (its rows), or what the room's"
                " type adds, such as markdown or pdf",
            ),
            _argument("--root", help="of the text; all roots otherwise"),
            _argument("--offset", type=int, help="as it was after this place in the log"),
            _argument("--output", metavar="FILE", help="stdout otherwise"),
        ),
    ),
    "room import": (
        "take in documents that another Yjs server kept",
        _lazily("importing", "bring_in"),
        (
            TENANT,
            _argument(
                "source",
                metavar="SOURCE",
                help="a Yjs update, a folder of them, Hocuspocus' SQLite database, a folder of"
                " y-leveldb, or pycrdt-store's database or files; it is not changed",
            ),
            _argument(
                "--from",
                dest="kind",
                choices=("yjs", "hocuspocus", "y-leveldb", "pycrdt-store"),
                help="what it must be (whatever it is)",
            ),
            _argument("--type", default="plain", help="of the rooms (plain)"),
            _argument("--prefix", default="", help="put before each key"),
            _argument(
                "--key-from",
                metavar="REGEX",
                help="takes names that match as a whole; its first group is the key (all of it)",
            ),
            _argument("--owner", metavar="EMAIL", help="whose the rooms are"),
            _argument(
                "--merge", action="store_true", help="put documents into rooms that hold others"
            ),
            _argument(
                "--skip-existing", action="store_true", help="leave rooms that hold others alone"
            ),
            _argument("--dry-run", action="store_true", help="list what would go where"),
            _argument(
                "--work", metavar="DIR", help="where there is room for a copy (the system's)"
            ),
        ),
    ),
    "room rebuild": (
        "begin a new life of a document: the same content, without what was deleted",
        _lazily("lives", "rebuild"),
        (
            TENANT,
            PART,
            _argument("--dry-run", action="store_true", help="say what it would do"),
            _argument(
                "--now",
                action="store_true",
                help="do not wait for a moment in which nobody writes; what comes meanwhile is put"
                " aside",
            ),
            _argument(
                "--drop-positions",
                action="store_true",
                help="also if values look like relative positions of Yjs, which are lost",
            ),
        ),
    ),
    "room restore": (
        "change a document back to what it was, by one more update",
        _lazily("lives", "restore"),
        (TENANT, PART, _one_moment),
    ),
    "room rescued list": (
        "list what people wrote in an earlier life of a document, and brought too late",
        _lazily("lives", "list_rescued"),
        (TENANT, PART),
    ),
    "room rescued show": (
        "show what the document said before, and with it",
        _lazily("lives", "show_rescued"),
        (TENANT, PART, RESCUE),
    ),
    "room rescued export": (
        "write it to a file",
        _lazily("lives", "export_rescued"),
        (
            TENANT,
            PART,
            RESCUE,
            _argument(
                "--format",
                default="update",
                help="update (of Yjs, the whole document), added (an update with only what is"
                " new), json (all roots) or text",
            ),
            _argument("--output", metavar="FILE", help="stdout otherwise"),
        ),
    ),
    "room rescued drop": (
        "forget it",
        _lazily("lives", "drop_rescued"),
        (TENANT, PART, RESCUE),
    ),
    "room delete": (
        "delete a room for good",
        _lazily("rooms", "delete"),
        (TENANT, ROOM, _argument("--yes", action="store_true", help="really")),
    ),
    "quarantine list": (
        "list updates that were set aside",
        _lazily("quarantine", "list_all"),
        (TENANT, *ASIDE),
    ),
    "quarantine show": (
        "tell all about an update that was set aside",
        _lazily("quarantine", "show"),
        (
            TENANT,
            *ASIDE[:1],
            _argument("id", metavar="ID", help="the beginning of its id"),
            _argument("--export", metavar="FILE", help="write its bytes"),
        ),
    ),
    "quarantine replay": (
        "put updates back into their rooms, if they break nothing any more",
        _lazily("quarantine", "replay"),
        (TENANT, *ASIDE, IDS, ALL),
    ),
    "quarantine drop": (
        "forget updates that were set aside, for good",
        _lazily("quarantine", "drop"),
        (TENANT, *ASIDE, IDS, ALL, _argument("--yes", action="store_true", help="do not ask")),
    ),
    "backup key": (
        "make the key file that opens backups",
        _lazily("backups", "new_key"),
        (_argument("file", metavar="FILE"),),
    ),
    "backup create": (
        "copy everything into one encrypted file, while the node serves",
        _lazily("backups", "make"),
        (
            KEY,
            _argument("--to", metavar="DIR", help="folder for it (backup.folder)"),
            _argument(
                "--keep",
                metavar="RULE",
                action="append",
                help="then delete others but the newest 14, or those of 30d; may be repeated"
                " (backup.keep)",
            ),
            _argument("--upload", metavar="URL", help="s3://BUCKET/PREFIX?… (backup.upload)"),
            _argument(
                "--lock-days",
                type=float,
                metavar="DAYS",
                help="nobody deletes the upload for so long (backup.lock_days)",
            ),
            TEXTFILE,
        ),
    ),
    "backup verify": (
        "read a backup to its end, and check all of it",
        _lazily("backups", "check"),
        (KEY, NEWEST),
    ),
    "backup restore": (
        "fill an empty data folder, or an empty database, from a backup",
        _lazily("backups", "bring_back"),
        (KEY, BACKUP),
    ),
    "backup drill": (
        "restore a backup aside, compare every room, and report",
        _lazily("backups", "rehearse"),
        (
            KEY,
            NEWEST,
            _argument("--work", metavar="DIR", help="where there is room for it (the system's)"),
            _argument("--report", metavar="FILE", help="name of the report (beside the backup)"),
            TEXTFILE,
        ),
    ),
    "migrate": (
        "move everything into another, empty store; nothing may serve meanwhile",
        _lazily("moving", "migrate"),
        (
            _argument(
                "--to",
                metavar="URL",
                required=True,
                help="sqlite:///DIR, or postgresql://… with the role of the node",
            ),
        ),
    ),
    "mail test": (
        "send a letter, to see that letters arrive",
        _lazily("letters", "send_test"),
        (
            _argument("email", metavar="EMAIL"),
            _argument("--language", choices=("en", "fr"), default="en", help="en or fr"),
        ),
    ),
    "store migrate": (
        "make or change the tables in PostgreSQL, as their owner",
        _lazily("storing", "migrate"),
        (_argument("--dry-run", action="store_true", help="try it, and undo it"),),
    ),
    "doctor": (
        "look for what is wrong",
        _lazily("doctor", "doctor"),
        (
            _argument("--host", help="address a node would listen on"),
            _argument("--port", help="port a node would listen on"),
            _argument("--deep", action="store_true", help="read everything, however long it takes"),
        ),
    ),
    "config check": ("check the settings", _lazily("configuring", "check_settings"), ()),
    "config list": ("list every setting", _lazily("configuring", "list_settings"), ()),
}
