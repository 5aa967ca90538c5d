"""One simulated world: nodes, a disk, people, and what goes wrong; then the judgement."""

from __future__ import annotations

import asyncio
import gc
import logging
import traceback
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from random import Random
from typing import Any, Final, cast

from pycrdt import Doc, Map

from parvis.client import Disconnected
from parvis.client.ports import Socket
from parvis.server.limits import Limits
from parvis.server.settings import RoomSettings
from parvis.storage import Address, Statement
from tests.simulation.devices import DIALECTS, Device, NativeDevice
from tests.simulation.disk import Disk, StoreWeather, drive
from tests.simulation.ground import ROOM, TENANT, Ground
from tests.simulation.history import Edit, History, Violation
from tests.simulation.ledger import Ledger, durable, picture, together
from tests.simulation.loop import SimulatedLoop, Stuck
from tests.simulation.nemesis import FAULTS
from tests.simulation.network import NOBODY, ClientSocket, Connection, NetWeather
from tests.simulation.node import Node
from tests.simulation.ports import HelperWeather, SeededRandom
from tests.simulation.scenarios import SCENARIOS, Scenario

PATIENCE: Final = 180.0
"""Virtual seconds after the last fault until everything must be durable and the same everywhere."""

KEEP: Final = 400
"""Lines of the trace kept, unless all are asked for."""

DOCUMENT: Final = Address(TENANT, ROOM)
ORDERED: Final = Address(TENANT, ROOM, "log")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run came to.

    Attributes:
        digest: Of everything that happened; the same for the same seed.
        faults: How many faults were injected.
    """

    scenario: str
    seed: int
    violations: tuple[Violation, ...]
    digest: str
    trace: tuple[str, ...]
    edits: int
    acks: int
    faults: int
    events: int

    @property
    def command(self) -> str:
        """What replays it."""
        return f".venv/bin/python -m tests.simulation --scenario {self.scenario} --seed {self.seed}"


class World:
    """Everything of one run.

    Attributes:
        closed: Nobody can connect.
        homes: User to the index of the node that they are led to.
        roles: User to role; see `ground.ACCESS`.
    """

    def __init__(self, scenario: Scenario, seed: int, history: History) -> None:
        self.scenario = scenario
        self.seed = seed
        self.history = history
        self.chance = SeededRandom(seed, "nemesis")
        self.ledger = Ledger(history)
        self.store_weather = StoreWeather()
        self.helper_weather = HelperWeather()
        self.net_weather = NetWeather(
            slow=scenario.slow, repeats=scenario.repeats, strays=scenario.strays
        )
        self.disk = Disk(Random(f"{seed}/disk"), self.store_weather, self.ledger, history)
        self.disk.embedded = scenario.embedded
        self.closed = False
        self.faults = 0
        self.roles: dict[str, str] = {}
        self.homes: dict[str, int] = {}
        limits = Limits(
            snapshot_rows=scenario.snapshot_rows,
            unlogged=scenario.unlogged,
            quick_update=1024,
            outbox=16 * 1024,
            compact_rows=3,
        )
        settings = RoomSettings(
            create="anyone", idle=scenario.idle, history_days=scenario.history / 86_400
        )
        self.nodes = [
            Node(
                "abc"[index],
                seed,
                disk=self.disk,
                roles=self.roles,
                limits=limits,
                settings=settings,
                helpers=self.helper_weather,
                history=history,
            )
            for index in range(scenario.nodes)
        ]
        self.devices = [self._device(index) for index in range(self._between(scenario.devices))]
        self._connections: dict[str, Connection] = {}
        self._count = 0
        self._tasks: list[asyncio.Task[None]] = []

    def _between(self, bounds: tuple[int, int]) -> int:
        return bounds[0] + self.chance.below(bounds[1] - bounds[0] + 1)

    def _device(self, index: int) -> Device:
        names = [name for name, weight in self.scenario.dialects.items() for _ in range(weight)]
        dialect = names[self.chance.below(len(names))]
        user = f"u{index}"
        looks = index > 0 and self.chance.uniform(0, 1) < self.scenario.viewers
        rogue = looks and self.chance.uniform(0, 1) < self.scenario.rogues
        self.roles[user] = "viewer" if looks else "writer"
        self.homes[user] = 0
        return DIALECTS[dialect](self, user, allowed=not looks, rogue=rogue)

    # What the others ask of the world

    @property
    def length(self) -> int:
        return self.ledger.length(DOCUMENT)

    def durable(self, edit: Edit) -> bool:
        return durable(edit, self.ledger, DOCUMENT)

    async def dial(self, device: Device, dialect: str) -> tuple[Socket, str]:
        """Open a connection to the node that somebody is led to. Raises `Disconnected`."""
        await asyncio.sleep(self.chance.uniform(0.001, 0.02))
        node = self.nodes[self.homes[device.user]]
        if self.closed or not node.up:
            raise Disconnected(1006, "nobody listens")
        device.connection_count += 1
        name = f"{device.user}/{device.connection_count}"
        random = Random(f"{self.seed}/{name}/{device.lives}")
        connection = Connection(name, random, self.net_weather, self.history, dialect)
        self._connections[device.user] = connection
        self.history.note(name, f"speaks {dialect} to {node.name}")
        node.accept(connection, device.user)
        return ClientSocket(connection), node.name

    def hang_up(self, device: Device) -> None:
        """Cut somebody's connection, if there is one."""
        if (connection := self._connections.pop(device.user, None)) is not None:
            connection.cut()

    def any_node(self) -> Node:
        return self.nodes[self.chance.below(len(self.nodes))]

    def any_device(self) -> Device:
        return self.devices[self.chance.below(len(self.devices))]

    def any_connection(self) -> Connection | None:
        return self._connections.get(self.any_device().user)

    def restart(self, node: Node) -> None:
        if not node.up:
            node.start()

    def message_acked(self, user: str, message: bytes, offset: int) -> None:
        """Somebody was told where their message stands in the ordered part."""
        self.history.note(user, f"acked {message.decode()} at {offset}")
        rows = self.ledger.log(ORDERED).updates
        if not 1 <= offset <= len(rows) or rows[offset - 1] != message:
            self.history.violate("I1", f"{message.decode()} was acknowledged at {offset}, not so")
        self.history.acked_messages[message] = offset

    def noted(self, user: str, note: str, offset: int) -> None:
        """Somebody was answered that a command is done."""
        self.history.note(user, f"noted {note} at {offset}")
        if not 1 <= offset <= self.length:
            self.history.violate("I11", f"{note} was noted at {offset}, past the end")
        self.history.notes.add(note)

    # The run

    async def run(self) -> None:
        await self.disk.memory.migrate("ground", Ground.migrations)
        # Who may only look could not create it.
        opened = await self.disk.memory.open_room(TENANT, ROOM, creator="u0", now=0.0)
        self.ledger.opened(ROOM, opened.fence)
        for node in self.nodes:
            node.start()
        for device in self.devices:
            device.start()
            self._beside(self._write(device))
        nemesis = asyncio.get_running_loop().create_task(self._go_wrong(), context=NOBODY)
        await asyncio.sleep(self.scenario.seconds)
        nemesis.cancel()
        self._heal()
        await self._settle()
        await self._judge()

    def _beside(self, work: Any) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work, context=NOBODY))

    async def _write(self, device: Device) -> None:
        """Play one person's part."""
        edits = self._between(self.scenario.edits)
        messages = self.chance.below(self.scenario.messages + 1)
        for _ in range(edits):
            await asyncio.sleep(self.chance.uniform(0, 2 * self.scenario.seconds / (edits + 1)))
            if device.allowed or device.rogue:
                device.act()
                while self.chance.uniform(0, 1) < self.scenario.burst:
                    device.act()
                if messages and isinstance(device, NativeDevice):
                    messages -= 1
                    device.write()
                    device.command()

    async def _go_wrong(self) -> None:
        names = [name for name, weight in self.scenario.faults.items() for _ in range(weight)]
        while names:
            await asyncio.sleep(self.chance.random.expovariate(1 / self.scenario.fault_pause))
            name = names[self.chance.below(len(names))]
            self.faults += 1
            self.history.note("nemesis", name)
            self._beside(cast(Any, FAULTS[name](self)))

    def _heal(self) -> None:
        """End all faults; everybody is led to the first node."""
        self.history.note("nemesis", "everything heals")
        self.closed = False
        weather = self.store_weather
        weather.fail = weather.lose = 0.0
        weather.down = weather.stalled = False
        self.helper_weather.missing = self.helper_weather.late = 0.0
        self.net_weather.slow = self.net_weather.strays = 0.0
        for node in self.nodes:
            self.restart(node)
        for device in self.devices:
            if self.homes[device.user]:
                self.homes[device.user] = 0
                self.hang_up(device)

    @property
    def _honest(self) -> list[Device]:
        return [device for device in self.devices if not device.rogue]

    async def _settle(self) -> None:
        """Wait until everything is durable, and everybody sees the same."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while loop.time() < until and not self.history.violations:
            await asyncio.sleep(0.25)
            if not self.nodes[0].up:
                self.restart(self.nodes[0])
            if all(device.at_rest for device in self._honest) and await self._agree():
                return
        if self.history.violations:
            return
        for device in self._honest:
            if not device.joined:
                self.history.violate("L1", f"{device.user} never came back {device.given_up}")
            elif not device.at_rest:
                lost = [e.name for _, e in device.pending if not self.durable(e)]
                self.history.violate("L1", f"{device.user} waits for ever for {lost}")
        pictures = {device.user: device.picture for device in self._honest}
        if not await self._agree():
            pictures["the log"] = picture(await self._logged())
            listed = "\n".join(f"  {user}: {shown}" for user, shown in pictures.items())
            self.history.violate("I2", f"these never became the same:\n{listed}")

    async def _agree(self) -> bool:
        """Whether everybody sees the same, and what the log is worth."""
        seen = {device.picture for device in self._honest}
        return len(seen) < 2 and seen <= {picture(await self._logged())}

    async def _logged(self) -> Doc[Any]:
        rows = await self.disk.memory.read(DOCUMENT, after=0, limit=100_000)
        return together([row.update for row in rows])

    async def _judge(self) -> None:
        """Compare what is durable with what was sent, acknowledged and shown."""
        history, memory = self.history, self.disk.memory
        rows = await memory.read(DOCUMENT, after=0, limit=100_000)
        self.ledger.compare(DOCUMENT, rows)
        whole = together([row.update for row in rows])
        snapshot = await memory.snapshot(DOCUMENT)
        if snapshot is not None:
            rest = [row.update for row in rows if row.offset > snapshot.offset]
            if picture(together([snapshot.state, *rest])) != picture(whole):
                history.violate("I12", "snapshot and log are not worth the log")
        marks = set(cast("dict[str, object]", whole.get("marks", type=Map).to_py() or {}))
        mortal = set(cast("dict[str, object]", whole.get("mortal", type=Map).to_py() or {}))
        if lost := history.marks(acked=True) - marks:
            history.violate("I1", f"acknowledged and lost: {sorted(lost)}")
        if invented := marks - history.marks(acked=False):
            history.violate("I3", f"visible and sent by nobody: {sorted(invented)}")
        if back := history.unmarked(acked=True) & mortal:
            history.violate("I1", f"deleted, acknowledged and there again: {sorted(back)}")
        notes = set(cast("dict[str, object]", whole.get("notes", type=Map).to_py() or {}))
        rows_of_notes = await memory.query(TENANT, Statement("SELECT note FROM ground_notes"))
        if sorted(str(note) for (note,) in rows_of_notes) != sorted(notes):
            history.violate("I13", f"{rows_of_notes} in the table, {notes} in the document")
        if lost := history.notes - notes:
            history.violate("I1", f"answered and lost: {sorted(lost)}")
        self._judge_messages(await memory.read(ORDERED, after=0, limit=100_000))

    def _judge_messages(self, rows: Any) -> None:
        history = self.history
        self.ledger.compare(ORDERED, rows)
        logged = [row.update for row in rows]
        if len(set(logged)) != len(logged):
            history.violate("I13", "a message stands twice in the ordered part")
        for message, offset in history.acked_messages.items():
            if logged[offset - 1 : offset] != [message]:
                history.violate(
                    "I1", f"{message.decode()} was acknowledged at {offset} and is gone"
                )
        for device in self._honest:
            if isinstance(device, NativeDevice) and any(
                logged[offset - 1 : offset] != [message] for offset, message in device.read
            ):
                history.violate("I2", f"{device.user} was shown another order of messages")


class _Errors(logging.Handler):
    """Bugs that the code under test has caught and logged."""

    def __init__(self, history: History) -> None:
        super().__init__(logging.WARNING)
        self._history = history

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            trace = "".join(traceback.format_exception(record.exc_info[1]))
            self._history.violate("BUG", f"{record.name}: {text}\n{trace}")
        else:
            self._history.note("log", text)


@contextmanager
def _listening(history: History) -> Generator[None]:
    handler = _Errors(history)
    loggers = [logging.getLogger("parvis"), logging.getLogger("asyncio")]
    before = [(each, each.propagate, each.level) for each in loggers]
    for each in loggers:
        each.addHandler(handler)
        each.propagate = False
        each.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for each, propagate, level in before:
            each.removeHandler(handler)
            each.propagate = propagate
            each.setLevel(level)


def simulate(
    name: str,
    seed: int,
    *,
    keep: int = KEEP,
    mutant: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Outcome:
    """Run one seed of a scenario.

    Args:
        keep: How many lines of the trace are kept, at least.
        mutant: Plants a bug while the world runs.
    """
    history = History(keep=keep)
    chaos = Random(f"{seed}/chaos").choice([0.0, 0.1, 0.5, 1.0])
    loop = SimulatedLoop(Random(f"{seed}/loop"), chaos)
    # Finalizers run where they are due, not where memory happens to be short.
    collecting = gc.isenabled()
    gc.disable()
    world: World | None = None
    try:
        with _listening(history), mutant():
            try:
                world = loop.run_until_complete(_run(SCENARIOS[name], seed, history, loop))
            except Stuck as stuck:
                history.violations.append(Violation("L1", loop.now, str(stuck)))
            finally:
                loop.set_exception_handler(lambda _, __: None)
                loop.bury()
    finally:
        loop.close()
        if collecting:
            gc.enable()
    return Outcome(
        name,
        seed,
        tuple(history.violations),
        history.digest,
        tuple(history.lines),
        len(history.edits),
        history.acks,
        world.faults if world is not None else 0,
        history.events,
    )


async def _run(scenario: Scenario, seed: int, history: History, loop: SimulatedLoop) -> World:
    loop.set_exception_handler(lambda _, context: history.violate("BUG", f"unhandled: {context}"))
    world = World(scenario, seed, history)
    try:
        await world.run()
    except Exception:
        history.violate("JUDGE", traceback.format_exc())
    drive(world.disk.memory.close())
    return world
