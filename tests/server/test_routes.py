"""HTTP routes of room types, on the real application: who asks, what they send, what comes back."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientError, ClientResponse
from aiohttp.test_utils import TestClient

from parvis.plugins import ErrorCode, HttpRequest, HttpResponse, Refused, Route
from parvis.server.hosting.bulk import OF_ONE
from parvis.server.hosting.registry import Registry
from parvis.server.identity import Identity
from parvis.server.settings import ServerSettings, Settings
from parvis.storage import StoreUnavailable, Stream, User
from tests.identities import CHEAP, PASSWORD
from tests.server.rooms.lab import Board
from tests.server.site import serve as serve_whole

LARGE = 512 * 1024
FILM = bytes(OF_ONE + 1)


@dataclass(frozen=True, slots=True)
class NewBoard:
    """What is posted to `boards`."""

    title: str
    width: int | None = None


class Drawn(Board):
    """Has routes of every kind."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = asyncio.Semaphore(0)
        self.over = asyncio.Event()
        self.let_go = 0
        self.routes = (
            Route(
                "POST",
                "boards",
                self.make,
                summary="Make a board.",
                body=NewBoard,
                status=201,
            ),
            Route("PUT", "boards/{board}/picture", self.tell, max_body=LARGE),
            Route("PUT", "boards/{board}/film", self.show, max_body=OF_ONE // 2),
            Route("GET", "open/{board}", self.tell, public=True, query={"page": "Which one."}),
            Route("POST", "open/{board}", self.tell, public=True),
            Route("GET", "film", self.film),
            Route("GET", "picture", self.picture, answer="image/png"),
            Route("GET", "streamed", self.streamed),
            Route("GET", "torn", self.torn),
            Route("DELETE", "boards/{board}", self.forget, status=204),
            Route("GET", "full", self.refuse),
        )

    async def make(self, request: HttpRequest) -> HttpResponse:
        new: NewBoard = request.value
        return HttpResponse({"title": new.title, "width": new.width}, 201)

    async def tell(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(
            {
                "user": request.caller.user,
                "tenant": request.caller.tenant,
                "path": dict(request.path),
                "query": dict(request.query),
                "size": len(request.body),
                "type": request.content_type,
                "address": request.address,
                "base": request.base,
            }
        )

    async def show(self, request: HttpRequest) -> HttpResponse:
        """Work on a film until all of them are over."""
        self.shown.release()
        await self.over.wait()
        return HttpResponse({"size": len(request.body)})

    async def picture(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(b"\x89PNG", content_type="image/png", headers={"ETag": '"1"'})

    async def streamed(self, request: HttpRequest) -> HttpResponse:
        async def pieces() -> AsyncGenerator[bytes]:
            try:
                for start in range(0, len(FILM), 100_000):
                    yield FILM[start : start + 100_000]
            finally:
                self.let_go += 1

        return HttpResponse(
            Stream(len(FILM), pieces()), content_type="video/webm", headers={"ETag": '"1"'}
        )

    async def torn(self, request: HttpRequest) -> HttpResponse:
        async def pieces() -> AsyncGenerator[bytes]:
            yield b"half"
            raise StoreUnavailable("the bucket does not answer")

        return HttpResponse(Stream(8, pieces()), content_type="video/webm")

    async def film(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(FILM, content_type="video/webm")

    async def forget(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=204)

    async def refuse(self, request: HttpRequest) -> HttpResponse:
        raise Refused(ErrorCode.TOO_LARGE, "no more boards")


@dataclass
class Site:
    """A served application."""

    client: TestClient[Any, Any]
    identity: Identity
    here: str
    drawn: Drawn

    async def person(self) -> User:
        return await self.identity.people.add("ada@example.org", password=PASSWORD)

    async def ask(
        self, method: str, path: str, data: bytes = b"", /, **headers: str
    ) -> tuple[int, Any, ClientResponse]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.request(
            method,
            f"/api/v1/board/{path}",
            data=data or None,
            headers=sent,
            skip_auto_headers=("Content-Type",),
        )
        body = await answer.read()
        is_json = answer.content_type == "application/json"
        return answer.status, json.loads(body) if body and is_json else body, answer

    async def token(self) -> dict[str, str]:
        """Make an account; return the header that speaks for it."""
        user = await self.person()
        return {"Authorization": f"Bearer {self.identity.access_token(user).token}"}


async def serve(settings: Settings) -> AsyncIterator[Site]:
    drawn = Drawn()
    async for whole in serve_whole(settings, "memory:", Registry([drawn], settings)):
        yield Site(whole.client, whole.identity, whole.here, drawn)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async for site in serve(Settings(auth=CHEAP)):
        yield site


@pytest.fixture
async def public_site() -> AsyncIterator[Site]:
    url = "https://parvis.example.org"
    async for site in serve(Settings(auth=CHEAP, server=ServerSettings(public_url=url))):
        yield site


async def test_a_body_is_read_before_the_handler_sees_it(site: Site) -> None:
    token = await site.token()
    status, answer, _ = await site.ask(
        "POST", "boards", b'{"title": "Plan"}', Content_Type="application/json", **token
    )
    assert (status, answer) == (201, {"title": "Plan", "width": None})
    for body, kind, expected in (
        (b'{"width": 3}', "application/json", 400),
        (b'{"title": 3}', "application/json", 400),
        (b'{"title": "x", "height": 3}', "application/json", 400),
        (b"title=x", "application/x-www-form-urlencoded", 415),
        (b'{"title": "' + b"x" * 70_000 + b'"}', "application/json", 413),
    ):
        status, answer, _ = await site.ask("POST", "boards", body, Content_Type=kind, **token)
        assert status == expected, answer


async def test_a_route_may_take_larger_bodies_than_others(site: Site) -> None:
    token = await site.token()
    kind = "image/PNG; charset=x"
    for size, expected in ((LARGE, 200), (LARGE + 1, 413)):
        status, answer, _ = await site.ask(
            "PUT", "boards/a%2Fb/picture", bytes(size), Content_Type=kind, **token
        )
        assert status == expected
        if status == 200:
            assert (answer["size"], answer["type"]) == (size, "image/png")
            assert answer["path"] == {"board": "a/b"}
    status, answer, _ = await site.ask("POST", "open/x", bytes(70_000), **token)
    assert (status, answer["error"]["code"]) == (413, "too_large")


async def test_a_large_body_without_a_length_is_cut_off_too(site: Site) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield bytes(100_000)
            await asyncio.sleep(0)

    answer = await site.client.put(
        "/api/v1/board/boards/b/picture", data=pieces(), headers=await site.token()
    )
    assert answer.status == 413


async def test_strangers_may_call_what_is_public_and_nothing_else(site: Site) -> None:
    status, answer, _ = await site.ask("GET", "open/b%20c?page=2")
    assert status == 200
    assert answer == {
        "user": "",
        "tenant": "local",
        "path": {"board": "b c"},
        "query": {"page": "2"},
        "size": 0,
        "type": "",
        "address": "127.0.0.1",
        "base": site.here,
    }
    status, answer, _ = await site.ask("GET", "full")
    assert (status, answer["error"]["code"]) == (401, "unauthenticated")


async def test_on_a_public_route_people_are_still_themselves(site: Site) -> None:
    user = await site.person()
    secret, _ = await site.identity.people.sign_in(user)
    cookie = f"parvis={secret}"
    assert (await site.ask("GET", "open/b", Cookie=cookie))[1]["user"] == user.id
    own = await site.ask("POST", "open/b", Cookie=cookie, Origin=site.here)
    assert own[1]["user"] == user.id
    foreign = await site.ask("POST", "open/b", Cookie=cookie, Origin="https://evil.example")
    assert foreign[1]["user"] == ""
    await site.identity.people.sign_out(secret)
    assert (await site.ask("GET", "open/b", Cookie=cookie))[1]["user"] == ""


async def test_a_token_that_does_not_hold_is_told_so_everywhere(site: Site) -> None:
    status, _, _ = await site.ask("GET", "open/b", Authorization="Bearer wrong")
    assert status == 401


async def test_links_are_led_by_the_public_url_where_there_is_one(public_site: Site) -> None:
    _, answer, _ = await public_site.ask("GET", "open/b", Host="other.example")
    assert answer["base"] == "https://parvis.example.org"


async def test_answers_are_bytes_json_or_nothing(site: Site) -> None:
    token = await site.token()
    status, body, answer = await site.ask("GET", "picture", **token)
    assert (status, body, answer.content_type) == (200, b"\x89PNG", "image/png")
    assert answer.headers["ETag"] == '"1"'
    status, body, answer = await site.ask("DELETE", "boards/b", **token)
    assert (status, body) == (204, b"")
    status, refusal, _ = await site.ask("GET", "full", **token)
    assert (status, refusal["error"]["message"]) == (413, "no more boards")


async def test_the_description_says_what_routes_take_and_give(site: Site) -> None:
    paths = (await (await site.client.get("/api/v1/openapi.json")).json())["paths"]
    make = paths["/api/v1/board/boards"]["post"]
    assert make["summary"] == "Make a board."
    assert make["requestBody"]["content"]["application/json"]["schema"]["required"] == ["title"]
    assert make["responses"]["201"]["content"] == {"application/json": {}}
    assert make["security"] == [{"cookie": []}, {"token": []}]
    look = paths["/api/v1/board/open/{board}"]["get"]
    assert look["security"] == []
    assert [(each["name"], each["in"]) for each in look["parameters"]] == [
        ("board", "path"),
        ("page", "query"),
    ]
    assert paths["/api/v1/board/picture"]["get"]["responses"]["200"]["content"] == {"image/png": {}}
    forget = paths["/api/v1/board/boards/{board}"]["delete"]
    assert "content" not in forget["responses"]["204"]


async def test_half_an_emoji_does_not_get_past_the_door(site: Site) -> None:
    token = await site.token()
    body = b'{"title": "a\\ud83d b\\ude00 c\\ud83d\\ude00"}'
    status, answer, _ = await site.ask(
        "POST", "boards", body, Content_Type="application/json", **token
    )
    assert (status, answer["title"]) == (201, "a\ufffd b\ufffd c\N{GRINNING FACE}")


async def test_one_person_fills_the_memory_with_so_many_uploads_and_no_more(site: Site) -> None:
    token = await site.token()

    async def without_a_length() -> AsyncIterator[bytes]:
        yield bytes(10)

    # Without a length each counts as the largest that the route takes.
    url = "/api/v1/board/boards/b/film"
    uploads = [
        asyncio.create_task(site.client.put(url, data=without_a_length(), headers=token))
        for _ in range(2)
    ]
    for _ in uploads:
        await site.drawn.shown.acquire()
    refused, answer, _ = await site.ask("PUT", "boards/b/picture", bytes(LARGE), **token)
    assert (refused, answer["error"]["code"]) == (429, "rate_limited")
    small, _, _ = await site.ask("PUT", "boards/b/picture", bytes(60_000), **token)
    assert small == 200
    site.drawn.over.set()
    assert {(await upload).status for upload in uploads} == {200}
    again, _, _ = await site.ask("PUT", "boards/b/picture", bytes(LARGE), **token)
    assert again == 200


async def test_who_reads_nothing_of_large_answers_gets_no_more_of_them(site: Site) -> None:
    token = await site.token()
    unread = await site.client.get("/api/v1/board/film", headers=token)
    status, answer, _ = await site.ask("GET", "film", **token)
    assert (status, answer["error"]["code"]) == (429, "rate_limited")
    assert (await site.ask("GET", "picture", **token))[0] == 200
    assert await unread.read() == FILM
    status, body, _ = await site.ask("GET", "film", **token)
    assert (status, len(body)) == (200, len(FILM))


async def test_a_stream_goes_out_whole_and_is_let_go(site: Site) -> None:
    token = await site.token()
    status, body, answer = await site.ask("GET", "streamed", **token)
    assert (status, body) == (200, FILM)
    assert answer.headers["Content-Type"] == "video/webm"
    assert answer.headers["Content-Length"] == str(len(FILM))
    assert answer.headers["ETag"] == '"1"'
    assert site.drawn.let_go == 1


async def test_a_stream_that_ends_early_is_not_taken_for_a_whole_one(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    token = await site.token()
    with pytest.raises(ClientError):
        await site.ask("GET", "torn", **token)
    assert "the bucket does not answer" in caplog.text
