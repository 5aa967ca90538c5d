"""Work on a copy of an earlier life: not merged, which would double the document, but put aside."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from pycrdt import merge_updates

from parvis.plugins import Caller, Refused
from parvis.protocol import Malformed
from parvis.protocol.ranges import DeleteSet
from parvis.protocol.surrogates import mend
from parvis.protocol.update import Scan, scan
from parvis.storage import Address, StorageError

from ..firewall.scanning import scan_in_helper
from ..ports import HelperStopped
from .retired import Life
from .rows import Rescue, Rows

if TYPE_CHECKING:
    from ..core import Core
    from ..rooms.fast import FastPart
    from ..rooms.seat import Submission

logger = logging.getLogger(__name__)


class Rescuing:
    """Puts aside what people wrote in an earlier life of a part."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.rows = Rows(core.store)
        self._turns: WeakValueDictionary[Address, asyncio.Lock] = WeakValueDictionary()

    async def offline(
        self,
        address: Address,
        sender: Caller,
        work: bytes,
        life: Life | None,
        clocks: Mapping[int, int],
        deleted: DeleteSet,
    ) -> bool:
        """Put aside what a client, which had been away, has and the server has not.

        Args:
            life: The one that the client's copy is of, and `work` builds on; None: it is whole.
            clocks: What the server has: that life's, or of a whole copy all lives'.
            deleted: What is deleted in the present life, of a whole copy; else nothing.

        Returns:
            Whether there was anything.

        Raises:
            Refused: If too much was put aside already.
            StoreUnavailable: If it could not be kept.
        """
        try:
            scanned = await self._scan(work)
        except (Malformed, HelperStopped) as problem:
            logger.warning("%s: what came too late is no sound update: %s", address, problem)
            clients: list[int] = []
        else:
            earlier = await self.rows.deletes(address, life.incarnation if life else 0)
            if scanned.covered_by(clocks, earlier.union(deleted)):
                return False
            clients = sorted(scanned.structs)
        incarnation = life.incarnation if life else 0
        await self.keep(
            address, "offline", sender.user, incarnation, clients, work, anyone=sender.anyone
        )
        return True

    async def brought(self, part: FastPart, submission: Submission) -> None:
        """Put aside what is new in an update that names an earlier life."""
        scanned, seat = submission.scan, submission.seat
        assert scanned is not None and seat is not None
        base = part.retired.base((*scanned.structs, *scanned.deletes), part.document.clocks)
        clocks = base.clocks if base else {**part.retired.clocks, **part.document.clocks}
        deleted = DeleteSet() if base else part.document.deleted()
        try:
            await self.offline(part.address, seat.caller, submission.update, base, clocks, deleted)
        except (Refused, StorageError) as problem:
            logger.warning("%s: what came too late was not kept: %s", part.address, problem)

    async def _scan(self, work: bytes) -> Scan:
        if len(work) > self._core.limits.quick_update:
            return await scan_in_helper(self._core.helpers, work)
        return scan(work)

    async def keep(
        self,
        address: Address,
        origin: str,
        sender: str,
        incarnation: int,
        clients: Sequence[int],
        work: bytes,
        *,
        anyone: bool = False,
    ) -> None:
        """Put work aside, together with what came of the same before; raises as `offline`.

        Args:
            clients: Whose blocks are in it.
            anyone: The sender is somebody else each time, as with ``--open``.
        """
        # The same person's work on the same copy: a client that comes back again and again, each
        # time with a little more, leaves one rescue. What only deletes names nobody.
        whose = "" if anyone else sender
        same = repr((origin, whose, incarnation, list(clients) or work)).encode()
        id = hashlib.blake2b(same, digest_size=6).hexdigest()
        # One at a time: of two that add to the same rescue, one would be lost.
        turn = self._turns.setdefault(address, asyncio.Lock())
        async with turn:
            now = first = self._core.clock.time()
            before = await self.rows.rescued(address, id)
            if before is not None:
                first = before[0].first
                if before[1] == work:
                    return
                work = _together(before[1], work)
            rescue = Rescue(id, incarnation, origin, sender, first, now, len(work))
            await self.rows.keep(address, rescue, work)
        logger.warning("%s: work of %s came too late, and is kept as %s", address, sender, id)


def _together(before: bytes, work: bytes) -> bytes:
    try:
        return merge_updates(*mend([before, work]))
    except (Malformed, ValueError):
        return work  # it says all that its client has
