"""Sharing: who may do what in a document or a space, said by whoever may say so."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

from parvis.plugins import Caller, ErrorCode, Refused, Statement

from .notices import Notices
from .office import Office, malformed, missing, who
from .rights import CHAIN, LINK, Rights, SpaceStanding, Standing, normal
from .roles import OWN, RANKS, ROLES, VIEW

MOST_PEOPLE: Final = 500
"""Members and invited people of one place, at most."""

MOST_LINKS: Final = 20

GUEST_NAME: Final = 60

FAR: Final = 100 * 366 * 86_400.0
"""Seconds after which a link must have ended, if it ends."""

MEMBERS: Final = f"""
WITH RECURSIVE start (space) AS (
    SELECT space FROM docs_document WHERE key = ?
    UNION SELECT parent FROM docs_space WHERE id = ?
),
{CHAIN}
SELECT owner, 4, 0 FROM docs_document WHERE key = ?
UNION ALL SELECT owner, 4, 0 FROM docs_space WHERE id = ?
UNION ALL SELECT person, rank, 0 FROM docs_member WHERE place = ?
UNION ALL SELECT m.person, m.rank, 1 FROM chain JOIN docs_member m ON m.place = chain.space
UNION ALL SELECT s.owner, 4, 1 FROM chain JOIN docs_space s ON s.id = chain.space
"""


class Sharing:
    """Members, invited people and links of documents and spaces."""

    def __init__(self, office: Office, rights: Rights, notices: Notices) -> None:
        self._office = office
        self._rights = rights
        self._notices = notices

    # Who is there

    async def shown(self, caller: Caller, place: str, *, space: bool) -> dict[str, Any]:
        """Return who may do what; whoever may view sees the people, whoever may share the rest."""
        at = await self._place(caller, place, space=space, shares=False)
        return await self._shown(caller, at)

    async def _shown(self, caller: Caller, at: Standing | SpaceStanding) -> dict[str, Any]:
        place = at.key if isinstance(at, Standing) else at.id
        tenant, node = caller.tenant, self._office.node
        best: dict[str, tuple[int, int]] = {}
        for person, rank, inherited in await node.query(tenant, MEMBERS, *[place] * 5):
            assert isinstance(rank, int) and isinstance(inherited, int)
            found = best.get(str(person), (0, 1))
            best[str(person)] = max(found, (rank, inherited), key=lambda r: (r[0], -r[1]))
        names = await self._office.names(tenant, set(best))
        people = await self._office.people(tenant)
        shown: dict[str, Any] = {
            "people": [
                {
                    "user": names[id] | self._address(caller, people[id].email)
                    if id in people
                    else names[id],
                    "role": ROLES[rank],
                    "inherited": bool(inherited),
                }
                for id, (rank, inherited) in sorted(
                    best.items(), key=lambda item: (-item[1][0], names[item[0]]["name"])
                )
            ],
            "invited": [],
            "links": [],
            "editors_share": isinstance(at, Standing) and at.editors_share,
        }
        if _shares(at):
            invited = "SELECT email, rank FROM docs_invited WHERE place = ? ORDER BY email"
            for email, rank in await node.query(tenant, invited, place):
                assert isinstance(rank, int)
                shown["invited"].append({"email": email, "role": ROLES[rank]})
            shown["links"] = await self._links(tenant, place)
        return shown

    @staticmethod
    def _address(caller: Caller, email: str) -> dict[str, str]:
        """Return a person's address, for colleagues only."""
        return {"email": email} if caller.member else {}

    # People

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
        """Give somebody a role, by their id or by their address; return as `shown` does.

        Somebody without an account is invited to make one, and becomes a member when they come.
        """
        at = await self._place(caller, place, space=space, shares=True)
        rank = _rank(role, "viewer, commenter or editor")
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
        await self._changed(caller.tenant, place, space=space)
        return await self._shown(caller, at)

    async def _invited(
        self, caller: Caller, place: str, email: str, rank: int, *, space: bool
    ) -> Any:
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

        The links that they made end, too, where they may not share any more.

        Returns:
            As `shown` does, and how many links ended as ``links_ended``; None if the caller does
            not see the place any more.
        """
        email = normal(whom)
        whom = await self._id(caller.tenant, place, whom)
        themselves = whom == caller.user
        at = await self._place(caller, place, space=space, shares=not themselves)
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
            ended += await self._end_links(caller.tenant, key, whom)
        await self._changed(caller.tenant, place, space=space)
        try:
            at = await self._place(caller, place, space=space, shares=False)
        except Refused:
            return None
        return await self._shown(caller, at) | {"links_ended": ended}

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

    async def _end_links(self, tenant: str, key: str, whom: str) -> int:
        """End the links to a document that somebody made who may not share it any more.

        Whoever came by one of them and made further links is then asked the same.
        """
        node, ended, makers = self._office.node, 0, [whom]
        while makers:
            maker = makers.pop()
            # They must not keep what they gave themselves.
            own = "SELECT id FROM docs_link WHERE document = ? AND by = ?"
            unfollow = f"DELETE FROM docs_follower WHERE person = ? AND link IN ({own})"
            await node.execute(tenant, Statement(unfollow, (maker, key, maker)))
            live = "SELECT id FROM docs_link WHERE document = ? AND by = ? AND revoked IS NULL"
            links = await node.query(tenant, live, key, maker)
            if not links or await self._rights.shares(tenant, key, maker):
                continue
            ended += len(links)
            sql = (
                "UPDATE docs_link SET revoked = ? WHERE document = ? AND by = ? AND revoked IS NULL"
            )
            await node.execute(tenant, Statement(sql, (node.now(), key, maker)))
            further = (
                "SELECT DISTINCT l.by FROM docs_link l JOIN docs_follower f ON f.person = l.by"
                " JOIN docs_link by ON by.id = f.link"
                " WHERE l.document = ? AND l.revoked IS NULL AND by.document = ? AND by.by = ?"
            )
            rows = await node.query(tenant, further, key, key, maker)
            makers += [str(by) for (by,) in rows]
        return ended

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
                found.append(who(person) | self._address(caller, person.email))
        return sorted(found, key=lambda each: (each["name"].casefold(), each["id"]))[:50]

    # Links

    async def make_link(
        self, caller: Caller, key: str, role: str, expires: float | None
    ) -> dict[str, Any]:
        """Make a link; the secret is shown this once, the server keeps its digest."""
        await self._place(caller, key, space=False, shares=True)
        rank = _rank(role, "viewer, commenter or editor")
        node, id = self._office.node, self._office.new_key()
        secret = base64.urlsafe_b64encode(node.chance(24)).decode()
        now = node.now()
        _require_end(expires, now)
        if len(await self._links(caller.tenant, key)) >= MOST_LINKS:
            raise Refused(ErrorCode.REFUSED, f"a document has at most {MOST_LINKS} links")
        row = (id, key, digest(secret), rank, expires, now, caller.user)
        sql = "INSERT INTO docs_link VALUES (?, ?, ?, ?, ?, NULL, ?, ?)"
        await node.execute(caller.tenant, Statement(sql, row))
        await self._note_end(caller.tenant, key, expires)
        return await self._link(caller.tenant, key, id) | {"secret": secret}

    async def change_link(
        self,
        caller: Caller,
        key: str,
        id: str,
        *,
        role: str | None,
        expires: float | None,
        sets_end: bool,
    ) -> dict[str, Any]:
        """Change what a link grants, or until when, for everybody who came by it."""
        await self._place(caller, key, space=False, shares=True)
        await self._link(caller.tenant, key, id)
        statements: list[Statement] = []
        if role is not None:
            rank = _rank(role, "viewer, commenter or editor")
            statements.append(Statement("UPDATE docs_link SET rank = ? WHERE id = ?", (rank, id)))
        if sets_end:
            _require_end(expires, self._office.node.now())
            sql = "UPDATE docs_link SET expires = ? WHERE id = ?"
            statements.append(Statement(sql, (expires, id)))
        if statements:
            await self._office.node.execute(caller.tenant, *statements)
            await self._office.node.reauthorize(caller.tenant, key)
            await self._note_end(caller.tenant, key, expires)
        return await self._link(caller.tenant, key, id)

    async def _note_end(self, tenant: str, key: str, expires: float | None) -> None:
        """Have those who came by a link and are still here asked anew when it ends."""
        if expires is not None:
            name = f"ends:{key}:{expires}"
            await self._office.node.enqueue(tenant, name, key.encode(), due=expires + 0.1)

    async def revoke(self, caller: Caller, key: str, id: str) -> None:
        """End a link: whoever came by it is taken out, unless they may see the document anyway."""
        await self._place(caller, key, space=False, shares=True)
        await self._link(caller.tenant, key, id)
        sql = "UPDATE docs_link SET revoked = ? WHERE id = ?"
        node = self._office.node
        await node.execute(caller.tenant, Statement(sql, (node.now(), id)))
        await node.reauthorize(caller.tenant, key)

    async def _link(self, tenant: str, key: str, id: str) -> dict[str, Any]:
        for link in await self._links(tenant, key):
            if link["id"] == id:
                return link
        raise Refused(ErrorCode.ROOM_NOT_FOUND, "the document has no such link")

    async def _links(self, tenant: str, key: str) -> list[dict[str, Any]]:
        sql = (
            "SELECT id, rank, expires, created, by FROM docs_link"
            " WHERE document = ? AND revoked IS NULL ORDER BY created, id"
        )
        rows = await self._office.node.query(tenant, sql, key)
        names = await self._office.names(tenant, {str(row[4]) for row in rows})
        return [
            {
                "id": id,
                "role": ROLES[rank] if isinstance(rank, int) else "",
                "expires": expires,
                "created": created,
                "by": names[str(by)],
            }
            for id, rank, expires, created, by in rows
        ]

    async def follow(
        self, caller: Caller, key: str, secret: str, name: str
    ) -> tuple[Any, float] | None:
        """Let somebody in who shows the secret of a link.

        Returns:
            For people without an account, their `parvis.plugins.Guest` and how many seconds it
            lasts; None for members, who keep what the link grants.

        Raises:
            Refused: ``ROOM_NOT_FOUND`` if the secret is not, or not any more, one of the document.
        """
        node = self._office.node
        now = node.now()
        sql = (
            "SELECT l.id, l.by, l.expires FROM docs_link l JOIN docs_document d"
            " ON d.key = l.document WHERE l.document = ? AND l.digest = ? AND l.revoked IS NULL"
            " AND (l.expires IS NULL OR l.expires > ?) AND d.deleted IS NULL"
        )
        rows = await node.query(caller.tenant, sql, key, digest(secret), now)
        if not rows:
            raise missing()
        link, host, expires = str(rows[0][0]), str(rows[0][1]), rows[0][2]
        if caller.anyone:
            return None
        if caller.member:
            sql = "INSERT INTO docs_follower VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
            await node.execute(caller.tenant, Statement(sql, (caller.user, link, now)))
            await node.reauthorize(caller.tenant, key)
            return None
        name = " ".join(name.split())[:GUEST_NAME]
        if not name or not name.isprintable():
            raise malformed("say a name by which the others see you")
        seconds = self._office.settings.guest_hours * 3600
        if isinstance(expires, float):
            seconds = min(seconds, max(1.0, expires - now))
        guest = await node.guest(
            host, caller.tenant, name, [f"docs/{key}"], [LINK + link], seconds=seconds
        )
        await self._office.remember(guest.caller)
        return guest, guest.expires - now

    # Inside

    async def _place(
        self, caller: Caller, place: str, *, space: bool, shares: bool
    ) -> Standing | SpaceStanding:
        if space:
            return await self._rights.space(caller, place, OWN if shares else VIEW)
        if not caller.member and not caller.anyone:
            # Guests see a document, and not who else may.
            await self._rights.require(caller, place, "share")
        return await self._rights.require(caller, place, "share" if shares else "view")

    async def _require_room(self, tenant: str, place: str) -> None:
        count = (
            "SELECT (SELECT count(*) FROM docs_member WHERE place = ?)"
            " + (SELECT count(*) FROM docs_invited WHERE place = ?)"
        )
        rows = await self._office.node.query(tenant, count, place, place)
        if isinstance(rows[0][0], int) and rows[0][0] >= MOST_PEOPLE:
            raise Refused(ErrorCode.REFUSED, f"at most {MOST_PEOPLE} people; use a space or a link")

    async def _changed(self, tenant: str, place: str, *, space: bool) -> None:
        if space:
            await self._rights.reauthorize_below(tenant, place)
        else:
            await self._office.node.reauthorize(tenant, place)


def digest(secret: str) -> str:
    """Return what is kept of a link's secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _shares(at: Standing | SpaceStanding) -> bool:
    return at.access.may("share") if isinstance(at, Standing) else at.rank >= OWN


def _require_end(expires: float | None, now: float) -> None:
    """Raise `Refused` for an end that is over, or so far that no calendar and no JSON has it."""
    if expires is not None and not now < expires < now + FAR:
        raise malformed("expected a time to come, within a hundred years")


def _rank(role: str, expected: str) -> int:
    rank = RANKS.get(role, OWN)
    if rank == OWN:
        raise malformed(f"expected {expected} as role, got {role[:40]!r}")
    return rank
