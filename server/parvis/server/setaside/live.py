"""Puts an update from quarantine into the document of a live room, as an edit of its sender's."""

from parvis.plugins import Caller, Refused
from parvis.protocol import ErrorCode
from parvis.storage import Address, Quarantined

from ..core import Core
from ..ports import HelperMissing
from ..rooms.fast import FastPart
from ..rooms.screening import read_edit
from .desk import Replayed


async def replay_live(core: Core, tenant: str, poison: Quarantined) -> Replayed:
    """Try an update in a helper on the document as it is now, then log it and send it on.

    Who may write is not asked again, nor the room type: the administrator's word stands for both.

    Raises:
        Refused: If it still breaks the document, or cannot be judged now.
    """
    kind = core.registry.parse(poison.room).type
    address = Address(tenant, poison.room, poison.part)
    async with core.directory.hold(core.registry.get(kind), tenant, poison.room, None) as room:
        part = await room.open_part(poison.part)
        if not isinstance(part, FastPart):
            raise Refused(ErrorCode.CONFLICT, f"{address} holds no document")
        await part.recovery.done()
        scanned = await read_edit(part, poison.update)
        if part.holds(scanned):
            await room.settled()
            core.quarantine.pardon(address, poison.digest)
            return Replayed(part.durable, added=False)
        await core.lives.rows.require_present(address, (*scanned.structs, *scanned.deletes))
        try:
            reason = await core.quarantine.verdict(address, part.everything(), poison.update)
        except HelperMissing as problem:
            raise Refused(ErrorCode.TRY_AGAIN, f"no helper could try it: {problem}") from None
        if reason:
            raise Refused(ErrorCode.POISON, f"it still breaks the document: {reason}")
        async with room.edit(Caller(tenant, poison.sender), poison.part) as edit:
            edit.append(poison.update)
        core.quarantine.pardon(address, poison.digest)
        if part.gaps:  # perhaps they waited for just this
            part.whole_again([], lost=False)
        return Replayed(edit.offset, added=True)
