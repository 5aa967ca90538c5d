"""What a request says about who sent it, asked over real connections."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import jwt
import pytest
from aiohttp import DummyCookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric import ec

from parvis.plugins import Refused
from parvis.server.api import Gate
from parvis.server.identity import Identity, Unauthenticated, open_identity
from parvis.server.settings import AppSettings, ServerSettings, Settings
from parvis.storage import SignIn, StoreUnavailable
from parvis.storage.memory import MemoryAccounts
from tests.clocks import SeededRandom, SetClock
from tests.identities import CHEAP, PASSWORD


class ShakyAccounts(MemoryAccounts):
    """Accounts whose disk can go away."""

    gone = False

    async def sign_in(self, digest: bytes, *, now: float) -> SignIn | None:
        if self.gone:
            raise StoreUnavailable("the disk is gone")
        return await super().sign_in(digest, now=now)


class Door:
    """A server that answers with what its gate makes of a request."""

    def __init__(self, identity: Identity, accounts: ShakyAccounts, settings: Settings) -> None:
        self.identity = identity
        self.accounts = accounts
        self.gate = Gate(identity, settings)
        self.client: TestClient[Any, Any]

    async def answer(self, request: web.Request) -> web.Response:
        gate = self.gate
        facts: dict[str, str] = {"address": gate.address(request), "here": gate.here(request)}
        for name, ask in (
            ("stock", gate.stock(request, request.query.get("token", ""))),
            ("native", gate.native(request, request.query.get("ticket", ""))),
        ):
            try:
                facts[name] = (await ask).caller.user
            except Unauthenticated:
                facts[name] = "unauthenticated"
            except Refused as refusal:
                facts[name] = refusal.code.slug
        return web.json_response(facts)

    async def seen(self, query: dict[str, str] | None = None, /, **headers: str) -> dict[str, str]:
        """Send a request; return what the gate makes of it."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.get("/", params=query or {}, headers=sent)
        found: dict[str, str] = await answer.json()
        return found


@asynccontextmanager
async def opened(**server: Any) -> AsyncGenerator[Door]:
    """Open a door; the application's keys are nowhere to be found."""
    apps = {"wiki": AppSettings(jwks="/nowhere/keys.json", rooms=("*",))}
    settings = Settings(server=ServerSettings(**server), auth=replace(CHEAP, apps=apps))
    accounts = ShakyAccounts()
    identity = await open_identity(settings, accounts, SetClock(), SeededRandom())
    door = Door(identity, accounts, settings)
    app = web.Application()
    app.router.add_get("/", door.answer)
    async with TestClient(TestServer(app), cookie_jar=DummyCookieJar()) as door.client:
        yield door
    identity.close()


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        ((), "192.0.2.1", "127.0.0.1"),
        (("192.0.2.0/24",), "192.0.2.1", "127.0.0.1"),
        (("127.0.0.1",), "192.0.2.1", "192.0.2.1"),
        (("127.0.0.1",), "6.6.6.6, 192.0.2.1", "192.0.2.1"),
        (("127.0.0.1", "192.0.2.0/24"), "6.6.6.6, 192.0.2.1", "6.6.6.6"),
        (("127.0.0.1", "192.0.2.0/24"), "192.0.2.9, 192.0.2.1", "192.0.2.9"),
        (("127.0.0.1",), "", "127.0.0.1"),
        (("127.0.0.1",), " , ", "127.0.0.1"),
        (("127.0.0.1",), "not an address", "not an address"),
    ],
)
async def test_only_listed_proxies_say_where_a_client_is(
    proxies: tuple[str, ...], forwarded: str, address: str
) -> None:
    async with opened(trusted_proxies=proxies) as door:
        assert (await door.seen(X_Forwarded_For=forwarded))["address"] == address


async def test_only_listed_proxies_say_that_it_is_https() -> None:
    headers = {"Host": "parvis.test", "X_Forwarded_Proto": "https"}
    async with opened() as door:
        assert (await door.seen(**headers))["here"] == "http://parvis.test"
    async with opened(trusted_proxies=("127.0.0.1",)) as door:
        assert (await door.seen(**headers))["here"] == "https://parvis.test"
        headers["X_Forwarded_Proto"] = "javascript"
        assert (await door.seen(**headers))["here"] == "http://parvis.test"


async def test_a_stock_client_is_known_by_cookie_and_origin() -> None:
    async with opened() as door:
        ada = await door.identity.people.add("ada@example.org", password=PASSWORD)
        secret, _ = await door.identity.people.sign_in(ada)
        cookie = {"Cookie": f"other=1; parvis={secret}"}
        host = str(door.client.make_url("/")).rstrip("/")
        assert (await door.seen(**cookie, Origin=host))["stock"] == ada.id
        assert (await door.seen(**cookie))["stock"] == "unauthenticated"
        assert (await door.seen(**cookie, Origin="http://evil.test"))["stock"] == (
            "unauthenticated"
        )
        assert (await door.seen(**cookie, Origin=host, Host="evil.test"))["stock"] == (
            "unauthenticated"
        )


async def test_a_room_token_is_good_from_any_page() -> None:
    async with opened() as door:
        ada = await door.identity.people.add("ada@example.org", password=PASSWORD)
        token = door.identity.tokens.room(
            ada, rooms=("plain/x",), capabilities=("view",), seconds=60
        ).token
        seen = await door.seen({"token": token, "ticket": token}, Origin="http://app.test")
        assert (seen["stock"], seen["native"]) == (ada.id, ada.id)


async def test_a_store_that_is_away_is_no_refusal_for_good() -> None:
    async with opened() as door:
        ada = await door.identity.people.add("ada@example.org", password=PASSWORD)
        secret, _ = await door.identity.people.sign_in(ada)
        host = str(door.client.make_url("/")).rstrip("/")
        door.accounts.gone = True
        seen = await door.seen(Cookie=f"parvis={secret}", Origin=host)
        assert seen["stock"] == "store_unavailable"
        door.accounts.gone = False
        assert (await door.seen(Cookie=f"parvis={secret}", Origin=host))["stock"] == ada.id


async def test_keys_that_are_away_are_no_refusal_for_good() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    token = jwt.encode({"iss": "wiki"}, key, algorithm="ES256", headers={"kid": "e"})
    async with opened() as door:
        assert (await door.seen({"token": token}))["stock"] == "try_again"
