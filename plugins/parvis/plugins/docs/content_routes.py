"""The HTTP API of content: documents made, read, added to, duplicated."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.plugins import HttpRequest, HttpResponse, Route

from .bodies import NewDocument
from .contents import Contents
from .office import Office
from .routes import document_answer


class ContentRoutes:
    """Routes that take or give content."""

    def __init__(self, office: Office, contents: Contents) -> None:
        self._most = office.settings.max_upload
        self._contents = contents

    def routes(self) -> Sequence[Route]:
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
        )

    async def _create(self, request: HttpRequest) -> HttpResponse:
        body: NewDocument = request.value
        made = await self._contents.create(request.caller, body.title, body.space)
        return document_answer(made, 201)
