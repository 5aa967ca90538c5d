"""Serves the built web app, from memory: the page at ``/`` and ``/setup``, its files, compressed.

Nothing outside the folder can be asked for, because only what was found in it at the start has a
path.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

WEBAPP: Final = Path(__file__).parent / "webapp"
"""Where the build of ``clients/web`` goes."""

PAGES: Final = ("/", "/setup")
"""Addresses of the page itself, which reads in its own address what to show."""

FOREVER: Final = "public, max-age=31536000, immutable"
ASK_FIRST: Final = "no-cache"

NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Parvis</title>
<h1>The web app is not built</h1>
<p>The server itself works. Run <code>make setup</code> in the checkout and start it again;
a wheel of Parvis brings the web app along.</p>
</html>
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One file, ready to be sent.

    Attributes:
        packed: The gzip form; empty if that is not smaller.
    """

    body: bytes
    packed: bytes
    content_type: str
    etag: str
    cache: str

    def response(self, request: web.Request) -> web.Response:
        """Return the answer to a request: the file, compressed if that helps, or 304."""
        headers = {"ETag": self.etag, "Cache-Control": self.cache, "Vary": "Accept-Encoding"}
        # A proxy that compresses marks the tag as weak.
        known = request.headers.get("If-None-Match", "").replace("W/", "").split(",")
        if self.etag in (tag.strip() for tag in known):
            return web.Response(status=304, headers=headers)
        body = self.body
        if self.packed and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = self.packed
            headers["Content-Encoding"] = "gzip"
        headers["Content-Type"] = self.content_type
        return web.Response(body=body, headers=headers)


def is_built(folder: Path = WEBAPP) -> bool:
    """Tell whether the web app is there."""
    return (folder / "index.html").is_file()


def add_pages(app: web.Application, folder: Path = WEBAPP) -> None:
    """Serve a built web app; without one, a page that says how to build it."""
    if not is_built(folder):
        for path in PAGES:
            app.router.add_get(path, _not_built)
        return
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        name = file.relative_to(folder).as_posix()
        page = _load(file, FOREVER if name.startswith("assets/") else ASK_FIRST)
        for path in PAGES if name == "index.html" else (f"/{name}",):
            _add(app, path, page)


def _add(app: web.Application, path: str, page: Page) -> None:
    async def send(request: web.Request) -> web.Response:
        return page.response(request)

    app.router.add_get(path, send)


def _load(file: Path, cache: str) -> Page:
    body = file.read_bytes()
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    if kind == "text/javascript" or kind.startswith("text/"):
        kind += "; charset=utf-8"
    packed = gzip.compress(body, 9, mtime=0)
    return Page(
        body=body,
        packed=packed if len(packed) < len(body) * 0.9 else b"",
        content_type=kind,
        etag=f'"{hashlib.sha256(body).hexdigest()[:24]}"',
        cache=cache,
    )


async def _not_built(_: web.Request) -> web.Response:
    return web.Response(text=NOT_BUILT, content_type="text/html", status=503)
