"""Puts an update from quarantine into the log of a room while no node serves it."""

import hashlib

from parvis.plugins import Refused
from parvis.protocol import ErrorCode, Malformed
from parvis.storage import Address, Batch, Entry, Head, Quarantined, Status, Store
from parvis.storage.content import content

from ..firewall.depth import DepthGuard
from ..firewall.quarantine import Quarantine
from ..firewall.scanning import scan_in_helper
from ..lives.rows import Rows
from ..ports import Clock, HelperMissing, Helpers, HelperStopped
from .desk import Replayed


async def replay_stored(
    store: Store, helpers: Helpers, clock: Clock, tenant: str, poison: Quarantined
) -> Replayed:
    """Try an update in a helper on what the log holds, then append it. Again is as once.

    Raises:
        Refused: If it still breaks the document, or cannot be judged now.
    """
    address = Address(tenant, poison.room, poison.part)
    opened = await store.open_room(tenant, poison.room, creator=None, now=clock.time())
    head = opened.parts.get(poison.part, Head(1, 0))
    base = await content(store, address)
    try:
        scanned = await scan_in_helper(helpers, poison.update)
        await Rows(store).require_present(address, (*scanned.structs, *scanned.deletes))
        await DepthGuard().measure(helpers, base, poison.update)
        judge = Quarantine(store, helpers, clock)
        reason = await judge.verdict(address, base, poison.update)
    except Malformed as problem:
        raise Refused(ErrorCode.INVALID_UPDATE, f"the firewall turns it down: {problem}") from None
    except HelperMissing as problem:
        raise Refused(ErrorCode.TRY_AGAIN, f"no helper could try it: {problem}") from None
    except HelperStopped as problem:
        raise Refused(ErrorCode.POISON, f"it still breaks a helper: {problem}") from None
    if reason:
        raise Refused(ErrorCode.POISON, f"it still breaks the document: {reason}")
    place = f"replayed {poison.offset} ".encode()
    key = hashlib.blake2b(place + poison.digest, digest_size=32).digest()
    entry = Entry(poison.update, poison.sender, clock.time(), key)
    batch = Batch(poison.room, poison.part, opened.fence, head.offset, (entry,))
    (answer,) = await store.append(tenant, [batch])
    if answer.status is not Status.LOGGED or not answer.offsets[0]:
        reason = answer.detail or answer.refusals.get(0, answer.status.value)
        raise Refused(ErrorCode.STORE_UNAVAILABLE, f"it could not be logged: {reason}")
    return Replayed(answer.offsets[0], added=answer.offsets[0] > head.offset)
