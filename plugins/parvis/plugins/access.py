"""Who asks, and what they may do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Access:
    """What a peer may do in a part: a set of capabilities.

    Known everywhere: ``view``, ``comment``, ``suggest``, ``edit``, ``share``, ``history``,
    ``admin``. A room type may add its own, led by its name: ``calendar.freebusy``.
    """

    capabilities: frozenset[str] = frozenset()

    def may(self, capability: str) -> bool:
        return capability in self.capabilities

    def __or__(self, other: Access) -> Access:
        return Access(self.capabilities | other.capabilities)

    def __and__(self, other: Access) -> Access:
        return Access(self.capabilities & other.capabilities)

    def __bool__(self) -> bool:
        return bool(self.capabilities)

    @classmethod
    def of(cls, capabilities: Iterable[str]) -> Access:
        return cls(frozenset(capabilities))


NOTHING = Access()
VIEWER = Access.of(["view"])
COMMENTER = Access.of(["view", "comment"])
EDITOR = Access.of(["view", "comment", "suggest", "edit", "history"])
OWNER = EDITOR | Access.of(["share", "admin"])


@dataclass(frozen=True, slots=True)
class Grant:
    """What a room token allows: capabilities in the rooms that a pattern names.

    Attributes:
        rooms: ``type/key`` or ``type/key:part``, or a prefix of one that ends in ``*``.
    """

    rooms: str
    access: Access

    def covers(self, name: str) -> bool:
        if self.rooms.endswith("*"):
            return name.startswith(self.rooms[:-1])
        return name == self.rooms


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a session, an HTTP request or the server itself. Proven, never claimed.

    Attributes:
        tenant: Whose data this is about; it comes from the sign-in, never from a name.
        user: Id of the user, or of a guest; stamped on awareness and on each update in the log.
        name: For people; empty if nobody vouches for one.
        color: ``#rrggbb`` or empty.
        member: Has an account in the tenant. Others hold a room token.
        admin: Administers the tenant.
        grants: What a room token allows. Without a room token: empty.
        anyone: The server runs with ``--open``: everybody may do everything.
        host: Id of the account that let a guest in with a room token of ours; else empty.

    A caller without `user` is a stranger: only routes that are `Route.public` hear of them.
    """

    tenant: str
    user: str
    name: str = ""
    color: str = ""
    member: bool = False
    admin: bool = False
    grants: tuple[Grant, ...] = ()
    anyone: bool = False
    host: str = ""

    @property
    def guest(self) -> bool:
        """Whether a member let them in, under a name that nobody vouches for."""
        return bool(self.host)

    def granted(self, room: str) -> Access:
        """Return what the caller's room token allows in a room, named ``type/key[:part]``."""
        access = NOTHING
        for grant in self.grants:
            if grant.covers(room):
                access |= grant.access
        return access
