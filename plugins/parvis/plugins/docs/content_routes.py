"""The HTTP API of content: documents made, read, added to, duplicated; their files and past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from parvis.plugins import HttpRequest, HttpResponse, Route

from .bodies import Addition, Copy, NewDocument, choice, number
from .contents import Contents
from .filing import SAFE, Filing
from .formats.names import WRITTEN
from .history import History
from .office import Office, malformed
from .routes import document_answer

CONFINED: Final[Mapping[str, str]] = {
    # Whatever is in the file, a browser shows it as what it is called, and runs none of it.
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    " sandbox",
}

KEPT: Final = 7 * 86_400
"""Seconds for which a browser may keep an image without asking again."""


class ContentRoutes:
    """Routes that take or give content."""

    def __init__(
        self, office: Office, contents: Contents, filing: Filing, history: History
    ) -> None:
        self._most = office.settings.max_upload
        self._contents = contents
        self._filing = filing
        self._history = history

    def routes(self) -> Sequence[Route]:
        one = "documents/{key}"
        return (
            Route(
                "POST",
                "documents",
                self._create,
                "Make a document, empty or of some content",
                body=NewDocument,
                max_body=self._most,
                status=201,
            ),
            Route("POST", f"{one}/duplicate", self._copy, "Duplicate", body=Copy, status=201),
            Route(
                "GET",
                f"{one}/content",
                self._export,
                "Read a document as a file",
                answer="application/octet-stream",
                query={
                    "format": f"{', '.join(WRITTEN)}; json if missing.",
                    "offset": "As it was after this place in the log.",
                },
            ),
            Route(
                "POST",
                f"{one}/append",
                self._append,
                "Add content at the end",
                body=Addition,
                max_body=self._most,
            ),
            Route(
                "POST",
                "import",
                self._import,
                "Make a document of a file of Markdown, HTML, text or JSON",
                max_body=self._most,
                status=201,
                query={"name": "Of the file.", "space": "Where the document goes."},
            ),
            Route(
                "POST",
                f"{one}/files",
                self._keep,
                "Upload an image: PNG, JPEG, GIF or WebP",
                max_body=self._most,
                status=201,
            ),
            Route(
                "GET",
                f"{one}/files/{{hash}}",
                self._give,
                "Get an image",
                answer="application/octet-stream",
            ),
            Route(
                "GET",
                f"{one}/history",
                self._timeline,
                "Say who wrote when, newest first",
                query={"before": "An offset: `next` of the page before.", "limit": "At most 100."},
            ),
            Route(
                "GET",
                f"{one}/history/{{offset}}",
                self._then,
                "Get the content as it was, as a Yjs update",
                answer="application/octet-stream",
            ),
        )

    async def _create(self, request: HttpRequest) -> HttpResponse:
        body: NewDocument = request.value
        made = await self._contents.create(
            request.caller, body.title, body.space, body.format, body.content
        )
        return document_answer(made, 201)

    async def _copy(self, request: HttpRequest) -> HttpResponse:
        body: Copy = request.value
        key = request.path["key"]
        return document_answer(await self._contents.duplicate(request.caller, key, body.title), 201)

    async def _export(self, request: HttpRequest) -> HttpResponse:
        format = choice(request.query, "format", WRITTEN, "json")
        offset = number(request, "offset", 0) if "offset" in request.query else None
        key = request.path["key"]
        content, title = await self._contents.export(request.caller, key, format, offset)
        type, end = WRITTEN[format]
        disposition = attachment(f"{title or 'document'}.{end}")
        headers = {**CONFINED, "Content-Disposition": disposition, "Cache-Control": "no-store"}
        return HttpResponse(content, content_type=type, headers=headers)

    async def _append(self, request: HttpRequest) -> HttpResponse:
        body: Addition = request.value
        key = request.path["key"]
        offset = await self._contents.append(request.caller, key, body.format, body.content)
        return HttpResponse({"offset": offset})

    async def _import(self, request: HttpRequest) -> HttpResponse:
        made = await self._contents.imported(
            request.caller,
            request.query.get("name", ""),
            request.content_type,
            request.body,
            request.query.get("space"),
        )
        return document_answer(made, 201)

    async def _keep(self, request: HttpRequest) -> HttpResponse:
        kept = await self._filing.keep(request.caller, request.path["key"], request.body)
        return HttpResponse({"file": kept}, 201)

    async def _give(self, request: HttpRequest) -> HttpResponse:
        digest = request.path["hash"]
        content, type = await self._filing.give(request.caller, request.path["key"], digest)
        headers = {
            **CONFINED,
            "Content-Disposition": "inline" if type in SAFE else "attachment",
            # What a hash names never changes; whether one may see it can.
            "Cache-Control": f"private, max-age={KEPT}",
        }
        return HttpResponse(content, content_type=type, headers=headers)

    async def _timeline(self, request: HttpRequest) -> HttpResponse:
        entries, following = await self._history.timeline(
            request.caller,
            request.path["key"],
            number(request, "before", 0),
            number(request, "limit", 50),
        )
        return HttpResponse({"entries": entries, "next": following})

    async def _then(self, request: HttpRequest) -> HttpResponse:
        offset = request.path["offset"]
        if not offset.isascii() or not offset.isdigit() or len(offset) > 15:
            raise malformed("expected an offset of the log")
        content = await self._history.content(request.caller, request.path["key"], int(offset))
        headers = {**CONFINED, "Cache-Control": "private, no-store"}
        return HttpResponse(content, content_type="application/octet-stream", headers=headers)


def attachment(name: str) -> str:
    """Return a Content-Disposition that saves a file under a name in any script (RFC 6266)."""
    name = "".join(
        each if each.isprintable() and each not in '/\\:*?"<>|' else "_" for each in name
    )
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
