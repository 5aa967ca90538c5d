"""SqliteAccounts: people, sign-ins, links, revocations and secrets in the control file."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from parvis.storage.accounts import Link, LinkKind, SignIn, User
from parvis.storage.errors import AccountChanged, EmailTaken, LinkGone
from parvis.storage.sqlite.engine import Engine
from parvis.storage.sqlite.files import Database

T = TypeVar("T")

_USER = "id, tenant, email, name, color, password, admin, created, disabled, epoch, language"
_LINK = "id, kind, tenant, email, digest, created, expires, user, inviter, admin, path, language"


class SqliteAccounts:
    """Keeps accounts in ``control.db``; `parvis.storage.Accounts` says what is promised."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add_user(self, user: User, *, link: bytes | None = None) -> None:
        await self._write(lambda database: _add_user(database, user, link))

    async def save_user(self, user: User, *, link: bytes | None = None) -> None:
        await self._write(lambda database: _save_user(database, user, link))

    async def user(self, id: str) -> User | None:
        found = await self._read(lambda database: _users(database, "id = ?", id))
        return found[0] if found else None

    async def user_by_email(self, email: str) -> User | None:
        folded = email.casefold()
        found = await self._read(lambda database: _users(database, "folded = ?", folded))
        return found[0] if found else None

    async def users(self, tenant: str | None = None) -> Sequence[User]:
        return await self._read(
            lambda database: _users(database, "?1 IS NULL OR tenant = ?1", tenant)
        )

    async def add_sign_in(self, sign_in: SignIn) -> None:
        await self._write(lambda database: _add_sign_in(database, sign_in))

    async def sign_in(self, digest: bytes, *, now: float) -> SignIn | None:
        return await self._read(lambda database: _sign_in(database, digest, now))

    async def end_sign_in(self, digest: bytes) -> None:
        await self._write(
            lambda database: database.execute(
                "DELETE FROM parvis_sign_in WHERE digest = ?", (digest,)
            )
        )

    async def add_link(self, link: Link) -> None:
        await self._write(lambda database: _add_link(database, link))

    async def link(self, digest: bytes, *, now: float) -> Link | None:
        where = "digest = ? AND expires > ?"
        found = await self._read(lambda database: _links(database, where, (digest, now)))
        return found[0] if found else None

    async def links(self, kind: LinkKind, tenant: str, *, now: float) -> Sequence[Link]:
        where = "kind = ? AND tenant = ? AND expires > ?"
        return await self._read(lambda database: _links(database, where, (kind, tenant, now)))

    async def end_link(self, id: str) -> None:
        await self._write(
            lambda database: database.execute("DELETE FROM parvis_link WHERE id = ?", (id,))
        )

    async def revoke(self, token: str, *, until: float) -> None:
        await self._write(
            lambda database: database.execute(
                "INSERT INTO parvis_revoked (token, until) VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
                (token, until),
            )
        )

    async def revoked(self, *, now: float) -> Sequence[str]:
        return await self._write(lambda database: _revoked(database, now))

    async def secret(self, name: str, *, fresh: bytes) -> bytes:
        return await self._write(lambda database: _secret(database, name, fresh))

    async def take_secret(self, name: str, value: bytes) -> bool:
        return await self._write(
            lambda database: (
                database.execute(
                    "DELETE FROM parvis_secret WHERE name = ? AND value = ?", (name, value)
                ).rowcount
                > 0
            )
        )

    async def _read(self, read: Callable[[Database], T]) -> T:
        return await self._engine.read(self._engine.folder.control, read, create=True)

    async def _write(self, change: Callable[[Database], T]) -> T:
        return await self._engine.write(self._engine.folder.control, change)


def _row(user: User) -> tuple[str | int | float, ...]:
    return (
        user.tenant,
        user.email,
        user.email.casefold(),
        user.name,
        user.color,
        user.password,
        user.admin,
        user.created,
        user.disabled,
        user.epoch,
        user.language,
        user.id,
    )


def _add_user(database: Database, user: User, link: bytes | None) -> None:
    _use(database, link)
    try:
        database.execute(
            "INSERT INTO parvis_user (tenant, email, folded, name, color, password, admin,"
            " created, disabled, epoch, language, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            _row(user),
        )
    except sqlite3.IntegrityError as error:
        raise EmailTaken(f"{user.email} has an account already") from error
    database.execute(
        "DELETE FROM parvis_link WHERE kind = 'invitation' AND folded = ?",
        (user.email.casefold(),),
    )


def _save_user(database: Database, user: User, link: bytes | None) -> None:
    kept = database.execute("SELECT epoch FROM parvis_user WHERE id = ?", (user.id,)).fetchone()
    if kept is None:
        raise KeyError(user.id)
    if user.epoch < kept[0]:
        raise AccountChanged(user.id)
    _use(database, link)
    if user.epoch > kept[0]:
        database.execute("DELETE FROM parvis_link WHERE user = ?", (user.id,))
    try:
        database.execute(
            "UPDATE parvis_user SET tenant = ?, email = ?, folded = ?, name = ?, color = ?,"
            " password = ?, admin = ?, created = ?, disabled = ?, epoch = ?, language = ?"
            " WHERE id = ?",
            _row(user),
        )
    except sqlite3.IntegrityError as error:
        raise EmailTaken(f"{user.email} has an account already") from error


def _users(database: Database, where: str, value: str | None) -> list[User]:
    rows = database.execute(
        f"SELECT {_USER} FROM parvis_user WHERE {where} ORDER BY created, rowid", (value,)
    )
    users: list[User] = []
    for id, tenant, email, name, color, password, admin, created, disabled, epoch, language in rows:
        user = User(id, tenant, email, name, color, password, bool(admin), created)
        users.append(replace(user, disabled=bool(disabled), epoch=epoch, language=language))
    return users


def _use(database: Database, link: bytes | None) -> None:
    """Use a link up. Raises `LinkGone`."""
    if link is None:
        return
    if not database.execute("DELETE FROM parvis_link WHERE digest = ?", (link,)).rowcount:
        raise LinkGone("there is no such link any more")


def _add_link(database: Database, link: Link) -> None:
    database.execute("DELETE FROM parvis_link WHERE expires <= ?", (link.created,))
    database.execute(
        f"INSERT INTO parvis_link ({_LINK}, folded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (kind, tenant, folded) DO UPDATE SET id = excluded.id,"
        " email = excluded.email, digest = excluded.digest, created = excluded.created,"
        " expires = excluded.expires, user = excluded.user, inviter = excluded.inviter,"
        " admin = excluded.admin, path = excluded.path, language = excluded.language"
        " WHERE excluded.created >= parvis_link.created",
        (
            link.id,
            link.kind,
            link.tenant,
            link.email,
            link.digest,
            link.created,
            link.expires,
            link.user,
            link.inviter,
            link.admin,
            link.path,
            link.language,
            link.email.casefold(),
        ),
    )


def _links(database: Database, where: str, values: tuple[bytes | str | float, ...]) -> list[Link]:
    rows = database.execute(
        f"SELECT {_LINK} FROM parvis_link WHERE {where} ORDER BY created, rowid", values
    )
    links = [Link(*row) for row in rows]
    return [replace(link, admin=bool(link.admin)) for link in links]


def _add_sign_in(database: Database, sign_in: SignIn) -> None:
    database.execute("DELETE FROM parvis_sign_in WHERE expires <= ?", (sign_in.created,))
    database.execute(
        "INSERT OR REPLACE INTO parvis_sign_in (digest, user, created, expires)"
        " VALUES (?, ?, ?, ?)",
        (sign_in.digest, sign_in.user, sign_in.created, sign_in.expires),
    )


def _sign_in(database: Database, digest: bytes, now: float) -> SignIn | None:
    row = database.execute(
        "SELECT digest, user, created, expires FROM parvis_sign_in"
        " WHERE digest = ? AND expires > ?",
        (digest, now),
    ).fetchone()
    return None if row is None else SignIn(*row)


def _revoked(database: Database, now: float) -> list[str]:
    # Without an expired one nothing is written, and nothing synced.
    database.execute("DELETE FROM parvis_revoked WHERE until <= ?", (now,))
    return [row[0] for row in database.execute("SELECT token FROM parvis_revoked ORDER BY token")]


def _secret(database: Database, name: str, fresh: bytes) -> bytes:
    database.execute(
        "INSERT INTO parvis_secret (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (name, fresh),
    )
    row = database.execute("SELECT value FROM parvis_secret WHERE name = ?", (name,)).fetchone()
    return bytes(row[0])
