"""The past of documents on a real node: over HTTP, and by the Python client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from pycrdt import Text

from parvis.client import DocumentPart, Refused, connect
from parvis.protocol import ErrorCode
from tests.faults import ways_in
from tests.faults.bystander import within
from tests.faults.commands import run
from tests.faults.ways_in import Promptly
from tests.identities import PASSWORD
from tests.running import Server, start_server
from tests.server.history.desk import text_of

ROOM = "plain/team/plan"
ADA, BOB = "ada@example.org", "bob@example.org"


@dataclass(frozen=True)
class Site:
    """A node with two accounts, and a document in which ada wrote "one " and bob "two "."""

    server: Server
    tokens: dict[str, str]
    http: aiohttp.ClientSession
    ada: DocumentPart
    bob: DocumentPart

    async def ask(
        self, who: str, method: str, path: str, body: object = None, room: str = ROOM
    ) -> tuple[int, Any]:
        """Return status and answer: JSON, or bytes."""
        url = f"{self.server.url}/api/v1/rooms/{room}/history{path}"
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        async with self.http.request(method, url, json=body, headers=headers) as answer:
            if "Parvis-Offset" in answer.headers:
                assert answer.headers["Cache-Control"] == "private, no-store"
                return int(answer.headers["Parvis-Offset"]), await answer.read()
            return answer.status, await answer.json() if await answer.read() else None


async def _tokens(server: Server) -> dict[str, str]:
    for email in (ADA, BOB):
        await run(server, "user", "add", email, "--password-stdin", stdin=PASSWORD)
    return {email: (await run(server, "token", email)).strip() for email in (ADA, BOB)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, str]]]:
    with start_server(tmp_path_factory.mktemp("history"), open=False) as server:
        yield server, asyncio.run(_tokens(server))


@pytest.fixture
async def site(place: tuple[Server, dict[str, str]]) -> AsyncIterator[Site]:
    server, tokens = place
    where = ways_in.native(server)
    async with (
        aiohttp.ClientSession() as http,
        connect(where, tokens[ADA], random=Promptly()) as one,
        connect(where, tokens[BOB], random=Promptly(500)) as two,
    ):
        ada, bob = await one.join(ROOM), await two.join(ROOM)
        if not str(ada.doc.get("text", type=Text)):
            ada.doc.get("text", type=Text).insert(0, "one ")
            await within(ada.saved())
            bob.doc.get("text", type=Text).insert(0, "two ")
            await within(bob.saved())
        yield Site(server, tokens, http, ada, bob)


async def test_http_tells_the_timeline_the_states_and_the_authors(site: Site) -> None:
    status, page = await site.ask(ADA, "GET", "?limit=5&pause=60")
    assert (status, page["since"], page["next"]) == (200, 0, None)
    assert sum(entry["updates"] for entry in page["entries"]) >= 2
    offset, state = await site.ask(BOB, "GET", "/at?offset=1")
    assert (offset, text_of(state)) == (1, "one ")
    offset, state = await site.ask(BOB, "GET", f"/at?time={page['entries'][0]['end']}")
    assert (offset, "two " in text_of(state)) == (page["entries"][0]["last"], True)
    status, blame = await site.ask(ADA, "GET", "/blame?root=text&offset=2")
    (text,) = blame["types"]
    assert (status, len(text["runs"])) == (200, 2)
    assert len({run["author"] for run in text["runs"]}) == 2


async def test_http_names_restores_and_rolls_back(site: Site) -> None:
    status, made = await site.ask(ADA, "POST", "/versions", {"name": "First", "offset": 1})
    assert (status, made["version"]["offset"]) == (201, 1)
    path = f"/versions/{made['version']['id']}"
    assert await site.ask(BOB, "PATCH", path, {"name": "The first"}) == (204, None)
    status, listed = await site.ask(BOB, "GET", "/versions")
    assert [each["name"] for each in listed["versions"]] == ["The first"]
    version = made["version"]["id"]
    status, done = await site.ask(BOB, "POST", "/restore", {"version": version})
    assert status == 200
    assert text_of((await site.ask(ADA, "GET", f"/at?offset={done['offset']}"))[1]) == "one "
    _, page = await site.ask(ADA, "GET", "?limit=1")
    bob = page["entries"][0]["authors"][-1]
    period = {"author": bob, "first": done["offset"], "last": done["offset"]}
    assert (await site.ask(ADA, "POST", "/rollback", period))[0] == 200
    assert await site.ask(ADA, "DELETE", path) == (204, None)
    assert (await site.ask(ADA, "GET", "/versions"))[1] == {"versions": []}


async def test_the_python_client_looks_back_and_goes_back(site: Site) -> None:
    found: Any = await within(site.ada.history("at", {"offset": 1}))
    assert text_of(found["state"]) == "one "
    await within(site.bob.history("restore", {"offset": 1}))
    with pytest.raises(Refused) as refusal:
        await within(site.ada.history("at", {"offset": 10**6}))
    assert refusal.value.code == ErrorCode.MALFORMED


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/at", "malformed"),
        ("/at?offset=x", "malformed"),
        ("/at?offset=1&time=5", "malformed"),
        ("/at?time=nan", "malformed"),
        ("/at?offset=99999999", "malformed"),
        ("/at?version=none", "conflict"),
        ("/blame?pause=much", "malformed"),
        ("?limit=many", "malformed"),
    ],
)
async def test_bad_questions_are_told_what_is_wrong(site: Site, path: str, expected: str) -> None:
    status, answer = await site.ask(ADA, "GET", path)
    assert (400 <= status < 500, answer["error"]["code"]) == (True, expected)


async def test_rooms_that_are_not_there_have_no_past(site: Site) -> None:
    status, answer = await site.ask(ADA, "GET", "", room="plain/nothing")
    assert (status, answer["error"]["code"]) == (404, "room_not_found")


async def test_the_description_of_the_api_names_every_question(site: Site) -> None:
    async with site.http.get(f"{site.server.url}/api/v1/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    room = "/api/v1/rooms/{type}/{key}/history"
    assert {path: set(paths[path]) for path in paths if path.startswith(room)} == {
        room: {"get"},
        f"{room}/at": {"get"},
        f"{room}/blame": {"get"},
        f"{room}/versions": {"get", "post"},
        f"{room}/versions/{{id}}": {"patch", "delete"},
        f"{room}/restore": {"post"},
        f"{room}/rollback": {"post"},
    }
