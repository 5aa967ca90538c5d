"""Stock clients without a socket: what they send byte by byte, and what they were told."""

from collections.abc import Awaitable, Callable, Sequence

from parvis.plugins import Caller
from parvis.protocol import hocuspocus as h, yjs as y
from parvis.server.dialects.hocuspocus import HocuspocusSession
from parvis.server.dialects.yjs import YjsSession
from parvis.server.identity import Identified, Unauthenticated
from parvis.server.identity.proof import Proof
from parvis.server.testing import KeptTransport
from tests.server.rooms.lab import Lab, read


def payload(frame: bytes) -> bytes:
    """Cut the websocket header off (RFC 6455 section 5.2)."""
    assert frame[0] == 0x82
    return frame[{126: 4, 127: 10}.get(frame[1], 2) :]


def someone(it: Lab, user: str, expires: float | None = None) -> Identified:
    caller = Caller(it.lobby.tenant, user, user.title(), member=True)
    return Identified(caller, expires, Proof("room", user, user))


class YPerson:
    """A y-websocket client in the room."""

    def __init__(self, it: Lab, user: str, part: str = "") -> None:
        self.transport = KeptTransport()
        self.session = YjsSession(it.core, self.transport, someone(it, user))
        it.sessions.append(self.session)
        name = f"{it.lobby.name}:{part}" if part else it.lobby.name
        self.session.open(it.core.registry.parse(name))

    @property
    def heard(self) -> list[y.Message]:
        """Every message; there is one in each frame."""
        messages = [y.decode(payload(frame)) for frame in self.transport.frames]
        assert all(len(each) == 1 for each in messages), "stock clients read the first one only"
        return [each[0] for each in messages]

    def say(self, *messages: bytes) -> None:
        """Send messages in one frame."""
        self.session.received(b"".join(messages))

    @property
    def updates(self) -> list[bytes]:
        return [each.update for each in self.heard if isinstance(each, y.YUpdate)]

    @property
    def text(self) -> str:
        got = [e.update for e in self.heard if isinstance(e, (y.YUpdate, y.SyncStep2))]
        return read(*got)


Identify = Callable[[str], Awaitable[Identified]]


class HocuspocusPerson:
    """A Hocuspocus provider's socket. Its token is the user's name; some tokens are wrong."""

    def __init__(self, it: Lab, identify: Identify | None = None) -> None:
        self._it = it
        self.transport = KeptTransport()
        self.session = HocuspocusSession(it.core, self.transport, identify or self._identify)
        it.sessions.append(self.session)
        self.expires: float | None = None
        self.prefix = ""

    async def _identify(self, token: str) -> Identified:
        if not token or token.startswith("wrong"):
            raise Unauthenticated("this token is not valid")
        user, _, tenant = token.partition("@")
        caller = Caller(tenant or self._it.lobby.tenant, user, user.title(), member=True)
        return Identified(caller, self.expires, Proof("room", self.prefix + token, user))

    def say(self, frame: bytes) -> None:
        self.session.received(frame)

    def heard(self, address: str) -> list[h.ServerMessage]:
        frames = [h.decode_from_server(payload(frame)) for frame in self.transport.frames]
        return [
            frame.message
            for frame in frames
            if isinstance(frame, h.ServerFrame) and frame.address == address
        ]

    def addresses(self) -> set[str]:
        frames = [h.decode_from_server(payload(frame)) for frame in self.transport.frames]
        return {frame.address for frame in frames if isinstance(frame, h.ServerFrame)}

    def statuses(self, address: str) -> Sequence[bool]:
        return [e.applied for e in self.heard(address) if isinstance(e, h.SyncStatus)]

    def text(self, address: str) -> str:
        heard = self.heard(address)
        return read(*[e.update for e in heard if isinstance(e, (y.YUpdate, y.SyncStep2))])

    async def open(self, address: str, token: str = "ada") -> None:
        """Open a document as a provider does, and answer what the server asks with nothing."""
        self.say(h.encode_token(address, token))
        self.say(h.encode_sync_step1(address, b"\x00"))
        await self._it.turns()
