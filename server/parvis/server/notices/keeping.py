"""Keeps notices, tells people of them, and has letters sent about those that are not read."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

from parvis.plugins import Notice
from parvis.protocol.messages import Value
from parvis.storage import Accounts, Store, User

from ..identity.links import is_path
from ..mail import Letter, Post
from ..mail.letters import Action
from ..mail.post import Facts
from ..mail.words import WORDS, letter
from ..ports import Clock, Random
from .rows import Kept, Rows

NOTICE: Final = "notice"
READ: Final = "notices_read"
"""Names of the signals to a person's sessions."""

START: Final = 2**53 - 1
"""Above every number of a notice; as large as JavaScript counts."""

MOST_IN_A_LETTER: Final = 20


class Signals(Protocol):
    """The live sessions of this node."""

    def signal(self, tenant: str, user: str, name: str, body: Value, /) -> None:
        """Tell all native sessions of a person something."""
        ...


class Notices:
    """The notices of all tenants.

    Args:
        home: Where the web app is, for the links in letters.
        delay: Seconds after which a notice that was not read is mailed.
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        post: Post,
        signals: Signals,
        clock: Clock,
        random: Random,
        *,
        home: str,
        delay: float,
    ) -> None:
        self._rows = Rows(store)
        self._accounts = accounts
        self._post = post
        self._signals = signals
        self._clock = clock
        self._random = random
        self._home = home
        self._delay = delay
        post.kind("notice", self._write, self._sent)

    async def prepare(self) -> None:
        """Bring the tables up to date, before anything else."""
        await self._rows.prepare()

    async def add(self, tenant: str, notice: Notice) -> None:
        """Keep a notice once, tell the person, and mail it if it is not read for a while.

        Nobody is told of their own doings, nor is whoever has no account in the tenant.

        Raises:
            ValueError: If it has no English words, or its path leads elsewhere.
        """
        if "en" not in notice.words:
            raise ValueError(f"{notice.kind}: expected words in en, got {sorted(notice.words)}")
        if not is_path(notice.path):
            raise ValueError(
                f"{notice.kind}: expected the path of a page, got {notice.path[:80]!r}"
            )
        if notice.user == notice.actor or not await self._is_here(tenant, notice.user):
            return
        id = f"n_{self._random.bytes(12).hex()}"
        kept = await self._rows.add(tenant, id, notice, self._clock.time())
        if kept is None:
            return
        # Ordered again for one that is kept already: whoever sends it again may have died before.
        if kept.mail and kept.mailed is None and kept.read is None:
            facts = {"notice": kept.id}
            await self._post.order(tenant, "notice", kept.id, facts, delay=self._delay)
        if kept.id == id:
            body = await self.shown(tenant, kept)
            self._signals.signal(tenant, kept.user, NOTICE, body)

    async def recall(self, tenant: str, kind: str, path: str) -> None:
        """Take back notices that lead to a page, or to a place on it; tell who had not read them.

        Args:
            kind: The first word of theirs, a room type's name.
        """
        gone: dict[str, list[str]] = {}
        for user, id in await self._rows.recall(tenant, kind, path):
            gone.setdefault(user, []).append(id)
        for user, ids in gone.items():
            body: dict[str, Value] = {
                "ids": list[Value](ids),
                "unread": await self._rows.unread(tenant, user),
            }
            self._signals.signal(tenant, user, READ, body)

    async def page(
        self, tenant: str, user: str, *, after: int = START, limit: int = 50
    ) -> tuple[list[Kept], int | None]:
        """Return a person's notices, newest first, and what the next page is asked for by."""
        found = await self._rows.page(tenant, user, before=after, limit=limit + 1)
        page = found[:limit]
        return page, page[-1].number if len(found) > limit else None

    async def unread(self, tenant: str, user: str) -> int:
        """Count what a person has not read."""
        return await self._rows.unread(tenant, user)

    async def read(self, tenant: str, user: str, ids: Sequence[str] | None = None) -> int:
        """Note that a person has read some, or all; tell their other sessions; count the rest."""
        await self._rows.read(tenant, user, ids, self._clock.time())
        left = await self._rows.unread(tenant, user)
        body: dict[str, Value] = {"ids": None if ids is None else list(ids), "unread": left}
        self._signals.signal(tenant, user, READ, body)
        return left

    async def shown(self, tenant: str, kept: Kept) -> dict[str, Value]:
        """Return a notice as the HTTP API and signals show it."""
        actor = await self._user(tenant, kept.actor) if kept.actor else None
        return {
            "id": kept.id,
            "kind": kept.kind,
            "words": {
                language: {"subject": each.subject, "text": each.text}
                for language, each in kept.words.items()
            },
            "path": kept.path,
            "actor": None
            if actor is None
            else {"id": actor.id, "name": actor.name, "color": actor.color},
            "time": kept.time,
            "read": kept.read is not None,
        }

    # Letters

    async def _write(self, tenant: str, facts: Facts) -> Letter | None:
        due = await self._rows.get(tenant, facts["notice"])
        if due is None or due.read is not None or due.mailed is not None:
            return None
        user = await self._user(tenant, due.user)
        if user is None or user.disabled:
            return None
        return self._letter(user, await self._rows.unsent(tenant, user.id))

    async def _sent(self, tenant: str, letter: Letter) -> None:
        await self._rows.mailed(tenant, letter.about, self._clock.time())

    def _letter(self, user: User, unsent: Sequence[Kept]) -> Letter:
        """Write about all that is unread, so that a busy hour makes one letter and not sixty."""
        language, base = user.language, self._home
        about = tuple(each.id for each in unsent)
        if len(unsent) == 1:
            one = unsent[0]
            words = one.said(language)
            url = base + one.path
            made = letter(
                "notice", user.email, language, url,
                subject=words.subject, text=words.text, base=base,
            )  # fmt: skip
            return replace(made, about=about)
        made = letter(
            "notices", user.email, language, "",
            count=len(unsent), name=user.name, base=base,
        )  # fmt: skip
        label = WORDS["notices"][made.language].label
        shown = [(each, each.said(language)) for each in unsent[:MOST_IN_A_LETTER]]
        actions = tuple(
            Action(label, base + each.path, tuple(filter(None, (words.subject, words.text))))
            for each, words in shown
        )
        return replace(made, actions=actions, about=about)

    async def _is_here(self, tenant: str, id: str) -> bool:
        user = await self._user(tenant, id)
        return user is not None and not user.disabled

    async def _user(self, tenant: str, id: str) -> User | None:
        user = await self._accounts.user(id)
        return user if user is not None and user.tenant == tenant else None
