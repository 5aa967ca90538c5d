"""What follows when rights change: links stop or go on, and whoever is inside is asked anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parvis.plugins import Statement

from .office import Office
from .rights import Rights
from .roles import OWN, access_of


@dataclass(frozen=True, slots=True)
class _Link:
    id: str
    maker: str
    rank: int
    stopped: bool


class Changes:
    """To be told whenever who may do what has changed.

    A link rests on whoever made it: it is stopped while they may not share the document, and goes
    on when they may again. Who may share only because they came by a link rests on that link.
    """

    def __init__(self, office: Office, rights: Rights) -> None:
        self._office = office
        self._rights = rights

    async def of(self, tenant: str, key: str) -> None:
        """Rights in a document have changed."""
        await self._settle(tenant, key)
        await self._office.node.reauthorize(tenant, key)

    async def below(self, tenant: str, space: str) -> None:
        """Rights in a space have changed, and so in everything in it."""
        for key in await self._rights.below(tenant, space):
            await self.of(tenant, key)

    async def at(self, tenant: str, place: str, *, space: bool) -> None:
        """Rights in a document, or in a space, have changed."""
        await (self.below if space else self.of)(tenant, place)

    async def end_links(self, tenant: str, key: str, maker: str) -> int:
        """End for good the links of somebody who may not share a document any more.

        With them go those that stop because of it. Returns how many ended.
        """
        gone = await self._settle(tenant, key)
        gone |= {link.id for link in await self._links(tenant, key) if _stopped_of(link, maker)}
        sql, now = "UPDATE docs_link SET revoked = ? WHERE id = ?", self._office.node.now()
        await self._office.node.execute(tenant, *[Statement(sql, (now, id)) for id in sorted(gone)])
        return len(gone)

    async def _settle(self, tenant: str, key: str) -> set[str]:
        """Stop the links of those who may not share, let the others go on; return who stopped."""
        async with self._office.lock(tenant, f"links:{key}"):
            links = await self._links(tenant, key)
            if not links:
                return set()
            live = await self._live(tenant, key, links)
            node = self._office.node
            stops = {link.id for link in links if link.id not in live and not link.stopped}
            resumes = {link.id for link in links if link.id in live and link.stopped}
            sql, now = "UPDATE docs_link SET stopped = ? WHERE id = ?", node.now()
            changed = [Statement(sql, (now, id)) for id in sorted(stops)]
            changed += [Statement(sql, (None, id)) for id in sorted(resumes)]
            if changed:
                await node.execute(tenant, *changed)
            return stops

    async def _links(self, tenant: str, key: str) -> Sequence[_Link]:
        """Return the links to a document that have not ended."""
        sql = (
            "SELECT id, by, rank, stopped IS NOT NULL FROM docs_link WHERE document = ?"
            " AND revoked IS NULL AND (expires IS NULL OR expires > ?) ORDER BY id"
        )
        node = self._office.node
        rows = await node.query(tenant, sql, key, node.now())
        return [
            _Link(str(id), str(by), rank, bool(stopped))
            for id, by, rank, stopped in rows
            if isinstance(rank, int)
        ]

    async def _live(self, tenant: str, key: str, links: Sequence[_Link]) -> set[str]:
        """Return the links whose makers may share, be it by another link that does."""
        ranks = {link.id: link.rank for link in links}
        followed = await self._followed(tenant, key)
        own = {
            maker: await self._own(tenant, key, maker) for maker in {link.maker for link in links}
        }
        live: set[str] = set()
        # From those who may share by themselves to those who came by their links, and so on; two
        # who may share only by each other's links are never reached.
        while True:
            more: set[str] = set()
            for link in links:
                rank, editors_share = own[link.maker]
                by_links = [ranks[id] for id in followed.get(link.maker, ()) if id in live]
                best = max(rank, *by_links, 0)
                access = access_of(best, editors_share=editors_share, in_bin=False)
                if link.id not in live and access.may("share"):
                    more.add(link.id)
            if not more:
                return live
            live |= more

    async def _own(self, tenant: str, key: str, maker: str) -> tuple[int, bool]:
        """Return a maker's rank without links, and whether editors may share."""
        rank, editors_share = await self._rights.without_links(tenant, key, maker)
        if not rank and await self._office.person(tenant, maker) is None:
            return OWN, editors_share  # On an open node, where nobody has an account: all may.
        return rank, editors_share

    async def _followed(self, tenant: str, key: str) -> Mapping[str, Sequence[str]]:
        """Return by which links of a document people with an account came."""
        sql = (
            "SELECT f.person, f.link FROM docs_link l JOIN docs_follower f ON f.link = l.id"
            " WHERE l.document = ?"
        )
        followed: dict[str, list[str]] = {}
        for person, link in await self._office.node.query(tenant, sql, key):
            followed.setdefault(str(person), []).append(str(link))
        return followed


def _stopped_of(link: _Link, maker: str) -> bool:
    return link.stopped and link.maker == maker
