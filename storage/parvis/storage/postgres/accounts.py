"""PostgresAccounts: people, sign-ins, links, revocations and secrets, of the whole server."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from asyncpg import Connection, PostgresError

from parvis.storage.accounts import Link, LinkKind, SignIn, User
from parvis.storage.errors import AccountChanged, EmailTaken, LinkGone
from parvis.storage.postgres.engine import Engine

T = TypeVar("T")

_USER = "id, tenant, email, name, color, password, admin, created, disabled, epoch, language"
_LINK = 'id, kind, tenant, email, digest, created, expires, "user", inviter, admin, path, language'
_TAKEN = "23505"
_USE = "DELETE FROM parvis.parvis_link WHERE digest = $1 RETURNING id"
_ADD_USER = f"""
    INSERT INTO parvis.parvis_user ({_USER}, folded)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_END_INVITATIONS = "DELETE FROM parvis.parvis_link WHERE kind = 'invitation' AND folded = $1"
_EPOCH = "SELECT epoch FROM parvis.parvis_user WHERE id = $1 FOR UPDATE"
_SAVE_USER = """
    UPDATE parvis.parvis_user SET tenant = $2, email = $3, name = $4, color = $5, password = $6,
        admin = $7, created = $8, disabled = $9, epoch = $10, language = $11, folded = $12
    WHERE id = $1
"""
_END_LINKS = 'DELETE FROM parvis.parvis_link WHERE "user" = $1'
_USERS = f"SELECT {_USER} FROM parvis.parvis_user WHERE {{}} ORDER BY created, number"
_FORGET_LINKS = "DELETE FROM parvis.parvis_link WHERE expires <= $1"
_ADD_LINK = f"""
    INSERT INTO parvis.parvis_link AS kept ({_LINK}, folded)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (kind, tenant, folded) DO UPDATE SET id = excluded.id,
        email = excluded.email, digest = excluded.digest, created = excluded.created,
        expires = excluded.expires, "user" = excluded."user", inviter = excluded.inviter,
        admin = excluded.admin, path = excluded.path, language = excluded.language
    WHERE excluded.created >= kept.created
"""
_LINKS = f"SELECT {_LINK} FROM parvis.parvis_link WHERE {{}} ORDER BY created, number"
_END_LINK = "DELETE FROM parvis.parvis_link WHERE id = $1"
_SIGN_IN = 'digest, "user", created, expires'
_FORGET_SIGN_INS = "DELETE FROM parvis.parvis_sign_in WHERE expires <= $1"
_ADD_SIGN_IN = f"""
    INSERT INTO parvis.parvis_sign_in ({_SIGN_IN}) VALUES ($1, $2, $3, $4)
    ON CONFLICT (digest) DO UPDATE
    SET "user" = excluded."user", created = excluded.created, expires = excluded.expires
"""
_FIND_SIGN_IN = f"SELECT {_SIGN_IN} FROM parvis.parvis_sign_in WHERE digest = $1 AND expires > $2"
_END_SIGN_IN = "DELETE FROM parvis.parvis_sign_in WHERE digest = $1"
_REVOKE = """
    INSERT INTO parvis.parvis_revoked AS kept (token, until) VALUES ($1, $2)
    ON CONFLICT (token) DO UPDATE SET until = greatest(kept.until, excluded.until)
"""
_FORGET_REVOKED = "DELETE FROM parvis.parvis_revoked WHERE until <= $1"
_REVOKED = "SELECT token FROM parvis.parvis_revoked ORDER BY token"
_KEEP_SECRET = """
    INSERT INTO parvis.parvis_secret (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""
_SECRET = "SELECT value FROM parvis.parvis_secret WHERE name = $1"
_TAKE_SECRET = "DELETE FROM parvis.parvis_secret WHERE name = $1 AND value = $2 RETURNING name"


class PostgresAccounts:
    """Keeps accounts beside the rooms; `parvis.storage.Accounts` says what is promised."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add_user(self, user: User, *, link: bytes | None = None) -> None:
        async def add(connection: Connection) -> None:
            await _use(connection, link)
            await _keep(connection, _ADD_USER, user)
            await connection.execute(_END_INVITATIONS, user.email.casefold())

        await self._write(add)

    async def save_user(self, user: User, *, link: bytes | None = None) -> None:
        async def save(connection: Connection) -> None:
            epoch = await connection.fetchval(_EPOCH, user.id)
            if epoch is None:
                raise KeyError(user.id)
            if user.epoch < epoch:
                raise AccountChanged(user.id)
            await _use(connection, link)
            if user.epoch > epoch:
                await connection.execute(_END_LINKS, user.id)
            await _keep(connection, _SAVE_USER, user)

        await self._write(save)

    async def user(self, id: str) -> User | None:
        return next(iter(await self._users("id = $1", id)), None)

    async def user_by_email(self, email: str) -> User | None:
        return next(iter(await self._users("folded = $1", email.casefold())), None)

    async def users(self, tenant: str | None = None) -> Sequence[User]:
        return await self._users("$1::text IS NULL OR tenant = $1", tenant)

    async def add_sign_in(self, sign_in: SignIn) -> None:
        async def add(connection: Connection) -> None:
            await connection.execute(_FORGET_SIGN_INS, sign_in.created)
            await connection.execute(
                _ADD_SIGN_IN, sign_in.digest, sign_in.user, sign_in.created, sign_in.expires
            )

        await self._write(add)

    async def sign_in(self, digest: bytes, *, now: float) -> SignIn | None:
        row = await self._read(lambda to: to.fetchrow(_FIND_SIGN_IN, digest, now))
        return None if row is None else SignIn(*row)

    async def end_sign_in(self, digest: bytes) -> None:
        await self._write(lambda to: to.execute(_END_SIGN_IN, digest))

    async def add_link(self, link: Link) -> None:
        values = (link.id, link.kind, link.tenant, link.email, link.digest, link.created,
                  link.expires, link.user, link.inviter, int(link.admin), link.path,
                  link.language, link.email.casefold())  # fmt: skip

        async def add(connection: Connection) -> None:
            await connection.execute(_FORGET_LINKS, link.created)
            await connection.execute(_ADD_LINK, *values)

        await self._write(add)

    async def link(self, digest: bytes, *, now: float) -> Link | None:
        return next(iter(await self._links("digest = $1 AND expires > $2", digest, now)), None)

    async def links(self, kind: LinkKind, tenant: str, *, now: float) -> Sequence[Link]:
        where = "kind = $1 AND tenant = $2 AND expires > $3"
        return await self._links(where, kind, tenant, now)

    async def end_link(self, id: str) -> None:
        await self._write(lambda to: to.execute(_END_LINK, id))

    async def revoke(self, token: str, *, until: float) -> None:
        await self._write(lambda to: to.execute(_REVOKE, token, until))

    async def revoked(self, *, now: float) -> Sequence[str]:
        async def revoked(connection: Connection) -> Sequence[str]:
            await connection.execute(_FORGET_REVOKED, now)
            return [row[0] for row in await connection.fetch(_REVOKED)]

        return await self._write(revoked)

    async def secret(self, name: str, *, fresh: bytes) -> bytes:
        async def secret(connection: Connection) -> bytes:
            await connection.execute(_KEEP_SECRET, name, fresh)
            return bytes(await connection.fetchval(_SECRET, name))

        return await self._write(secret)

    async def take_secret(self, name: str, value: bytes) -> bool:
        return await self._write(lambda to: to.fetchval(_TAKE_SECRET, name, value)) is not None

    async def _users(self, where: str, value: str | None) -> list[User]:
        rows = await self._read(lambda to: to.fetch(_USERS.format(where), value))
        users: list[User] = []
        for id, tenant, email, name, color, password, admin, created, *rest in rows:
            disabled, epoch, language = rest
            user = User(id, tenant, email, name, color, password, bool(admin), created)
            users.append(replace(user, disabled=bool(disabled), epoch=epoch, language=language))
        return users

    async def _links(self, where: str, *values: bytes | str | float) -> list[Link]:
        rows = await self._read(lambda to: to.fetch(_LINKS.format(where), *values))
        return [replace(link, admin=bool(link.admin)) for link in (Link(*row) for row in rows)]

    async def _read(self, read: Callable[[Connection], Awaitable[T]]) -> T:
        return await self._engine.run("", read, reads=True)

    async def _write(self, change: Callable[[Connection], Awaitable[T]]) -> T:
        return await self._engine.run("", change)


async def _keep(connection: Connection, sql: str, user: User) -> None:
    values = (user.id, user.tenant, user.email, user.name, user.color, user.password,
              int(user.admin), user.created, int(user.disabled), user.epoch, user.language,
              user.email.casefold())  # fmt: skip
    try:
        await connection.execute(sql, *values)
    except PostgresError as error:
        if error.sqlstate != _TAKEN:
            raise
        raise EmailTaken(f"{user.email} has an account already") from error


async def _use(connection: Connection, link: bytes | None) -> None:
    """Use a link up. Raises `LinkGone`."""
    if link is not None and await connection.fetchval(_USE, link) is None:
        raise LinkGone("there is no such link any more")
