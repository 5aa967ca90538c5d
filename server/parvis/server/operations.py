"""What an operator does with a node's data, whether it is serving or not: `parvis user add` etc.

Each operation takes and returns JSON values, so that it can be asked for over the operator's socket
(`parvis.server.operator_socket`) just as in the process that holds the store.
"""

import base64
import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from parvis.plugins import ErrorCode, Refused, YDoc
from parvis.plugins.history import PAUSE
from parvis.protocol import RoomName
from parvis.storage import Address, EmailTaken, Head, LoggedUpdate, RoomInfo, Store, User
from parvis.storage.content import content

from .backup.keys import sign
from .core import Core
from .errors import ServerError
from .history.checkpoints import TASKS, Checkpoints
from .history.reading import Reading
from .history.rows import Rows
from .history.timeline import timeline
from .hosting.registry import Registry
from .identity import Identity
from .identity.links import address_of
from .lives import asking as lives
from .moving_in.asking import plan, take
from .moving_in.taking import Intake
from .ports import Clock, Helpers
from .setaside.desk import Desk

Json = Any
Delete = Callable[[str, str], Awaitable[None]]

EXPORT_TIMEOUT: Final = 300.0


class UnknownUser(ServerError):
    """No account has this e-mail address."""


class NotServing(ServerError):
    """Only a node that runs can do this."""


class CannotExport(ServerError):
    """The part's content does not exist in the wanted form."""


class Operations:
    """The operations; `OPERATIONS` names them.

    Args:
        delete: Deletes a room of a tenant, also while it is live.
        home: Where the web app is, for links.
        desk: Where updates in quarantine are looked after.
        condition: Tells how the node is, where one runs.
        intake: Takes documents of other servers in, where a node runs.
        core: The node, where one runs.
    """

    def __init__(
        self,
        *,
        store: Store,
        identity: Identity,
        helpers: Helpers,
        registry: Registry,
        delete: Delete,
        clock: Clock,
        home: str,
        desk: Desk,
        condition: Callable[[], Json] = dict,
        intake: Intake | None = None,
        core: Core | None = None,
    ) -> None:
        self._intake = intake
        self._core = core
        self._rescued = lives.Rescued(store, registry, helpers)
        self._store = store
        self._identity = identity
        self._helpers = helpers
        self._registry = registry
        self._delete = delete
        self._clock = clock
        self._home = home
        self._desk = desk
        self._condition = condition

    async def user_add(
        self, *, email: str, name: str, password: str, admin: bool, tenant: str
    ) -> Json:
        """Make an account. Raises what `People.add` raises."""
        people = self._identity.people
        people.passwords.check(password, email, name)
        user = await people.add(email, name=name, password=password, admin=admin, tenant=tenant)
        return _user(user)

    async def user_password(self, *, email: str, password: str) -> Json:
        """Give an account a new password; raises `UnknownUser`, and as `People.set_password`."""
        user = await self._identity.people.by_email(email)
        if user is None:
            raise UnknownUser(f"no account has the address {email[:80]!r}")
        return _user(await self._identity.people.set_password(user, password))

    async def user_invite(self, *, email: str, admin: bool, path: str, tenant: str) -> Json:
        """Invite somebody in the operator's name; nobody but who asks gets the link.

        Raises:
            InvalidAccount: If that is no address, or no path.
            EmailTaken: If somebody has an account with it.
        """
        if await self._identity.people.by_email(email.strip()) is not None:
            raise EmailTaken("another account has this e-mail address")
        link, secret = await self._identity.links.invite(
            email, tenant=tenant, admin=admin, path=path
        )
        facts = ("id", "tenant", "email", "admin", "path", "created", "expires")
        shown = {name: getattr(link, name) for name in facts}
        return {"invitation": shown, "link": address_of(link, secret, self._home)}

    async def user_list(self, *, tenant: str | None) -> Json:
        """List accounts, oldest first; of all tenants if none is named."""
        return [_user(user) for user in await self._identity.people.accounts.users(tenant)]

    async def token(self, *, email: str) -> Json:
        """Sign an access token for an account. Raises `UnknownUser`."""
        user = await self._identity.people.by_email(email)
        if user is None or user.disabled:
            raise UnknownUser(f"no account has the address {email[:80]!r}")
        signed = self._identity.access_token(user)
        return {"token": signed.token, "expires": signed.expires}

    async def room_list(self, *, tenant: str, prefix: str, after: str, limit: int) -> Json:
        """List living rooms by name."""
        found = await self._store.rooms(tenant, prefix=prefix, after=after, limit=limit)
        return [_room(room) for room in found]

    async def room_inspect(self, *, tenant: str, room: str) -> Json:
        """Describe a room: its parts, what the log and the snapshots hold, what was set aside."""
        name = self._registry.parse(room)
        info = await self._info(tenant, name)
        parts: dict[str, Json] = {}
        for part, head in sorted(info.parts.items()):
            snapshot = await self._store.snapshot(Address(tenant, name.room, part))
            parts[part] = _head(head) | {"snapshot": None if snapshot is None else snapshot.offset}
        poison = await self._store.quarantined(tenant, name.room)
        return _room(info) | {"parts": parts, "quarantined": len(poison)}

    async def room_history(self, *, tenant: str, room: str, before: int, limit: int) -> Json:
        """Say who wrote in a part when, newest first; see `parvis.plugins.Timeline`."""
        name = self._registry.parse(room)
        await self._info(tenant, name)
        reading = Reading(self._store)
        span = await reading.span(Address(tenant, name.room, name.part))
        return dataclasses.asdict(await timeline(reading, span, before, limit, PAUSE))

    async def room_export(
        self, *, tenant: str, room: str, format: str, root: str | None, offset: int | None = None
    ) -> Json:
        """Return what a part holds durably, as base64 in ``data``.

        Args:
            format: One of `FORMATS`; of a main part also one of `RoomType.exports`, taken first.
            offset: As it was after this one; None: as it is. The log is given whole.

        Raises:
            Refused: If there is no such room.
            CannotExport: If the part has no such form.
        """
        name = self._registry.parse(room)
        await self._info(tenant, name)
        address = Address(tenant, name.room, name.part)
        if format == "log":
            rows = [_row(row) for row in await self._rows(address)]
            data = "".join(rows).encode()
        else:
            data = await self._document(address, name, format, root, offset)
        return {"data": base64.b64encode(data).decode()}

    async def room_delete(self, *, tenant: str, room: str) -> Json:
        """Delete a room for good. Raises `RoomNotFound`."""
        name = self._registry.parse(room)
        if name.part:
            raise Refused(ErrorCode.INVALID_NAME, "expected a room, got a part of one")
        await self._info(tenant, name)
        await self._delete(tenant, name.room)
        return {"room": name.room}

    async def room_import_plan(self, **asked: Json) -> Json:
        """Say into which rooms documents would go; see `parvis.server.moving_in.asking`."""
        assert self._intake is not None  # where there is no node, nobody asks for it by name
        return await plan(self._intake, **asked)

    async def room_import(self, **asked: Json) -> Json:
        """Take a document of another server in; see `parvis.server.moving_in.asking`."""
        assert self._intake is not None
        return await take(self._intake, **asked)

    async def room_rebuild(self, **asked: Json) -> Json:
        """Begin a new life of a part; see `parvis.server.lives.asking`."""
        return await lives.rebuild(self._node(), **asked)

    async def room_restore(self, **asked: Json) -> Json:
        """Go back to a moment; see `parvis.server.lives.asking`."""
        return await lives.restore(self._node(), **asked)

    async def rescued_list(self, **asked: Json) -> Json:
        """List what came too late for a part; see `parvis.server.lives.asking`."""
        return await self._rescued.list(**asked)

    async def rescued_show(self, **asked: Json) -> Json:
        """Describe some of it."""
        return await self._rescued.show(**asked)

    async def rescued_export(self, **asked: Json) -> Json:
        """Return some of it."""
        return await self._rescued.export(**asked)

    async def rescued_drop(self, **asked: Json) -> Json:
        """Forget some of it."""
        return await self._rescued.drop(**asked)

    def _node(self) -> Core:
        if self._core is None:
            raise NotServing("no node serves this data folder")
        return self._core

    async def quarantine_list(self, **asked: Json) -> Json:
        """List updates that were set aside because they broke a replica; see `Desk.listed`."""
        return await self._desk.listed(**asked)

    async def quarantine_show(self, **asked: Json) -> Json:
        """Tell all about one of them; see `Desk.show`."""
        return await self._desk.show(**asked)

    async def quarantine_replay(self, **asked: Json) -> Json:
        """Put one back into its log; see `Desk.replay`."""
        return await self._desk.replay(**asked)

    async def quarantine_drop(self, **asked: Json) -> Json:
        """Forget one for good; see `Desk.drop`."""
        return await self._desk.drop(**asked)

    async def node_state(self) -> Json:
        """Tell how the node is; see `parvis.server.condition`."""
        return self._condition()

    async def backup_sign(self, *, digest: str, fresh: str) -> Json:
        """Sign the manifest of a backup in the node's name; see `parvis.server.backup.keys`.

        Args:
            digest: SHA-256 of the manifest, in hex.
            fresh: 32 bytes of chance in hex, the node's secret if it has none yet.
        """
        signer, signature = await sign(
            self._identity.people.accounts, bytes.fromhex(digest), fresh=bytes.fromhex(fresh)
        )
        return {"signer": signer, "signature": signature.hex()}

    async def _info(self, tenant: str, name: RoomName) -> RoomInfo:
        info = await self._store.room(tenant, name.room)
        if info is None:
            raise Refused(ErrorCode.ROOM_NOT_FOUND, f"there is no room {name.room}")
        if info.deleted is not None:
            raise Refused(ErrorCode.ROOM_DELETED, f"the room {name.room} was deleted")
        return info

    async def _rows(self, address: Address) -> list[LoggedUpdate]:
        rows: list[LoggedUpdate] = []
        after = 0
        while page := await self._store.read(address, after=after):
            rows += page
            after = page[-1].offset
        return rows

    async def _document(
        self, address: Address, name: RoomName, format: str, root: str | None, offset: int | None
    ) -> bytes:
        kind = self._registry.get(name.type)
        replica = kind.parts[name.part].replica if name.part else kind.replica
        if not issubclass(replica, YDoc):
            raise CannotExport(f"{name} is no document: the server cannot read it; try log")
        update = await (self._now(address) if offset is None else self._then(address, offset))
        if not name.part and (task := kind.exports.get(format)) is not None:
            return await self._written(task, update)
        if format not in FORMATS:
            known = sorted({*FORMATS, *(() if name.part else kind.exports)})
            raise CannotExport(f"{name} has the forms {', '.join(known)}, not {format[:40]!r}")
        if format == "json":
            return await self._json(update)
        return await self._text(update, root) if format == "text" else update

    async def _now(self, address: Address) -> bytes:
        updates = await content(self._store, address)
        # A document can end the process that reads it, hence the helper.
        update: bytes = await self._helpers.run("merge", updates, timeout=EXPORT_TIMEOUT)
        return update

    async def _then(self, address: Address, offset: int) -> bytes:
        async def do(task: str, *args: Any) -> Any:
            return await self._called(f"{TASKS}.{task}", *args)

        reading, rows = Reading(self._store), Rows(self._store)
        await rows.prepare()
        span = await reading.span(address)
        span.require(offset)
        return await Checkpoints(reading, rows, do).state(span, offset)

    async def _written(self, task: str, update: bytes) -> bytes:
        written: bytes = await self._called(task, update)
        return written

    async def _called(self, task: str, *args: Any) -> Any:
        answer = await self._helpers.run("call", task, list(args), timeout=EXPORT_TIMEOUT)
        if "refused" in answer:
            raise CannotExport(str(answer["refused"][1]))
        return answer["result"]

    async def _json(self, update: bytes) -> bytes:
        values: dict[str, Any] = await self._helpers.run("to_json", update, timeout=EXPORT_TIMEOUT)
        return json.dumps(values, ensure_ascii=False, indent=2, default=_binary).encode() + b"\n"

    async def _text(self, update: bytes, root: str | None) -> bytes:
        names: dict[str, str] = await self._helpers.run("roots", update, timeout=EXPORT_TIMEOUT)
        if root is not None and root not in names:
            raise CannotExport(f"the document has no root {root!r}; it has {sorted(names)}")
        texts = [
            await self._helpers.run("text", update, each, timeout=EXPORT_TIMEOUT)
            for each in ([root] if root is not None else sorted(names))
        ]
        return "\n\n".join(text for text in texts if text).encode()


FORMATS: Final = ("update", "json", "text", "log")
"""A Yjs update; all roots as JSON; plain text; one JSON object per row of the log."""

OPERATIONS: Final = (
    "user_add",
    "user_password",
    "user_invite",
    "user_list",
    "token",
    "room_list",
    "room_inspect",
    "room_history",
    "room_export",
    "room_delete",
    "room_import_plan",
    "room_import",
    "room_rebuild",
    "room_restore",
    "rescued_list",
    "rescued_show",
    "rescued_export",
    "rescued_drop",
    "quarantine_list",
    "quarantine_show",
    "quarantine_replay",
    "quarantine_drop",
    "node_state",
    "backup_sign",
)
"""The methods of `Operations` that may be asked for by name."""


def _user(user: User) -> Json:
    kept = dataclasses.asdict(user)
    del kept["password"]
    return kept


def _room(room: RoomInfo) -> Json:
    return dataclasses.asdict(room) | {
        "parts": {part: _head(head) for part, head in sorted(room.parts.items())}
    }


def _head(head: Head) -> dict[str, Json]:
    return {"incarnation": head.incarnation, "offset": head.offset}


def _row(row: LoggedUpdate) -> str:
    return (
        json.dumps(
            {
                "offset": row.offset,
                "sender": row.sender,
                "time": row.time,
                "update": base64.b64encode(row.update).decode(),
            }
        )
        + "\n"
    )


def _binary(value: object) -> Json:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} has no JSON form")
