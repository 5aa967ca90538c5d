"""Somebody who writes documents on a running node by program: over HTTP, and as a native client."""

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from parvis.client import connect
from parvis.plugins.docs.vocabulary import VERSION
from tests.running import Server

PASSWORD: Final = "zebra-quartz-mumble-74"


@dataclass(frozen=True)
class Author:
    """Somebody with an account.

    Attributes:
        token: Their access token.
        schema: Version of the documents' schema that they show.
    """

    server: Server
    email: str
    token: str
    schema: int = VERSION

    def call(self, method: str, path: str, body: object = None, *, token: str | None = None) -> Any:
        """Ask the HTTP API of documents; return the answer's JSON. No `token`: their own."""
        bearer = self.token if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        headers["Content-Type"] = "application/json"
        url = f"{self.server.url}/api/v1/docs/{path}"
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(url, data, headers, method=method)
        with urllib.request.urlopen(asked) as answer:
            return json.load(answer)

    def cookie(self) -> str:
        """Sign in as a browser does; return its cookie."""
        body = json.dumps({"email": self.email, "password": PASSWORD}).encode()
        headers = {"Content-Type": "application/json"}
        url = f"{self.server.url}/api/v1/session"
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            return str(answer.headers["Set-Cookie"]).partition(";")[0]

    def new_document(self, **fields: str) -> str:
        """Make a document; return its key."""
        return str(self.call("POST", "documents", fields)["document"]["key"])

    def forge(self, key: str, change: Callable[[XmlFragment], None]) -> None:
        """Write the content as a program does that asks no editor; return when it is saved."""

        async def write() -> None:
            async with connect(self._address, self.token) as session:
                part = await session.join(f"docs/{key}", schema=self.schema)
                with part.doc.transaction():
                    change(content_of(part.doc))
                await part.saved()

        asyncio.run(write())

    def read(self, key: str) -> str:
        """Return the content on the server, as XML."""

        async def look() -> str:
            async with connect(self._address, self.token) as session:
                part = await session.join(f"docs/{key}", schema=self.schema)
                return "".join(map(_xml, content_of(part.doc).children))

        return asyncio.run(look())

    @property
    def _address(self) -> str:
        return f"{self.server.url.replace('http', 'ws', 1)}/ws"


def author_of(server: Server, email: str, *, new: bool = False, schema: int = VERSION) -> Author:
    """Return somebody as an author; with `new` their account is made first."""

    def command(*words: str, say: str = "") -> str:
        argv = [sys.executable, "-m", "parvis.server", *words, "--data", str(server.data)]
        done = subprocess.run(argv, input=say, text=True, check=True, capture_output=True)
        return done.stdout.strip()

    if new:
        command("user", "add", email, "--password-stdin", say=f"{PASSWORD}\n")
    return Author(server, email, command("token", email), schema)


def content_of(doc: Doc[Any]) -> XmlFragment:
    """Return the content of a document's main part."""
    found: XmlFragment = doc.get("default", type=XmlFragment)
    return found


def _xml(node: XmlElement | XmlText | XmlFragment) -> str:
    """Return a node as XML, with its attributes in order: Yrs gives them in any."""
    if not isinstance(node, XmlElement):
        return str(node)
    pairs = sorted(cast("Iterable[tuple[str, Any]]", node.attributes))
    attributes = "".join(f' {name}="{value}"' for name, value in pairs)
    content = "".join(map(_xml, node.children))
    return f"<{node.tag}{attributes}>{content}</{node.tag}>"
