"""What goes wrong: each fault is one function of the world, by its name in the scenarios' table."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.simulation.world import World


async def kill(world: World) -> None:
    """SIGKILL of a node, which is back after a while."""
    node = world.any_node()
    node.kill()
    await asyncio.sleep(world.chance.uniform(0.01, 1.5))
    world.restart(node)


async def power(world: World) -> None:
    """No node and no unsynced write survives."""
    world.disk.power_cut()
    for node in world.nodes:
        node.kill()
    await asyncio.sleep(world.chance.uniform(0.1, 1.0))
    for node in world.nodes:
        world.restart(node)


async def stop(world: World) -> None:
    """SIGTERM of a node."""
    node = world.any_node()
    await node.stop()
    world.restart(node)


async def cut(world: World) -> None:
    """A connection breaks."""
    if (connection := world.any_connection()) is not None:
        connection.cut()


async def halve(world: World) -> None:
    """A connection stands half-open."""
    if (connection := world.any_connection()) is not None:
        connection.halve()


async def reload(world: World) -> None:
    """Somebody's browser crashes and has kept its copy."""
    world.any_device().reload(forget=False)


async def forget(world: World) -> None:
    """Somebody's browser crashes and has kept nothing."""
    world.any_device().reload(forget=True)


async def down(world: World) -> None:
    """The store fails every call."""
    world.store_weather.down = True
    await asyncio.sleep(world.chance.uniform(0.05, 2.0))
    world.store_weather.down = False


async def fail(world: World) -> None:
    """The store fails many calls."""
    world.store_weather.fail = 0.5
    await asyncio.sleep(world.chance.uniform(0.1, 2.0))
    world.store_weather.fail = 0.0


async def lose(world: World) -> None:
    """The store loses many answers."""
    world.store_weather.lose = 0.5
    await asyncio.sleep(world.chance.uniform(0.1, 2.0))
    world.store_weather.lose = 0.0


async def stall(world: World) -> None:
    """Nothing gets to the store."""
    world.store_weather.stalled = True
    await asyncio.sleep(world.chance.uniform(0.05, 2.0))
    world.store_weather.stalled = False


async def move(world: World) -> None:
    """Somebody is led to another node."""
    device = world.any_device()
    world.homes[device.user] = world.chance.below(len(world.nodes))
    world.hang_up(device)


async def revoke(world: World) -> None:
    """Somebody may only look from now on, or not even that."""
    device = world.any_device()
    world.roles[device.user] = ("viewer", "stranger")[world.chance.below(2)]
    for node in world.nodes:
        await node.reauthorize()
    device.allowed, device.rogue = False, True
    world.history.note(device.user, "has lost its rights")


async def helpers(world: World) -> None:
    """No helper can be started, or they are late."""
    world.helper_weather.missing, world.helper_weather.late = 0.4, 0.2
    await asyncio.sleep(world.chance.uniform(0.1, 2.0))
    world.helper_weather.missing = world.helper_weather.late = 0.0


async def empty(world: World) -> None:
    """Everybody is cut off for longer than the room waits for them."""
    world.closed = True
    for device in world.devices:
        world.hang_up(device)
    await asyncio.sleep(world.scenario.idle + world.chance.uniform(0.0, 1.0))
    world.closed = False


async def clock(world: World) -> None:
    """A node's wall clock jumps."""
    world.any_node().clock.skew += world.chance.uniform(-86_400.0, 86_400.0)


FAULTS: Final[Mapping[str, Callable[[World], Awaitable[None]]]] = {
    fault.__name__: fault
    for fault in (
        *(kill, power, stop),
        *(cut, halve, reload, forget),
        *(down, fail, lose, stall),
        *(move, revoke, helpers, empty, clock),
    )
}
