"""``parvis user …``: accounts, passwords, invitations; and ``parvis token``."""

import argparse
import datetime
import getpass
import sys

from ..settings import Settings
from .output import USAGE, CommandError, show_json, show_table
from .reach import operate


def add(settings: Settings, arguments: argparse.Namespace) -> int:
    """Make an account."""
    user = operate(
        settings,
        "user_add",
        {
            "email": arguments.email,
            "name": arguments.name,
            "password": _password(arguments),
            "admin": arguments.admin,
            "tenant": arguments.tenant,
        },
        create=True,
    )
    if arguments.json:
        show_json(user)
    else:
        kind = "administrator" if user["admin"] else "user"
        print(f"made the {kind} {user['email']} in tenant {user['tenant']}")
    return 0


def password(settings: Settings, arguments: argparse.Namespace) -> int:
    """Give an account a new password; all its sign-ins end."""
    words = {"email": arguments.email, "password": _password(arguments)}
    user = operate(settings, "user_password", words)
    if arguments.json:
        show_json(user)
    else:
        print(f"{user['email']} has a new password, and is signed out everywhere")
    return 0


def invite(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print a link by which somebody makes an account; no letter is sent."""
    invited = operate(
        settings,
        "user_invite",
        {
            "email": arguments.email,
            "admin": arguments.admin,
            "path": arguments.path,
            "tenant": arguments.tenant,
        },
    )
    if arguments.json:
        show_json(invited)
    else:
        print(invited["link"])
    return 0


def list_all(settings: Settings, arguments: argparse.Namespace) -> int:
    """List accounts."""
    users = operate(settings, "user_list", {"tenant": arguments.tenant})
    if arguments.json:
        show_json(users)
        return 0
    rows = [
        (
            each["id"],
            each["email"],
            each["name"],
            each["tenant"],
            "admin" if each["admin"] else "",
            moment(each["created"]),
            "disabled" if each["disabled"] else "",
        )
        for each in users
    ]
    show_table(("ID", "EMAIL", "NAME", "TENANT", "ROLE", "CREATED", ""), rows)
    return 0


def token(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print an access token."""
    signed = operate(settings, "token", {"email": arguments.email})
    if arguments.json:
        show_json(signed)
    else:
        print(signed["token"])
    return 0


def moment(seconds: float) -> str:
    """Return a moment as people read it."""
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%d %H:%M}"


def _password(arguments: argparse.Namespace) -> str:
    if arguments.password_stdin:
        # One line; a password may end in a space, but not in the line's end.
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandError(
            "there is no terminal to ask for the password on",
            "Pipe it in with --password-stdin.",
            code="usage",
            exit_code=USAGE,
        )
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise CommandError("the two passwords differ", code="usage", exit_code=USAGE)
    return password
