"""An identity on real accounts in memory, with a clock that stands still and cheap passwords."""

from dataclasses import dataclass, replace

from parvis.server.identity import Identity, open_identity
from parvis.server.settings import AppSettings, AuthSettings, ServerSettings, Settings
from parvis.storage import Accounts, User
from parvis.storage.factory import open_store
from tests.clocks import SeededRandom, SetClock

PASSWORD = "quiet harbor, tuesday"
OTHER_PASSWORD = "four lamps on a pier"
HERE = "http://parvis.test"

CHEAP = AuthSettings(argon2_memory=8 * 2**20, argon2_time=1)
"""Passwords that take milliseconds; everything else as it is by default."""


@dataclass
class Scene:
    """An identity and what stands around it."""

    settings: Settings
    clock: SetClock
    random: SeededRandom
    accounts: Accounts
    identity: Identity

    async def person(self, email: str = "ada@example.org", **facts: bool | str) -> User:
        """Make an account whose password is `PASSWORD`."""
        return await self.identity.people.add(
            email,
            name=str(facts.get("name", "Ada")),
            password=PASSWORD,
            admin=bool(facts.get("admin", False)),
            tenant=str(facts.get("tenant", "local")),
        )


def settings_with(
    *, open: bool = False, public_url: str = "", apps: dict[str, AppSettings] | None = None
) -> Settings:
    """Return settings with cheap passwords."""
    return Settings(
        server=ServerSettings(open=open, public_url=public_url),
        auth=replace(CHEAP, apps=apps or {}),
    )


async def make_scene(settings: Settings | None = None) -> Scene:
    """Return an identity on empty accounts; the caller closes it."""
    settings = settings or settings_with()
    clock, random = SetClock(), SeededRandom()
    _, accounts = open_store("memory:")
    identity = await open_identity(settings, accounts, clock, random)
    return Scene(settings, clock, random, accounts, identity)
