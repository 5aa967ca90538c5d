"""The HTTP API of sharing: people and links of documents, people of spaces."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from parvis.plugins import (
    Buckets,
    ErrorCode,
    HttpRequest,
    HttpResponse,
    Refused,
    Route,
    network_of,
)

from .bodies import SAME, ChangedLink, NewLink, NewOwner, Secret, Sharer
from .documents import Documents
from .links import Links
from .members import Members
from .office import Office, malformed
from .ownership import Ownership
from .routes import NO_CONTENT, document_answer
from .sharing import Sharing

GUESSES: Final = 20
"""Wrong secrets of links that a network may show at once."""

REFILL: Final = 6.0
"""Seconds after which it may show another."""

Handler = Callable[..., Awaitable[HttpResponse]]


class SharingRoutes:
    """Routes that say and change who may do what."""

    def __init__(
        self,
        office: Office,
        documents: Documents,
        sharing: Sharing,
        members: Members,
        links: Links,
        ownership: Ownership,
    ) -> None:
        self._office = office
        self._documents = documents
        self._sharing = sharing
        self._members = members
        self._links = links
        self._ownership = ownership
        self._guesses = Buckets(lambda: office.node.now(), GUESSES, REFILL)

    def routes(self) -> Sequence[Route]:
        link = "documents/{key}/links/{id}"
        return (
            *self._people("documents/{key}", "key", space=False),
            *self._people("spaces/{id}", "id", space=True),
            Route(
                "POST",
                "documents/{key}/owner",
                self._hand_over,
                "Hand a document over to somebody else; its old owner becomes an editor",
                body=NewOwner,
            ),
            Route(
                "POST",
                "documents/{key}/links",
                self._make_link,
                "Make a link; its secret is shown this once",
                body=NewLink,
                status=201,
            ),
            Route("PATCH", link, self._change_link, "Change a link", body=ChangedLink),
            Route("DELETE", link, self._revoke, "End a link", status=204),
            Route("POST", "links/open", self._follow, "Enter by a link", body=Secret, public=True),
            Route(
                "GET",
                "documents/{key}/people",
                self._mentionable,
                "List who may be mentioned",
                query={"q": "First letters of a name or an address."},
            ),
        )

    def _people(self, place: str, name: str, *, space: bool) -> Sequence[Route]:
        def bound(handler: Handler) -> Callable[[HttpRequest], Awaitable[HttpResponse]]:
            return partial(handler, name=name, space=space)

        people = f"{place}/people"
        return (
            Route("GET", f"{place}/sharing", bound(self._show), "Say who may do what"),
            Route("PUT", people, bound(self._put), "Give somebody a role", body=Sharer),
            Route("DELETE", f"{people}/{{who}}", bound(self._remove), "Take somebody's role away"),
        )

    async def _show(self, request: HttpRequest, name: str, space: bool) -> HttpResponse:
        place = request.path[name]
        return HttpResponse(await self._sharing.shown(request.caller, place, space=space))

    async def _put(self, request: HttpRequest, name: str, space: bool) -> HttpResponse:
        body: Sharer = request.value
        shown = await self._members.put(
            request.caller,
            request.path[name],
            body.role,
            space=space,
            user=body.user,
            email=body.email,
            message=body.message,
        )
        return HttpResponse(shown)

    async def _remove(self, request: HttpRequest, name: str, space: bool) -> HttpResponse:
        shown = await self._members.remove(
            request.caller, request.path[name], request.path["who"], space=space
        )
        return NO_CONTENT if shown is None else HttpResponse(shown)

    async def _hand_over(self, request: HttpRequest) -> HttpResponse:
        body: NewOwner = request.value
        key = request.path["key"]
        await self._ownership.hand_over(request.caller, key, body.user)
        return document_answer(await self._documents.show(request.caller, key))

    async def _mentionable(self, request: HttpRequest) -> HttpResponse:
        question = request.query.get("q", "")
        found = await self._members.mentionable(request.caller, request.path["key"], question)
        return HttpResponse({"people": found})

    async def _make_link(self, request: HttpRequest) -> HttpResponse:
        body: NewLink = request.value
        key = request.path["key"]
        made = await self._links.make(request.caller, key, body.role, body.expires)
        return HttpResponse({"link": made}, 201)

    async def _change_link(self, request: HttpRequest) -> HttpResponse:
        body: ChangedLink = request.value
        if isinstance(body.expires, str) and body.expires != SAME:
            raise malformed("expected expires in seconds since 1970, or null")
        changed = await self._links.change(
            request.caller,
            request.path["key"],
            request.path["id"],
            role=body.role,
            expires=None if isinstance(body.expires, str) else body.expires,
            sets_end=body.expires != SAME,
            adopt=body.adopt,
        )
        return HttpResponse({"link": changed})

    async def _revoke(self, request: HttpRequest) -> HttpResponse:
        await self._links.revoke(request.caller, request.path["key"], request.path["id"])
        return NO_CONTENT

    async def _follow(self, request: HttpRequest) -> HttpResponse:
        body: Secret = request.value
        network = network_of(request.address)
        # Taken before it is known whether it was right, so that many at once are counted, too.
        if wait := self._guesses.take(network):
            reason = f"too many wrong links; try in {math.ceil(wait)} seconds"
            raise Refused(ErrorCode.RATE_LIMITED, reason)
        try:
            let_in = await self._links.follow(request.caller, body.key, body.secret, body.name)
        except Refused as refusal:
            if refusal.code is not ErrorCode.ROOM_NOT_FOUND:
                self._guesses.give_back(network)
            raise
        self._guesses.give_back(network)
        if let_in is None:
            return HttpResponse({"document": await self._documents.show(request.caller, body.key)})
        guest, seconds = let_in
        caller = guest.caller
        return HttpResponse(
            {
                "document": await self._documents.show(caller, body.key),
                "guest": {
                    "id": caller.user,
                    "name": caller.name,
                    "color": caller.color,
                    "guest": True,
                },
                "token": guest.token,
                "expires_in": seconds,
            }
        )
