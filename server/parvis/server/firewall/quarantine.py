"""Decides what may touch a document, after something went wrong.

What becomes of an update:

==========  =============================================  =========================================
it is       because                                        so
==========  =============================================  =========================================
unknown     nothing happened                               it is applied
a suspect   a worker died while it was being applied       a helper tries it before the worker does
cleared     the helper survived it                         it is applied, and forgotten
poison      a helper died, panicked or took too long over  it is never applied in that part; the
            it, twice if it died; or it panicked in the    store keeps it for the administrator
            worker
==========  =============================================  =========================================

What becomes of a room, by the deaths of workers over it in the last day:

=======================  ===========================================================================
deaths                   how it is opened
=======================  ===========================================================================
none                     as usual
the last one in loading  helpers vet its rows first (`needs_vetting`, `vetting.find_poison`)
two                      each update is applied to a shadow first (`needs_shadow`, `helpers.Shadow`)
three in loading         not at all (`is_barred`): vetting did not find what is wrong with it
=======================  ===========================================================================

Poison is known by room and part: bytes that break one document may be somebody's honest work in
another, and whoever makes poison chooses its bytes.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from parvis.server.firewall.tasks import TRIAL_APPLY
from parvis.server.firewall.vetting import DEADLY
from parvis.server.firewall.watch import Suspect, digest_of
from parvis.server.ports import Clock, HelperDied, HelperFailed, HelperMissing, Helpers
from parvis.storage import Address, Quarantined, Store, StoreUnavailable

logger = logging.getLogger(__name__)

TRIAL_TIMEOUT: Final = 60.0
SHADOW_AFTER: Final = 2
BARRED_AFTER: Final = 3


def _nothing(digest: bytes) -> None:
    pass


class Quarantine:
    """Knows what workers died over, tries it in helpers, and sets aside what is poison.

    Args:
        suspects: What earlier workers died over, from the supervisor.
        on_cleared: Told the digest of a suspect that turned out harmless.
        on_poison: Told the digest of each update that is set aside.
    """

    def __init__(
        self,
        store: Store,
        helpers: Helpers,
        clock: Clock,
        suspects: Sequence[Suspect] = (),
        *,
        on_cleared: Callable[[bytes], None] = _nothing,
        on_poison: Callable[[bytes], None] = _nothing,
    ) -> None:
        self._store = store
        self._helpers = helpers
        self._clock = clock
        self._on_cleared = on_cleared
        self._on_poison = on_poison
        self._suspects = {digest for each in suspects for digest in each.digests}
        self._poison: set[tuple[Address, bytes]] = set()
        self._unsaved: list[tuple[str, Quarantined]] = []
        self._deaths: dict[tuple[str, str], list[Suspect]] = {}
        for each in suspects:
            room = (each.address.tenant, each.address.room)
            self._deaths.setdefault(room, []).append(each)
        self._quiet = not self._suspects

    # Updates

    def is_suspect(self, update: bytes) -> bool:
        """Whether `judge` must be asked before the update is applied; cheap in quiet times."""
        return not self._quiet and digest_of(update) in self._suspects

    def is_poison(self, address: Address, update: bytes) -> bool:
        """Whether the update is known to break this part."""
        return not self._quiet and (address, digest_of(update)) in self._poison

    async def learn(self, tenant: str, room: str) -> None:
        """Get to know what was set aside in a room earlier, so that it is refused at once.

        Raises:
            StoreUnavailable: On a passing fault.
        """
        for each in await self._store.quarantined(tenant, room):
            self._remember(Address(tenant, each.room, each.part), each.digest)
        await self._save()

    async def judge(
        self, address: Address, base: Sequence[bytes], update: bytes, sender: str
    ) -> bool:
        """Find out in a helper whether an update may be applied.

        Args:
            base: What the document holds without it.
            sender: Id of the user who sent it, kept with it if it is poison.

        Returns:
            False if it is poison, which is now set aside.

        Raises:
            HelperMissing: If no helper could be started; nothing is known then.
        """
        if self.is_poison(address, update):
            return False
        reason = await self.verdict(address, base, update)
        if reason:
            await self.condemn(address, update, sender, reason)
            return False
        digest = digest_of(update)
        if digest in self._suspects and not any(known == digest for _, known in self._poison):
            logger.warning("%s: an update that a worker died over did no harm again", address)
            self._suspects.discard(digest)
            self._on_cleared(digest)
        self._quiet = not self._suspects
        return True

    async def condemn(
        self, address: Address, update: bytes, sender: str, reason: str, offset: int = 0
    ) -> None:
        """Set an update aside for good. While the store is down it is known here only.

        Args:
            offset: Its place in the log, if it got that far.
        """
        digest = digest_of(update)
        logger.error("%s: an update of %d bytes is poison: %s", address, len(update), reason)
        self._remember(address, digest)
        self._on_poison(digest)
        poison = Quarantined(
            room=address.room,
            part=address.part,
            offset=offset,
            update=update,
            digest=digest,
            sender=sender,
            time=self._clock.time(),
            reason=reason,
        )
        self._unsaved.append((address.tenant, poison))
        try:
            await self._save()
        except StoreUnavailable as error:
            logger.error("%s: the poison is not in the store yet: %s", address, error)

    def pardon(self, address: Address, digest: bytes) -> None:
        """Let an update in again that turned out harmless, in this part."""
        self._poison.discard((address, digest))
        if not any(known == digest for _, known in self._poison):
            self._suspects.discard(digest)
        self._quiet = not self._suspects

    @property
    def unsaved(self) -> int:
        """How many poison updates the store does not have yet."""
        return len(self._unsaved)

    def _remember(self, address: Address, digest: bytes) -> None:
        self._poison.add((address, digest))
        # So that whoever only asks `is_suspect` comes to `judge`, which knows at once.
        self._suspects.add(digest)
        self._quiet = False

    async def _save(self) -> None:
        while self._unsaved:
            tenant, poison = self._unsaved[0]
            await self._store.quarantine(tenant, poison)
            if self._unsaved and self._unsaved[0][1] is poison:
                del self._unsaved[0]

    async def verdict(self, address: Address, base: Sequence[bytes], update: bytes) -> str:
        """Return why an update is poison, or nothing; whatever was known of it before.

        Args:
            base: What the document holds without it.

        Raises:
            HelperMissing: If no helper could be started; nothing is known then.
        """
        bases, read = [list(base), list[bytes]()], True
        first: Exception | None = None
        while True:
            try:
                await self._helpers.run("trial", bases[0], update, read, timeout=TRIAL_TIMEOUT)
                return ""
            except HelperMissing:
                raise
            except DEADLY as error:
                if error.step >= TRIAL_APPLY:
                    # Whoever looks for memory may have ended the first one.
                    if first is None and isinstance(error, HelperDied):
                        first = error
                        continue
                    return str(error)
                # The document is at fault without it: too deep to be read, or worse.
                if read:
                    read = False
                elif len(bases) == 1:
                    raise HelperMissing(f"no helper came to the update: {error}") from None
                else:
                    logger.error("%s: the document breaks by itself: %s", address, error)
                    del bases[0]
            except HelperFailed as error:
                # An ordinary error leaves a document as it was.
                return str(error) if error.kind == MemoryError.__name__ else ""

    # Rooms

    def deaths(self, tenant: str, room: str) -> int:
        """Return how many workers died over a room in the last day."""
        return len(self._deaths.get((tenant, room), ()))

    def needs_vetting(self, tenant: str, room: str) -> bool:
        """Whether the rows of its log must be tried in helpers before they are loaded."""
        deaths = self._deaths.get((tenant, room), [])
        return bool(deaths) and deaths[-1].kind == "load"

    def needs_shadow(self, tenant: str, room: str) -> bool:
        """Whether each update must be tried on a shadow before the worker applies it."""
        return self.deaths(tenant, room) >= SHADOW_AFTER

    def is_barred(self, tenant: str, room: str) -> bool:
        """Whether it must not be opened, because that ends workers and nobody knows why."""
        deaths = self._deaths.get((tenant, room), ())
        return sum(each.kind == "load" for each in deaths) >= BARRED_AFTER
