"""A served HTTP API: the real application, with all that stands behind it but websockets."""

import asyncio
import email
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from http.cookies import SimpleCookie
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiohttp import ClientResponse, DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer

from parvis.plugins import Answer, Caller, ErrorCode, Refused
from parvis.protocol import RoomName
from parvis.protocol.messages import Value
from parvis.server.api import Api, Gate, make_app
from parvis.server.hosting.jobs import Queues
from parvis.server.hosting.registry import Registry, installed
from parvis.server.hosting.routes import add_plugin_routes
from parvis.server.identity import Identity, open_identity
from parvis.server.mail import Post, carrier_of
from parvis.server.members import Members
from parvis.server.notices import Notices
from parvis.server.pages import add_pages
from parvis.server.settings import Settings
from parvis.storage import Batch, Entry, Store, User
from parvis.storage.factory import open_store
from tests.clocks import SeededRandom, SetClock
from tests.identities import PASSWORD

HOME = "http://parvis.test"
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class StoredRooms:
    """The rooms of a node on which nobody is: deleting one concerns the store only."""

    store: Store
    clock: SetClock

    async def delete(self, tenant: str, room: str, /) -> None:
        await self.store.delete_room(tenant, room, now=self.clock.time())


async def turn() -> None:
    """Let everybody else have a turn."""
    await asyncio.sleep(0)


async def turns() -> None:
    """Let everybody else have a few turns."""
    for _ in range(50):
        await turn()


class Beside:
    """Runs what the node has run beside."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()

    def __call__(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.add(asyncio.get_running_loop().create_task(work))


@dataclass
class KeptSignals:
    """What people's sessions were told: tenant, user, name and body of each signal."""

    sent: list[tuple[str, str, str, Any]] = field(default_factory=list[tuple[str, str, str, Any]])

    def signal(self, tenant: str, user: str, name: str, body: Value, /) -> None:
        self.sent.append((tenant, user, name, body))


@dataclass
class Site:
    """A served API and what stands behind it."""

    client: TestClient[Any, Any]
    identity: Identity
    store: Store
    clock: SetClock
    here: str
    members: Members
    queues: Queues
    signals: KeptSignals
    beside: Beside
    folder: Path

    async def rest(self) -> None:
        """Return when all that is due has been done."""
        for task in self.beside.tasks:
            await task
        while self.queues.working:
            await turn()

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, and what is due by then be done."""
        await self.rest()
        await turns()  # so that who rests has gone to sleep
        self.clock.pass_time(seconds)
        await turns()  # and has woken up
        await self.rest()

    async def letters(self) -> list[EmailMessage]:
        """Return the letters that were written to the folder, by address."""
        await self.rest()
        files = sorted(self.folder.glob("mail/*.eml"))
        return [email.message_from_bytes(file.read_bytes(), policy=default) for file in files]

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        cookie: str | None = None,
        token: str | None = None,
        origin: str | None = None,
        **headers: str,
    ) -> tuple[int, Any, ClientResponse]:
        """Send a request; return status, JSON answer and the answer itself."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if cookie is not None:
            sent["Cookie"] = f"parvis={cookie}"
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if origin is not None:
            sent["Origin"] = origin
        data = None
        if body is not None:
            sent |= JSON
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.client.request(method, f"/api/v1{path}", data=data, headers=sent)
        text = await answer.text()
        return answer.status, json.loads(text) if text else None, answer

    async def person(self, email: str = "ada@example.org", **facts: Any) -> User:
        """Make an account."""
        name = facts.pop("name", email.partition("@")[0].title())
        return await self.identity.people.add(email, name=name, password=PASSWORD, **facts)

    async def cookie_of(self, user: User) -> str:
        """Sign somebody in."""
        return (await self.identity.people.sign_in(user))[0]

    async def room(self, name: str, tenant: str = "local") -> None:
        """Make a room with one row."""
        now = self.clock.time()
        opened = await self.store.open_room(tenant, name, creator="u_1", now=now)
        entry = Entry(update=b"\x00\x00", sender="u_1", time=now, key=b"1")
        await self.store.append(tenant, [Batch(name, "", opened.fence, 0, (entry,))])


def members_of(
    settings: Settings,
    identity: Identity,
    store: Store,
    clock: SetClock,
    random: SeededRandom,
    post: Post,
    signals: KeptSignals,
    beside: Beside,
) -> Members:
    """Return what people are to each other; their notices want to be prepared."""
    accounts, delay = identity.people.accounts, settings.mail.notice_delay
    home = settings.server.public_url or HOME
    notices = Notices(store, accounts, post, signals, clock, random, home=home, delay=delay)
    return Members(settings, identity, post, notices, clock, spawn=beside, home=home)


async def no_history(caller: Caller, name: RoomName, question: str, body: Value) -> Answer:
    """Answer for a node whose rooms are only rows: `tests/server/history` asks a whole one."""
    raise Refused(ErrorCode.TRY_AGAIN, "no rooms are hosted here")


async def serve(
    settings: Settings, url: str, registry: Registry | None = None
) -> AsyncIterator[Site]:
    """Serve the API on loopback; letters go where the settings say, to a folder if nowhere."""
    registry = registry or installed(settings)
    clock, random = SetClock(), SeededRandom()
    store, accounts = open_store(url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        folder = Path(stack.enter_context(TemporaryDirectory(ignore_cleanup_errors=True)))
        identity = await open_identity(settings, accounts, clock, random)
        stack.callback(identity.close)
        gate, beside = Gate(identity, settings), Beside()
        queues, signals = Queues(store, clock, random), KeptSignals()
        post = Post(settings, carrier_of(settings, folder, clock), queues, clock, random)
        stack.callback(post.close)
        members = members_of(settings, identity, store, clock, random, post, signals, beside)
        await members.notices.prepare()
        rooms = StoredRooms(store, clock)
        app = make_app(
            Api(settings, identity, gate, store, registry, rooms, clock, members, no_history)
        )
        add_plugin_routes(app, registry, gate)
        add_pages(app)
        client = await stack.enter_async_context(
            TestClient(TestServer(app), cookie_jar=DummyCookieJar())
        )
        queues.begin()
        stack.push_async_callback(queues.close)
        here = str(client.make_url("/")).rstrip("/")
        yield Site(client, identity, store, clock, here, members, queues, signals, beside, folder)


def cookies(answer: ClientResponse) -> SimpleCookie:
    """Return the cookies that an answer sets."""
    found = SimpleCookie()
    for header in answer.headers.getall("Set-Cookie", ()):
        found.load(header)
    return found


def code(answer: Any) -> str:
    """Return the code of an error."""
    assert set(answer) == {"error"}
    assert set(answer["error"]) == {"code", "message", "hint"}
    return str(answer["error"]["code"])


def text_of(letter: EmailMessage) -> str:
    """Return what a letter says in plain text."""
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def secret_in(letter: EmailMessage, page: str) -> str:
    """Return the secret in a letter's link to a page such as ``/invite``."""
    return text_of(letter).partition(f"{page}#")[2].split()[0]
