"""The HTTP API of documents: which path leads where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parvis.plugins import HttpRequest, HttpResponse, Route

from .bodies import (
    SAME,
    ChangedDocument,
    ChangedSpace,
    NewSpace,
    choice,
    number,
)
from .documents import Documents
from .listing import VIEWS, Listing
from .office import malformed
from .rights import Rights
from .searching import Searching
from .spaces import Spaces


class Shelves:
    """Routes of documents and spaces as wholes."""

    def __init__(
        self,
        rights: Rights,
        listing: Listing,
        documents: Documents,
        spaces: Spaces,
        searching: Searching,
    ) -> None:
        self._rights = rights
        self._listing = listing
        self._documents = documents
        self._spaces = spaces
        self._searching = searching

    def routes(self) -> Sequence[Route]:
        one, space = "documents/{key}", "spaces/{id}"
        return (
            Route(
                "GET",
                "documents",
                self._list,
                "List documents, newest first",
                query={
                    "view": f"{', '.join(VIEWS)}; recent if missing.",
                    "space": "Id of the space, for that view.",
                    "after": "Cursor: `next` of the page before.",
                    "limit": "Documents in the answer, 50 if missing, at most 100.",
                },
            ),
            Route("GET", one, self._show, "Describe a document"),
            Route("PATCH", one, self._change, "Rename, move, let share", body=ChangedDocument),
            Route("DELETE", one, self._delete, "Delete for good, from the bin", status=204),
            Route("POST", f"{one}/bin", self._bin, "Put into the bin"),
            Route("POST", f"{one}/restore", self._restore, "Take out of the bin"),
            Route(
                "GET",
                "search",
                self._search,
                "Find documents by title and text",
                query={"q": "Words, or how they begin.", "limit": "At most 50."},
            ),
            Route("GET", "spaces", self._list_spaces, "List spaces"),
            Route("POST", "spaces", self._make_space, "Make a space", body=NewSpace, status=201),
            Route("PATCH", space, self._change_space, "Rename or move", body=ChangedSpace),
            Route("DELETE", space, self._delete_space, "Delete an empty space", status=204),
        )

    async def _list(self, request: HttpRequest) -> HttpResponse:
        caller, query = request.caller, request.query
        view = choice(query, "view", VIEWS, "recent")
        space, limit = query.get("space", ""), number(request, "limit", 50)
        if view == "space":
            if not space:
                raise malformed("expected space=ID for this view")
            await self._rights.space(caller, space)
        person = await self._rights.identity(caller)
        if not person and not caller.anyone:
            return HttpResponse({"documents": [], "next": None})
        found, following = await self._listing.page(
            caller, person, view, space, query.get("after", ""), limit
        )
        return HttpResponse({"documents": found, "next": following})

    async def _show(self, request: HttpRequest) -> HttpResponse:
        return document_answer(await self._documents.show(request.caller, request.path["key"]))

    async def _change(self, request: HttpRequest) -> HttpResponse:
        body: ChangedDocument = request.value
        moves = body.space != SAME
        changed = await self._documents.change(
            request.caller,
            request.path["key"],
            title=body.title,
            space=body.space if moves else None,
            moves=moves,
            editors_share=body.editors_share,
        )
        return document_answer(changed)

    async def _bin(self, request: HttpRequest) -> HttpResponse:
        return document_answer(await self._documents.bin(request.caller, request.path["key"]))

    async def _restore(self, request: HttpRequest) -> HttpResponse:
        return document_answer(await self._documents.restore(request.caller, request.path["key"]))

    async def _delete(self, request: HttpRequest) -> HttpResponse:
        await self._documents.delete(request.caller, request.path["key"])
        return NO_CONTENT

    async def _search(self, request: HttpRequest) -> HttpResponse:
        limit = number(request, "limit", 20)
        found = await self._searching.find(request.caller, request.query.get("q", ""), limit)
        return HttpResponse({"results": found})

    async def _list_spaces(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse({"spaces": await self._spaces.seen(request.caller)})

    async def _make_space(self, request: HttpRequest) -> HttpResponse:
        body: NewSpace = request.value
        made = await self._spaces.create(request.caller, body.name, body.parent)
        return HttpResponse({"space": made}, 201)

    async def _change_space(self, request: HttpRequest) -> HttpResponse:
        body: ChangedSpace = request.value
        moves = body.parent != SAME
        changed = await self._spaces.change(
            request.caller,
            request.path["id"],
            name=body.name,
            parent=body.parent if moves else None,
            moves=moves,
        )
        return HttpResponse({"space": changed})

    async def _delete_space(self, request: HttpRequest) -> HttpResponse:
        await self._spaces.delete(request.caller, request.path["id"])
        return NO_CONTENT


NO_CONTENT = HttpResponse(b"", 204)


def document_answer(shown: dict[str, Any], status: int = 200) -> HttpResponse:
    """Return a document as an answer."""
    return HttpResponse({"document": shown}, status)
