"""SqliteAccounts: people, sign-ins, revocations and secrets in the control file."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from parvis.storage.accounts import EmailTaken, SignIn, User
from parvis.storage.sqlite.engine import Engine
from parvis.storage.sqlite.files import Database

T = TypeVar("T")

_USER = "id, tenant, email, name, color, password, admin, created, disabled, epoch"


class SqliteAccounts:
    """Keeps accounts in ``control.db``; `parvis.storage.Accounts` says what is promised."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add_user(self, user: User) -> None:
        await self._write(lambda database: _add_user(database, user))

    async def save_user(self, user: User) -> None:
        await self._write(lambda database: _save_user(database, user))

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
        user.id,
    )


def _add_user(database: Database, user: User) -> None:
    try:
        database.execute(
            "INSERT INTO parvis_user (tenant, email, folded, name, color, password, admin,"
            " created, disabled, epoch, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            _row(user),
        )
    except sqlite3.IntegrityError as error:
        raise EmailTaken(f"{user.email} has an account already") from error


def _save_user(database: Database, user: User) -> None:
    try:
        changed = database.execute(
            "UPDATE parvis_user SET tenant = ?, email = ?, folded = ?, name = ?, color = ?,"
            " password = ?, admin = ?, created = ?, disabled = ?, epoch = ? WHERE id = ?",
            _row(user),
        ).rowcount
    except sqlite3.IntegrityError as error:
        raise EmailTaken(f"{user.email} has an account already") from error
    if not changed:
        raise KeyError(user.id)


def _users(database: Database, where: str, value: str | None) -> list[User]:
    rows = database.execute(
        f"SELECT {_USER} FROM parvis_user WHERE {where} ORDER BY created, rowid", (value,)
    )
    users: list[User] = []
    for id, tenant, email, name, color, password, admin, created, disabled, epoch in rows:
        user = User(id, tenant, email, name, color, password, bool(admin), created)
        users.append(replace(user, disabled=bool(disabled), epoch=epoch))
    return users


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
