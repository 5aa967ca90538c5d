"""The faults that a storm plays, by name, and how often each comes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

from tests.faults.proxy import FaultProxy
from tests.faults.target import Parvis, ParvisOnPostgres, Target


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault may touch."""

    target: Target
    proxy: FaultProxy
    chance: random.Random

    @property
    def sqlite(self) -> Parvis:
        return cast(Parvis, self.target)

    @property
    def postgres(self) -> ParvisOnPostgres:
        return cast(ParvisOnPostgres, self.target)

    async def moment(self, most: float = 0.5) -> None:
        """Let the fault last."""
        await asyncio.sleep(self.chance.uniform(0.05, most))


async def kill(scene: Scene) -> None:
    """SIGKILL of everything."""
    await asyncio.to_thread(scene.target.kill)
    await asyncio.to_thread(scene.target.start)


async def kill_one(scene: Scene) -> None:
    """SIGKILL of the process that serves."""
    await asyncio.to_thread(scene.target.kill_one)


async def stop(scene: Scene) -> None:
    """SIGSTOP for a moment."""
    go_on = scene.target.stop()
    await scene.moment()
    go_on()


async def squeeze(scene: Scene) -> None:
    """Hardly any more memory, for a moment."""
    lift = scene.target.squeeze()
    await scene.moment()
    lift()


async def lock(scene: Scene) -> None:
    """Another program holds the store's lock for a moment."""
    let_go = scene.sqlite.lock_store()  # in this thread, to which its connections belong
    await scene.moment()
    let_go()


async def full(scene: Scene) -> None:
    """The disk is full for a moment."""
    lift = scene.sqlite.fill_disk()
    await scene.moment()
    lift()


async def cut(scene: Scene) -> None:
    """All connections break."""
    scene.proxy.cut()


async def half_open(scene: Scene) -> None:
    """Some connections swallow everything, until their provider gives them up."""
    legs = [leg for leg in scene.proxy.legs if scene.chance.random() < 0.5]
    for leg in legs:
        leg.swallowed = True
    await scene.moment(0.3)
    for leg in legs:
        leg.cut()


async def slow(scene: Scene) -> None:
    """Some connections are slow from now on."""
    for leg in scene.proxy.legs:
        leg.slow = scene.chance.random() < 0.3


async def store_quit(scene: Scene) -> None:
    """PostgreSQL is stopped at once, and is away for a moment."""
    cluster = scene.postgres.cluster
    await asyncio.to_thread(cluster.stop_at_once)
    await scene.moment()
    await asyncio.to_thread(cluster.start)


async def store_kill(scene: Scene) -> None:
    """SIGKILL of the postmaster."""
    cluster = scene.postgres.cluster
    await asyncio.to_thread(cluster.kill)
    await asyncio.to_thread(cluster.start)


async def store_stop(scene: Scene) -> None:
    """SIGSTOP of all processes of PostgreSQL, for a moment."""
    go_on = scene.postgres.cluster.stand_still()
    await scene.moment()
    go_on()


async def store_cut(scene: Scene) -> None:
    """All connections to the store break."""
    scene.postgres.cluster.proxy.cut()


async def store_mute(scene: Scene) -> None:
    """The store does what it is asked, but its answers are lost, and then the connections."""
    scene.postgres.cluster.proxy.mute()
    await scene.moment(0.3)
    scene.postgres.cluster.proxy.cut()


async def pooler(scene: Scene) -> None:
    """PgBouncer ends, and another one takes its place."""
    cluster = scene.postgres.cluster
    await asyncio.to_thread(cluster.stop_pooler)
    await asyncio.to_thread(cluster.start_pooler)


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault.

    Attributes:
        weight: How often it comes, in proportion.
        part: What it attacks, one of `Target.parts`; empty: the network before any server.
        deadly: What was acknowledged before it must be there at once after it.
    """

    weight: int
    part: str
    play: Callable[[Scene], Awaitable[None]]
    deadly: bool = False

    def fits(self, target: Target) -> bool:
        """Tell whether it can befall this server."""
        return not self.part or self.part in target.parts


KINDS: Final[Mapping[str, Kind]] = {
    "kill": Kind(2, "process", kill, deadly=True),
    "kill_one": Kind(4, "process", kill_one, deadly=True),
    "stop": Kind(3, "process", stop),
    "squeeze": Kind(2, "memory", squeeze),
    "cut": Kind(3, "", cut),
    "half_open": Kind(3, "", half_open),
    "slow": Kind(2, "", slow),
    "lock": Kind(2, "sqlite", lock),
    "full": Kind(2, "sqlite", full),
    "store_quit": Kind(2, "postgres", store_quit),
    "store_kill": Kind(1, "postgres", store_kill),
    "store_stop": Kind(2, "postgres", store_stop),
    "store_cut": Kind(3, "postgres", store_cut),
    "store_mute": Kind(3, "postgres", store_mute),
    "pooler": Kind(2, "pooler", pooler),
}


def kinds_for(target: Target, chance: random.Random) -> Iterator[str]:
    """Name what befalls this server, without end: each kind once, then each by its weight."""
    kinds = {name: kind for name, kind in KINDS.items() if kind.fits(target)}
    once = list(kinds)
    chance.shuffle(once)
    yield from once
    weights = [kind.weight for kind in kinds.values()]
    while True:
        yield from chance.choices(list(kinds), weights)
