"""A node with an account, and its HTTP API to make documents with: what browsers are sent to."""

import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
from benchmarks.target import Target, parvis_server

EMAIL: Final = "ada@example.org"
PASSWORD: Final = "zebra-quartz-mumble-74"  # of a node that lives for minutes, on the loopback
PATIENCE: Final = aiohttp.ClientTimeout(total=300)


@dataclass(frozen=True)
class Site:
    """A running node and its only account's token.

    Attributes:
        url: ``http://host:port``.
        data: The node's data folder.
    """

    target: Target
    url: str
    data: Path
    token: str


@contextmanager
def site() -> Generator[Site]:
    """A fresh node on its own core, where Ada is the administrator; its data goes away with it."""
    with tempfile.TemporaryDirectory(prefix="parvis-bench-") as folder:
        data = Path(folder)
        _command(data, "user", "add", EMAIL, "--admin", "--password-stdin", say=PASSWORD)
        with parvis_server(data=data, open=False) as target:
            token = _command(data, "token", EMAIL).strip()
            yield Site(target, target.url.replace("ws:", "http:"), data, token)


def _command(data: Path, *words: str, say: str = "") -> str:
    argv = [sys.executable, "-m", "parvis.server", *words, "--data", str(data)]
    done = subprocess.run(argv, input=say, stdout=subprocess.PIPE, text=True, env=os.environ)
    if done.returncode:
        raise SystemExit(f"parvis {' '.join(words)} ended with {done.returncode}")
    return done.stdout


class Api:
    """The HTTP API, as Ada calls it."""

    def __init__(self, site: Site, session: aiohttp.ClientSession) -> None:
        self._base = f"{site.url}/api/v1/"
        self._session = session

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """Return the answer's JSON. Raises `SystemExit` with the server's words if it refuses."""
        async with self._session.request(method, self._base + path, json=body) as response:
            if response.status >= 400:
                raise SystemExit(f"{method} {path}: {response.status} {await response.text()}")
            return await response.json()

    async def enter(self, key: str, secret: str, name: str) -> Any:
        """Open a document by its link, as a stranger of this name; return who they are now."""
        body = {"key": key, "secret": secret, "name": name}
        path = f"{self._base}docs/links/open"
        async with (
            aiohttp.ClientSession(timeout=PATIENCE) as stranger,
            stranger.post(path, json=body) as response,
        ):
            response.raise_for_status()
            return await response.json()

    async def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        async with self._session.get(self._base + path) as response:
            response.raise_for_status()
            return await response.read()

    async def make(self, title: str, form: str = "text", content: str = "") -> str:
        """Make a document with this content; return its key."""
        asked = (
            {"title": title, "format": form, "content": content} if content else {"title": title}
        )
        made = await self.call("POST", "docs/documents", asked)
        return str(made["document"]["key"])


@asynccontextmanager
async def api(site: Site) -> AsyncGenerator[Api]:
    """Call a site's HTTP API."""
    headers = {"Authorization": f"Bearer {site.token}"}
    async with aiohttp.ClientSession(headers=headers, timeout=PATIENCE) as session:
        yield Api(site, session)
