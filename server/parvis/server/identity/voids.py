"""What does not hold any more: revoked tokens, ended sign-ins, accounts that moved on."""

from collections.abc import Callable

from parvis.storage.accounts import Accounts, User

from ..ports import Clock
from .proof import Proof


class Voids:
    """Knows, without waiting, whether a proof still holds; tells whoever listens of changes."""

    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock
        self._ids: dict[str, float] = {}
        self._epochs: dict[str, int] = {}
        self._disabled: set[str] = set()
        self._listeners: list[Callable[[], None]] = []

    async def load(self) -> None:
        """Learn what was revoked before this node started."""
        # The store lists only what has not expired; when each does is known to it alone.
        for id in await self._accounts.revoked(now=self._clock.time()):
            self._ids.setdefault(id, float("inf"))

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called after each change; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def holds(self, proof: Proof) -> bool:
        """Tell whether nothing has made a proof void. Expiry is not looked at."""
        return not (
            proof.id in self._ids
            or proof.user in self._disabled
            or proof.epoch < self._epochs.get(proof.user, 0)
        )

    async def revoke(self, id: str, *, until: float) -> None:
        """Make a token void, durably, until it would have expired anyway."""
        await self._accounts.revoke(id, until=until)
        self.note(id, until=until)

    def note(self, id: str, *, until: float) -> None:
        """Make a proof void in this node's memory."""
        now = self._clock.time()
        self._ids = {each: end for each, end in self._ids.items() if end > now}
        self._ids[id] = until
        self._tell()

    def note_user(self, user: User) -> None:
        """Learn that an account has changed."""
        if user.disabled:
            self._disabled.add(user.id)
        else:
            self._disabled.discard(user.id)
        self._epochs[user.id] = user.epoch
        self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()
