"""Who may do what in a document or a space: one query each, over every way to a right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from parvis.plugins import NOTHING, Access, Caller, ErrorCode, Refused, SqlValue, Statement

from .office import WITHOUT, Office, forbidden, missing
from .roles import EDIT, OWN, ROLES, VIEW, access_of

LINK: Final = "docs.link."
"""How the capability begins that a guest's token carries: the rest is the link's id."""

GRANTABLE: Final = Access.of(["view", "comment", "suggest", "edit", "history"])
"""What a room token can grant in documents; sharing and owning rest on an account."""

LIVE: Final = "revoked IS NULL AND stopped IS NULL AND (expires IS NULL OR expires > me.now)"

CHAIN: Final = """
chain (space) AS (
    SELECT space FROM start WHERE space IS NOT NULL
    UNION
    SELECT s.parent FROM chain JOIN docs_space s ON s.id = chain.space WHERE s.parent IS NOT NULL
)"""
"""Needs `start`, rows with a space: that space and all above it."""

INHERITED: Final = """
inherited (rank) AS (
    SELECT max(rank) FROM (
        SELECT m.rank FROM chain JOIN docs_member m ON m.place = chain.space
            WHERE m.person = (SELECT person FROM me)
        UNION ALL
        SELECT 4 FROM chain JOIN docs_space s ON s.id = chain.space
            WHERE s.owner = (SELECT person FROM me)
    ) AS ranks
)"""
"""Needs `me` and `chain`: the rank that comes through spaces."""

ONE: Final = """
WITH RECURSIVE me (person, anyone, now) AS (SELECT ?, ?, ?),
start (space) AS (SELECT space FROM docs_document WHERE key = ?),
{chain},
{inherited}
SELECT d.key, d.title, d.owner, d.space, d.editors_share, d.deleted, max(
    CASE WHEN me.anyone OR d.owner = me.person THEN 4 ELSE 0 END,
    coalesce((SELECT rank FROM docs_member WHERE place = d.key AND person = me.person), 0),
    coalesce((SELECT rank FROM inherited), 0),
    coalesce((SELECT max(l.rank) FROM docs_follower f JOIN docs_link l ON l.id = f.link
        WHERE f.person = me.person AND l.document = d.key AND {live}), 0),
    coalesce((SELECT max(rank) FROM docs_link
        WHERE id IN ({links}) AND document = d.key AND {live}), 0)
)
FROM me CROSS JOIN docs_document d WHERE d.key = ?
"""

SPACE: Final = """
WITH RECURSIVE me (person, anyone, now) AS (SELECT ?, ?, ?),
start (space) AS (SELECT id FROM docs_space WHERE id = ?),
{chain},
{inherited}
SELECT s.id, s.name, s.parent, s.owner,
    max(CASE WHEN me.anyone THEN 4 ELSE 0 END, coalesce((SELECT rank FROM inherited), 0))
FROM me CROSS JOIN docs_space s WHERE s.id = ?
"""


VIEWERS: Final = """
WITH RECURSIVE me (now) AS (SELECT ?),
start (key, owner, space) AS (SELECT key, owner, space FROM docs_document WHERE key = ?),
{chain}
SELECT owner FROM start
UNION SELECT person FROM start JOIN docs_member ON place = start.key
UNION SELECT person FROM chain JOIN docs_member ON place = chain.space
UNION SELECT s.owner FROM chain JOIN docs_space s ON s.id = chain.space
UNION SELECT f.person FROM me CROSS JOIN start JOIN docs_link l ON l.document = start.key
    JOIN docs_follower f ON f.link = l.id WHERE {live}
"""

BELOW: Final = """
WITH RECURSIVE below (space) AS (
    SELECT ?
    UNION
    SELECT s.id FROM below JOIN docs_space s ON s.parent = below.space
)
SELECT d.key FROM below JOIN docs_document d ON d.space = below.space
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """A document, and what a caller may do there."""

    key: str
    title: str
    owner: str
    space: str | None
    editors_share: bool
    deleted: float | None
    rank: int
    access: Access

    @property
    def role(self) -> str:
        return ROLES[max(self.rank, VIEW)]


@dataclass(frozen=True, slots=True)
class SpaceStanding:
    """A space, and the rank of a caller there."""

    id: str
    name: str
    parent: str | None
    owner: str
    rank: int


class Rights:
    """Asks the tables what callers may do."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._known: set[tuple[str, str]] = set()

    async def identity(self, caller: Caller) -> str:
        """Return the person in whose name rows may be read: empty for somebody without account.

        Whoever was invited by e-mail before they had an account becomes a member here.
        """
        if not caller.user:
            return ""
        if caller.member:
            await self._adopt(caller)
            return caller.user
        # A token that somebody minted for themselves still grants no more than they may today.
        own = caller.grants and await self._office.person(caller.tenant, caller.user)
        return caller.user if own else ""

    async def standing(self, caller: Caller, key: str) -> Standing | None:
        """Return a document and what a caller may do there; None if there is no such document."""
        person = await self.identity(caller)
        name = f"docs/{key}"
        granted = caller.granted(name)
        links = sorted(
            capability.removeprefix(LINK)
            for capability in granted.capabilities
            if capability.startswith(LINK)
        )
        row = await self._row(caller.tenant, key, person, links, anyone=caller.anyone)
        if row is None:
            return None
        key_, title, owner, space, editors_share, deleted, rank = row
        assert isinstance(rank, int)
        access = access_of(rank, editors_share=bool(editors_share), in_bin=deleted is not None)
        if not caller.member and not caller.anyone:
            plain = granted & GRANTABLE if deleted is None else NOTHING
            if person:
                access &= plain
            else:
                if plain and caller.host:
                    plain &= await self._lent(caller, key)
                access = access & GRANTABLE | plain
                rank = max(rank, _rank_of(plain))
        return Standing(
            key=str(key_),
            title=str(title),
            owner=str(owner),
            space=space if isinstance(space, str) else None,
            editors_share=bool(editors_share),
            deleted=deleted if isinstance(deleted, float) else None,
            rank=rank,
            access=access,
        )

    async def _row(
        self,
        tenant: str,
        key: str,
        person: str,
        links: Sequence[str],
        *,
        anyone: bool,
        live: str = LIVE,
    ) -> Sequence[SqlValue] | None:
        """Return the columns of `ONE`; None if there is no such document."""
        marks = ", ".join("?" * len(links))
        sql = ONE.format(chain=CHAIN, inherited=INHERITED, live=live, links=marks)
        node = self._office.node
        me: Sequence[SqlValue] = (person, anyone, node.now(), key)
        rows = await node.query(tenant, sql, *me, *links, key)
        return rows[0] if rows else None

    async def _lent(self, caller: Caller, key: str) -> Access:
        """Return what a guest's token can lend: what whoever minted it may do, and share, today."""
        row = await self._row(caller.tenant, key, caller.host, (), anyone=False)
        if row is None or not isinstance(row[6], int):
            return NOTHING
        access = access_of(row[6], editors_share=bool(row[4]), in_bin=row[5] is not None)
        return access if access.may("share") else NOTHING

    async def without_links(self, tenant: str, key: str, person: str) -> tuple[int, bool]:
        """Return the rank that somebody has in a document by themselves and through spaces, and
        whether editors may share it."""
        row = await self._row(tenant, key, person, (), anyone=False, live="FALSE")
        if row is None or not isinstance(row[6], int):
            return 0, False
        return row[6], bool(row[4])

    async def require(self, caller: Caller, key: str, capability: str = "view") -> Standing:
        """Return a document in which the caller has a capability.

        Raises:
            Refused: ``ROOM_NOT_FOUND`` if they may not even see it, ``PERMISSION_DENIED`` if they
                may see it and not do that.
        """
        standing = await self.standing(caller, key)
        if standing is None or not standing.access.may("view"):
            raise missing()
        if not standing.access.may(capability):
            if standing.deleted is not None:
                raise Refused(ErrorCode.CONFLICT, "the document is in the bin; restore it first")
            raise forbidden(WITHOUT.get(capability, capability))
        return standing

    async def owned(self, caller: Caller, key: str) -> Standing:
        """Return a document that is the caller's, in the bin or not. Raises `Refused`."""
        standing = await self.require(caller, key)
        if standing.rank < OWN:
            raise forbidden("do this: only the owner may")
        return standing

    async def space(self, caller: Caller, id: str, rank: int = VIEW) -> SpaceStanding:
        """Return a space in which the caller has a rank. Raises `Refused` as `require` does."""
        person = await self.identity(caller)
        node = self._office.node
        sql = SPACE.format(chain=CHAIN, inherited=INHERITED)
        rows = await node.query(caller.tenant, sql, person, caller.anyone, node.now(), id, id)
        # A room token is for documents: nobody reads a space with one.
        if not rows or not (caller.member or caller.anyone) or rows[0][4] == 0:
            raise Refused(ErrorCode.ROOM_NOT_FOUND, "there is no such space, or you may not see it")
        found, name, parent, owner, has = rows[0]
        assert isinstance(has, int)
        if has < rank:
            wanted = {EDIT: "change what is in this space", OWN: "do this: only the owner may"}
            raise forbidden(wanted.get(rank, "do this"))
        parent = parent if isinstance(parent, str) else None
        return SpaceStanding(str(found), str(name), parent, str(owner), has)

    async def viewers(self, tenant: str, key: str) -> frozenset[str]:
        """Return the ids of everybody with an account who may see a document."""
        node = self._office.node
        rows = await node.query(tenant, VIEWERS.format(chain=CHAIN, live=LIVE), node.now(), key)
        return frozenset(str(id) for (id,) in rows) & frozenset(await self._office.people(tenant))

    async def below(self, tenant: str, space: str) -> Sequence[str]:
        """Return the keys of the documents in a space and in the spaces below."""
        return [str(key) for (key,) in await self._office.node.query(tenant, BELOW, space)]

    async def _adopt(self, caller: Caller) -> None:
        seen = (caller.tenant, caller.user)
        if seen in self._known:
            return
        node = self._office.node
        person = await node.person(caller.tenant, caller.user)
        if person is not None and person.email:
            email = normal(person.email)
            count = "SELECT count(*) FROM docs_invited WHERE email = ?"
            if (await node.query(caller.tenant, count, email))[0][0]:
                await node.execute(caller.tenant, *adoption(email, person.id))
        self._known.add(seen)


def adoption(email: str, person: str) -> tuple[Statement, ...]:
    """Return what makes somebody a member wherever their address was invited."""
    return (
        Statement(
            "INSERT INTO docs_member (place, person, rank, by, time)"
            " SELECT place, ?, rank, by, time FROM docs_invited WHERE email = ?"
            " ON CONFLICT (place, person)"
            " DO UPDATE SET rank = max(docs_member.rank, excluded.rank)",
            (person, email),
        ),
        Statement("DELETE FROM docs_invited WHERE email = ?", (email,)),
    )


def normal(email: str) -> str:
    """Return an address as it is compared."""
    return email.strip().casefold()


def _rank_of(access: Access) -> int:
    for capability, rank in (("edit", EDIT), ("comment", 2), ("view", VIEW)):
        if access.may(capability):
            return rank
    return 0
