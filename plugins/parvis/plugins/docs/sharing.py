"""Who may do what in a document or a space, as its people are shown it."""

from __future__ import annotations

from typing import Any, Final

from parvis.plugins import Caller

from .links import Links
from .office import Office
from .rights import CHAIN, Rights, SpaceStanding, Standing
from .roles import OWN, ROLES, VIEW

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
    """Shows the members, invited people and links of documents and spaces."""

    def __init__(self, office: Office, rights: Rights, links: Links) -> None:
        self._office = office
        self._rights = rights
        self._links = links

    async def shown(self, caller: Caller, place: str, *, space: bool) -> dict[str, Any]:
        """Return who may do what; whoever may view sees the people, whoever may share the rest."""
        at = await self.place(caller, place, space=space, shares=False)
        return await self.told(caller, at)

    async def told(self, caller: Caller, at: Standing | SpaceStanding) -> dict[str, Any]:
        """Return the same of a place that is known."""
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
                    "user": names[id] | self.address(caller, people[id].email)
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
            shown["links"] = await self._links.listed(tenant, place)
        return shown

    @staticmethod
    def address(caller: Caller, email: str) -> dict[str, str]:
        """Return a person's address, for colleagues only."""
        return {"email": email} if caller.member else {}

    async def place(
        self, caller: Caller, place: str, *, space: bool, shares: bool
    ) -> Standing | SpaceStanding:
        """Return a place that the caller may see, or share. Raises `Refused`."""
        if space:
            return await self._rights.space(caller, place, OWN if shares else VIEW)
        if not caller.member and not caller.anyone:
            # Guests see a document, and not who else may.
            await self._rights.require(caller, place, "share")
        return await self._rights.require(caller, place, "share" if shares else "view")


def _shares(at: Standing | SpaceStanding) -> bool:
    return at.access.may("share") if isinstance(at, Standing) else at.rank >= OWN
