"""Serves the built web app, from memory: one page wherever a browser goes, its files, packed.

Nothing outside the folder can be asked for, because only what was found in it at the start has a
path. The page reads in its own address what to show.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

WEBAPP: Final = Path(__file__).parent / "webapp"
"""Where the build of ``clients/web`` goes."""

PAGES: Final = ("/", "/setup")
"""Addresses at which the page is given to whoever asks; anywhere else, to browsers."""

NO_PAGES: Final = frozenset(
    {
        ".well-known",
        "api",
        "assets",
        "dav",
        "hocuspocus",
        "livez",
        "metrics",
        "readyz",
        "socket.io",
        "ws",
        "yjs",
    }
)
"""First steps of paths below which nothing is a page of the app, whoever asks."""

TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""By the end of a file's name; not asked of the machine, which may know fewer."""

PACKED: Final[Mapping[str, str]] = {"br": ".br", "gzip": ".gz"}
"""Encoding → ending of the files that the build has packed with it, the best one first."""

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
        packed: Encoding → compressed form, the best one first; only those worth it.
    """

    body: bytes
    packed: Mapping[str, bytes]
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
        taken = _accepted(request.headers.get("Accept-Encoding", ""))
        if (encoding := next((each for each in self.packed if each in taken), None)) is not None:
            body = self.packed[encoding]
            headers["Content-Encoding"] = encoding
        headers["Content-Type"] = self.content_type
        return web.Response(body=body, headers=headers)


def is_built(folder: Path = WEBAPP) -> bool:
    """Tell whether the web app is there."""
    return (folder / "index.html").is_file()


def add_pages(app: web.Application, folder: Path = WEBAPP) -> None:
    """Serve a built web app; without one, a page that says how to build it.

    To be called last: the page answers browsers at every address that nothing else has.
    """
    if not is_built(folder):
        for path in PAGES:
            app.router.add_get(path, _not_built)
        app.middlewares.append(_instead_of_nothing(_not_built))
        return
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or file.suffix in PACKED.values():
            continue
        name = file.relative_to(folder).as_posix()
        send = _sender(_load(file, FOREVER if name.startswith("assets/") else ASK_FIRST))
        if name == "index.html":
            for path in PAGES:
                app.router.add_get(path, send)
            app.middlewares.append(_instead_of_nothing(send))
        else:
            app.router.add_get(f"/{name}", send)


def _instead_of_nothing(send: Handler) -> Middleware:
    """Send the page to a browser that goes where no route leads."""

    @web.middleware
    async def show(request: web.Request, handler: Handler) -> web.StreamResponse:
        missing = isinstance(request.match_info.http_exception, web.HTTPNotFound)
        return await (send if missing and _is_visit(request) else handler)(request)

    return show


def _is_visit(request: web.Request) -> bool:
    """Tell whether a person goes to an address, rather than a program asking for a file."""
    return (
        request.method in ("GET", "HEAD")
        and "text/html" in request.headers.get("Accept", "")
        and request.path.split("/")[1] not in NO_PAGES
    )


def _sender(page: Page) -> Handler:
    async def send(request: web.Request) -> web.StreamResponse:
        return page.response(request)

    return send


def _load(file: Path, cache: str) -> Page:
    body = file.read_bytes()
    packed = {
        encoding: form.read_bytes()
        for encoding, ending in PACKED.items()
        if (form := file.with_name(file.name + ending)).is_file()
    }
    return Page(
        body=body,
        packed={name: form for name, form in packed.items() if len(form) < len(body) * 0.9},
        content_type=TYPES.get(file.suffix, "application/octet-stream"),
        etag=f'"{hashlib.sha256(body).hexdigest()[:24]}"',
        cache=cache,
    )


def _accepted(header: str) -> set[str]:
    """Return the encodings that an ``Accept-Encoding`` names and does not rule out."""
    named = [each.strip().lower().replace(" ", "") for each in header.split(",")]
    return {
        name
        for name, _, quality in (each.partition(";") for each in named)
        if not quality.startswith("q=0") or quality.strip("q=0.")
    }


async def _not_built(_: web.Request) -> web.StreamResponse:
    return web.Response(text=NOT_BUILT, content_type="text/html", status=503)
