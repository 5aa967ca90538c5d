"""Sealed mailboxes: letters in an order that everybody agrees on and nobody here can read."""

from dataclasses import dataclass

from parvis.plugins import (
    EDITOR,
    VIEWER,
    Access,
    Answer,
    Caller,
    ErrorCode,
    OpaqueLog,
    Peer,
    Refused,
    Request,
    Room,
    RoomType,
    migrations_in,
)
from parvis.protocol.messages import Value


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """``[rooms.mailbox]``.

    Attributes:
        quota: How many topics one person may open in a box.
    """

    quota: int = 3


class Mailbox(RoomType[OpaqueLog]):
    """Rooms addressed as ``mailbox/<box>``."""

    name = "mailbox"
    replica = OpaqueLog
    Settings = MailboxSettings
    migrations = migrations_in("parvis_whiteboard.mailbox")

    settings: MailboxSettings

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        return EDITOR if caller.anyone or caller.member else VIEWER

    async def on_signal(self, room: Room[OpaqueLog], peer: Peer, signal: Request) -> Value:
        """``newest`` says where the log ends and how large its last letter is."""
        if signal.name != "newest":
            raise Refused(ErrorCode.UNKNOWN_COMMAND, "a mailbox answers newest")
        tail = room.replica.tail
        return {"end": room.replica.end, "size": len(tail[-1]) if tail else 0}

    async def on_command(self, room: Room[OpaqueLog], caller: Caller, command: Request) -> Answer:
        """``open``, with a topic and a sealed letter: refused over the quota, or if it is taken."""
        match command:
            case Request("open", [str() as topic, bytes() as letter]):
                pass
            case _:
                raise Refused(ErrorCode.UNKNOWN_COMMAND, "a mailbox takes open [topic, letter]")
        async with room.edit(caller) as edit:
            edit.require(
                "SELECT count(*) < ? FROM mailbox_letters WHERE box = ? AND sender = ?",
                self.settings.quota,
                room.key,
                caller.user,
            )
            edit.execute(
                "INSERT INTO mailbox_letters VALUES (?, ?, ?)", room.key, caller.user, topic
            )
            edit.append(letter)
        return Answer(topic, edit.offset)
