"""Names and tokens that open nothing, in each dialect, also ten thousand of them."""

import secrets
import time
from collections.abc import Iterator
from typing import Final

import jwt
import pytest

from parvis.client import Disconnected, Refused, open_wire
from parvis.client.stock import connect_hocuspocus, connect_y
from parvis.client.transport import dial
from parvis.protocol import ErrorCode, encode, hocuspocus, yjs
from parvis.protocol.messages import Join, Joined, Refuse
from tests.faults import ways_in
from tests.faults.bystander import undisturbed, within
from tests.faults.commands import run
from tests.faults.processes import resident
from tests.running import Server, start_server

SECRET: Final = secrets.token_urlsafe(48)
PASSWORD: Final = secrets.token_urlsafe(16)
MiB: Final = 1024 * 1024

BAD_NAMES: Final = {
    "empty": "",
    "no key": "plain/",
    "no slash": "plain",
    "no type": "/key",
    "upper case": "Plain/key",
    "a type of forty letters": "p" * 40 + "/key",
    "a key of 513 bytes": "plain/" + "k" * 513,
    "a control character": "plain/a\nb",
    "a NUL": "plain/a\0b/c",
    "a blank key": "plain/   ",
}


@pytest.fixture(scope="module")
def anyone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A node that lets anyone in."""
    with start_server(tmp_path_factory.mktemp("open")) as server:
        yield server


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A node where only administrators create rooms, and an application signs room tokens."""
    config = tmp_path_factory.mktemp("config") / "parvis.toml"
    config.write_text(
        "[rooms.plain]\n"
        'create = "admins"\n'
        "[auth.apps.shop]\n"
        f'secret = "{SECRET}"\n'
        'rooms = ["plain/*"]\n'
    )
    args = ["--config", str(config)]
    with start_server(tmp_path_factory.mktemp("members"), open=False, args=args) as server:
        yield server


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
async def test_a_native_join_of_a_bad_name_is_refused(anyone: Server, name: str) -> None:
    async with undisturbed(anyone), await ways_in.wire(anyone) as wire:
        await wire.send(Join(5, name))
        with pytest.raises(Refused) as refusal:
            await within(wire.expect(Joined, ref=5))
        assert refusal.value.code in (ErrorCode.INVALID_NAME, ErrorCode.UNKNOWN_ROOM_TYPE)
        await wire.send(Join(6, "plain/good"))
        await within(wire.expect(Joined, ref=6))


async def test_a_native_join_of_an_unknown_type_is_refused(anyone: Server) -> None:
    async with undisturbed(anyone), await ways_in.wire(anyone) as wire:
        await wire.send(Join(5, "nothing-like-it/key"))
        with pytest.raises(Refused, match="UNKNOWN_ROOM_TYPE"):
            await within(wire.expect(Joined, ref=5))


@pytest.mark.parametrize("name", [*BAD_NAMES.values(), "nothing-like-it/key"])
async def test_a_stock_client_with_a_bad_name_is_turned_away(anyone: Server, name: str) -> None:
    async with undisturbed(anyone):
        # A y-websocket client cannot even ask for some of them; its URL is another one then.
        try:
            async with await connect_y(ways_in.yjs(anyone), name) as client:
                with pytest.raises((Refused, Disconnected)):
                    await within(client.synced())
                end = client.closed.result()
                assert isinstance(end, Refused) or 4400 <= end.code < 4500
        except Disconnected as refused:
            assert "HTTP 4" in refused.reason
        if "\0" in name:
            return  # Hocuspocus 4 puts a NUL between a name and a session
        async with await connect_hocuspocus(ways_in.hocuspocus(anyone), name) as client:
            with pytest.raises((Refused, Disconnected)):
                await within(client.synced())


async def test_a_bad_name_costs_its_document_only_not_the_shared_socket(anyone: Server) -> None:
    socket = await dial(ways_in.hocuspocus(anyone))
    for name in ("nothing-like-it/key", "plain/good"):
        await socket.send(hocuspocus.encode_token(name, ""))
        await socket.send(hocuspocus.encode_sync_step1(name, b"\x00"))
    answers: dict[str, set[type]] = {}
    while yjs.SyncStep2 not in answers.get("plain/good", ()):
        arrived = hocuspocus.decode_from_server(await within(socket.receive()))
        assert isinstance(arrived, hocuspocus.ServerFrame)
        answers.setdefault(arrived.address, set()).add(type(arrived.message))
    assert answers["nothing-like-it/key"] == {yjs.PermissionDenied}
    await socket.close()


def room_token(*rooms: str, secret: str = SECRET, expires: float = 3600) -> str:
    claims: dict[str, object] = {
        "iss": "shop",
        "aud": "parvis",
        "sub": "customer",
        "exp": time.time() + expires,
        "rooms": list(rooms),
        "capabilities": ["view", "edit"],
    }
    return jwt.encode(claims, secret, algorithm="HS256")


BAD_TOKENS: Final = {
    "empty": "",
    "no token": "hello",
    "long": "x" * 100_000,
    "three dots": "a.b.c",
    "unsigned": jwt.encode({"iss": "shop", "aud": "parvis"}, "", algorithm="none"),
    "another secret": room_token("plain/a", secret="s" * 48),
    "expired": room_token("plain/a", expires=-3600),
    "for another room": room_token("plain/b"),
    "not ASCII": "tökén\u2603",
}


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS)
async def test_a_bad_token_opens_nothing(members: Server, token: str) -> None:
    if (
        token == BAD_TOKENS["for another room"]
    ):  # A good one, for a session that joins nothing here.
        async with await within(open_wire(ways_in.native(members), token)) as wire:
            await wire.send(Join(1, "plain/a"))
            answer = await within(wire.receive())
            assert isinstance(answer, Refuse)
            assert answer.code == ErrorCode.PERMISSION_DENIED
    else:
        with pytest.raises(Disconnected) as end:
            await within(open_wire(ways_in.native(members), token))
        assert not end.value.comes_back
    try:
        async with await connect_y(ways_in.yjs(members), "plain/a", token=token) as client:
            with pytest.raises((Refused, Disconnected)):
                await within(client.synced())
    except Disconnected as refused:
        assert "HTTP 4" in refused.reason
    async with await connect_hocuspocus(
        ways_in.hocuspocus(members), "plain/a", token=token
    ) as client:
        with pytest.raises((Refused, Disconnected)):
            await within(client.synced())


async def test_ten_thousand_joins_of_rooms_that_do_not_exist_load_nothing(members: Server) -> None:
    admin = await member(members, "admin@example.org", "--admin")
    other = await member(members, "member@example.org")
    async with undisturbed(members, ticket=admin):
        worker = members.worker_pid
        before = resident(worker)
        async with await ways_in.wire(members, other) as wire:
            for batch in range(85):
                refs = range(batch * 100 + 1, batch * 100 + 101)
                frames = [encode(Join(ref, f"plain/nowhere-{ref}")) for ref in refs]
                for frame in frames:
                    await wire.socket.send(frame)
                for ref in refs:
                    answer = await within(wire.receive())
                    assert isinstance(answer, Refuse), answer
                    assert answer.ref == ref
                    assert answer.code in (
                        ErrorCode.ROOM_NOT_FOUND,
                        ErrorCode.PERMISSION_DENIED,
                        ErrorCode.RATE_LIMITED,
                    )
        token = room_token("plain/*")
        socket = await dial(ways_in.hocuspocus(members))
        for at in range(1_000):
            name = f"plain/nowhere-{at}"
            await socket.send(hocuspocus.encode_token(name, token))
            await socket.send(hocuspocus.encode_sync_step1(name, b"\x00"))
            arrived = hocuspocus.decode_from_server(await within(socket.receive()))
            assert isinstance(arrived, hocuspocus.ServerFrame)
            assert arrived.address == name
            assert isinstance(arrived.message, yjs.PermissionDenied)
        await socket.close()
        for at in range(500):
            with pytest.raises((Refused, Disconnected)):
                async with await connect_y(
                    ways_in.yjs(members), f"plain/nowhere-{at}", token=token
                ) as client:
                    await within(client.synced())
        assert resident(worker) - before < 16 * MiB
    listed = await run(members, "room", "list", "--json")
    assert "nowhere" not in listed
    assert "plain/bystander" in listed


async def member(server: Server, email: str, *flags: str) -> str:
    """An access token of a new member."""
    await run(server, "user", "add", email, "--password-stdin", *flags, stdin=PASSWORD)
    return (await run(server, "token", email)).strip()
