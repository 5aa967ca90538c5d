"""Members: people who have a role in a document or a space, or are invited to have one."""

from __future__ import annotations

from typing import Any, Final

from parvis.plugins import Caller, ErrorCode, Person, Refused, Statement

from .changes import Changes
from .notices import Notices
from .office import Office, malformed, who
from .rights import Rights, normal
from .roles import rank_of
from .sharing import Sharing

MOST_PEOPLE: Final = 500
"""Members and invited people of one place, at most."""


class Members:
    """Gives people roles and takes them away."""

    def __init__(
        self, office: Office, rights: Rights, changes: Changes, sharing: Sharing, notices: Notices
    ) -> None:
        self._office = office
        self._rights = rights
        self._changes = changes
        self._sharing = sharing
        self._notices = notices

    async def put(
        self,
        caller: Caller,
        place: str,
        role: str,
        *,
        space: bool,
        user: str | None,
        email: str | None,
        message: str = "",
    ) -> dict[str, Any]:
        """Give somebody a role, by their id or by their address; return as `Sharing.shown` does.

        Somebody without an account is invited to make one, and becomes a member when they come.
        """
        at = await self._sharing.place(caller, place, space=space, shares=True)
        rank = rank_of(role)
        if (user is None) == (email is None):
            raise malformed("expected either a user or an email")
        if len(message) > 1000:
            raise malformed("a message has at most 1000 characters")
        await self._require_room(caller.tenant, place)
        person = None
        if user is not None:
            person = await self._office.person(caller.tenant, user)
            if person is None:
                raise Refused(ErrorCode.REFUSED, "there is nobody with this id")
        elif email is not None:
            person = await self._invited(caller, place, email, rank, space=space)
        if person is not None:
            if person.id == at.owner:
                raise Refused(ErrorCode.CONFLICT, "that person is the owner")
            await self._set(caller, place, person.id, rank)
            if person.id != caller.user:
                await self._notices.shared(caller, at, person, role, message)
        await self._changes.at(caller.tenant, place, space=space)
        return await self._sharing.told(caller, at)

    async def _invited(
        self, caller: Caller, place: str, email: str, rank: int, *, space: bool
    ) -> Person | None:
        node = self._office.node
        # The row comes first: whoever makes an account right now becomes a member all the same.
        sql = (
            "INSERT INTO docs_invited VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (place, email) DO UPDATE SET rank = excluded.rank"
        )
        address = normal(email)
        row = (place, address, rank, caller.user, node.now())
        before = "SELECT rank FROM docs_invited WHERE place = ? AND email = ?"
        earlier = await node.query(caller.tenant, before, place, address)
        await node.execute(caller.tenant, Statement(sql, row))
        gone = Statement("DELETE FROM docs_invited WHERE place = ? AND email = ?", (place, address))
        undone = gone
        if earlier:
            sql = "UPDATE docs_invited SET rank = ? WHERE place = ? AND email = ?"
            undone = Statement(sql, (earlier[0][0], place, address))
        try:
            path = "/docs" if space else f"/docs/{place}"
            invited = await node.invite(caller, email.strip(), path=path)
        except Refused:
            await node.execute(caller.tenant, undone)
            raise
        if invited.person is not None:
            await node.execute(caller.tenant, gone)
        return invited.person

    async def _set(self, caller: Caller, place: str, person: str, rank: int) -> None:
        sql = (
            "INSERT INTO docs_member VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (place, person) DO UPDATE SET rank = excluded.rank"
        )
        node = self._office.node
        row = (place, person, rank, caller.user, node.now())
        await node.execute(caller.tenant, Statement(sql, row))

    async def remove(
        self, caller: Caller, place: str, whom: str, *, space: bool
    ) -> dict[str, Any] | None:
        """Take somebody's role away, by their id or address. Everybody may remove themselves.

        The links that they made end, too, where they may not share any more, and with them those
        of whoever could share by one of these.

        Returns:
            As `Sharing.shown` does, and how many links ended as ``links_ended``; None if the caller
            does not see the place any more.
        """
        email = normal(whom)
        whom = await self._id(caller.tenant, place, whom)
        themselves = whom == caller.user
        await self._sharing.place(caller, place, space=space, shares=not themselves)
        links = "SELECT id FROM docs_link WHERE document = ?"
        await self._office.node.execute(
            caller.tenant,
            Statement("DELETE FROM docs_member WHERE place = ? AND person = ?", (place, whom)),
            Statement("DELETE FROM docs_invited WHERE place = ? AND email = ?", (place, email)),
            Statement(
                f"DELETE FROM docs_follower WHERE person = ? AND link IN ({links})", (whom, place)
            ),
        )
        ended = 0
        for key in await self._rights.below(caller.tenant, place) if space else [place]:
            ended += await self._changes.end_links(caller.tenant, key, whom)
            await self._changes.of(caller.tenant, key)
        try:
            at = await self._sharing.place(caller, place, space=space, shares=False)
        except Refused:
            return None
        return await self._sharing.told(caller, at) | {"links_ended": ended}

    async def _id(self, tenant: str, place: str, whom: str) -> str:
        """Return the id of whoever has this address; what is none is returned as it is."""
        address = normal(whom)
        if "@" not in address:
            return whom
        for person in (await self._office.people(tenant)).values():
            if normal(person.email) == address:
                return person.id
        # Accounts that are disabled, or have just been made, are not in that list.
        members = "SELECT person FROM docs_member WHERE place = ?"
        for (id,) in await self._office.node.query(tenant, members, place):
            member = await self._office.node.person(tenant, str(id))
            if member is not None and normal(member.email) == address:
                return member.id
        return whom

    async def mentionable(self, caller: Caller, key: str, question: str) -> list[dict[str, Any]]:
        """Return who may see a document and fits a few letters of a name or an address."""
        await self._rights.require(caller, key, "comment")
        people = await self._office.people(caller.tenant)
        sought = question.strip().casefold()[:100]
        found: list[dict[str, Any]] = []
        for id in await self._rights.viewers(caller.tenant, key):
            person = people[id]
            searched = [*person.name.casefold().split(), person.name.casefold()]
            if caller.member:
                searched.append(person.email.casefold())
            if any(word.startswith(sought) for word in searched):
                found.append(who(person) | self._sharing.address(caller, person.email))
        return sorted(found, key=lambda each: (each["name"].casefold(), each["id"]))[:50]

    async def _require_room(self, tenant: str, place: str) -> None:
        count = (
            "SELECT (SELECT count(*) FROM docs_member WHERE place = ?)"
            " + (SELECT count(*) FROM docs_invited WHERE place = ?)"
        )
        rows = await self._office.node.query(tenant, count, place, place)
        if isinstance(rows[0][0], int) and rows[0][0] >= MOST_PEOPLE:
            raise Refused(ErrorCode.REFUSED, f"at most {MOST_PEOPLE} people; use a space or a link")
