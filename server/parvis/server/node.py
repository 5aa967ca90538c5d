"""One node: builds its parts, starts them in order, and stops them in the opposite one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from parvis.storage import Blobs, StorageError, Store, StoreUnavailable, User
from parvis.storage.factory import open_blobs, open_inspection, open_store

from .api import Api, Gate, make_app
from .backup.standing import standing
from .clock import SystemClock, SystemRandom
from .condition import condition
from .core import Core
from .doorway import accept
from .firewall.helpers import DEFAULT, HelperPool
from .firewall.process import Confinement
from .firewall.quarantine import Quarantine
from .health import Health, Scope, folder_problem
from .history.asking import ask
from .hosting.guests import Guests
from .hosting.host import Host, Offers, host_room_types
from .hosting.jobs import Queues
from .hosting.registry import installed
from .hosting.routes import add_plugin_routes
from .hosting.workshop import CONFINED, HELPERS as WORKSHOP_HELPERS, Workshop
from .identity import Identity, open_identity
from .limits import Limits
from .listening import url_of
from .mail import Post, carrier_of
from .members import Members
from .metrics import Metrics
from .moving_in.taking import Intake
from .notices import Notices
from .operations import Operations
from .operator_socket import start_operator_socket
from .pages import add_pages
from .ports import Clock
from .probes import add_probes
from .setaside.counting import count_quarantined
from .setaside.desk import Desk
from .setaside.journal import Journal
from .setaside.live import replay_live
from .settings import LOCAL_TENANT, Settings, SettingsInvalid
from .sockets import Sockets
from .worker import StartRefused, WorkerContext

logger = logging.getLogger(__name__)

HELPERS: Final = 2
"""Helper processes at a time; whole-document work waits for one of them."""

HTTP_PATIENCE: Final = 75.0
"""Seconds until a connection must have sent its first request, or the next one."""

SPARE: Final = 1000
"""Connections besides as many websockets as there may be: for HTTP, so that health can be asked."""

BEAT: Final = 1.0
"""Seconds between two looks at the loop's lag and the store."""


async def run_worker(context: WorkerContext) -> None:
    """Serve until told to stop.

    Raises:
        StartRefused: If the settings or the data do not allow a start.
    """
    try:
        async with AsyncExitStack() as stack:
            await _serve(context, stack)
    except SettingsInvalid as invalid:
        raise StartRefused(str(invalid)) from invalid
    except StoreUnavailable:
        raise
    except StorageError as problem:
        hint = f"\nhint: {problem.hint}" if problem.hint else ""
        raise StartRefused(f"{problem}{hint}") from problem


async def _serve(context: WorkerContext, stack: AsyncExitStack) -> None:
    """Start everything; the stack undoes it in the opposite order."""
    settings = context.settings
    store, accounts = open_store(settings.store_url)
    stack.push_async_callback(store.close)
    core = await _build(context, stack, store)
    health = Health(core.clock, {"store": Scope.SHARED, "data folder": Scope.NODE})
    identity = await open_identity(settings, accounts, core.clock, core.random)
    stack.callback(identity.close)
    gate = Gate(identity, settings)
    sockets = Sockets(
        core,
        gate,
        health,
        most=settings.server.max_connections,
        most_per_address=settings.server.max_connections_per_address,
    )
    home = (settings.server.public_url or url_of(context.sockets)).rstrip("/")
    queues = Queues(store, core.clock, core.random)
    members = await _members(core, identity, settings, queues, home, stack)
    blobs = await _blobs(settings, stack)
    offers = _offers(core, identity, members, settings, blobs, stack)
    jobs = await host_room_types(core, stack, offers)
    intake = Intake(core, lambda kind: Host(core, jobs, kind, offers), identity.people.by_email)
    queues.begin()
    stack.push_async_callback(queues.close)

    api = Api(
        settings,
        identity,
        gate,
        store,
        core.registry,
        core.directory,
        core.clock,
        members,
        partial(ask, core),
    )
    app = make_app(api)
    app.add_routes(sockets.routes())
    add_probes(app, health, core.metrics)
    add_plugin_routes(app, core.registry, gate)
    add_pages(app)
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=5.0, keepalive_timeout=HTTP_PATIENCE
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    assert runner.server is not None  # since its set-up
    most = settings.server.max_connections + SPARE
    for door in await accept(runner.server, context.sockets, most=most):
        stack.callback(door.close)
    tell = partial(condition, core, health, context.restarts)
    await _let_operators_in(core, identity, settings, home, intake, tell, stack)

    core.spawn(_beat(core, health, settings.data))
    if settings.store_url != "memory:":
        inspection = open_inspection(settings.store_url)
        stack.push_async_callback(inspection.close)
        core.spawn(count_quarantined(inspection, core.metrics, core.clock))
    # With --open nobody has an account.
    secret = None if settings.server.open else await identity.people.set_up_secret()
    context.report_ready(f"{home}/setup#{secret}" if secret else None)
    await context.stopping.wait()
    health.draining = True
    await sockets.drain(settings.server.drain_deadline, context.hurry)


async def _build(context: WorkerContext, stack: AsyncExitStack, store: Store) -> Core:
    """Put the core together, with the room types' tables up to date."""
    clock, metrics = SystemClock(), Metrics()
    registry = installed(context.settings)
    for kind in registry:
        await store.migrate(kind.name, kind.migrations)
    metrics.worker_deaths.set(context.restarts)
    helpers = _helpers(HELPERS, clock, metrics)
    stack.push_async_callback(helpers.close)
    quarantine = Quarantine(
        store,
        helpers,
        clock,
        context.suspects,
        on_cleared=context.report_settled,
        on_poison=lambda digest: _poisoned(context, metrics, digest),
    )
    core = Core(
        clock=clock,
        random=SystemRandom(),
        store=store,
        helpers=helpers,
        watch=context.watch,
        quarantine=quarantine,
        registry=registry,
        metrics=metrics,
        limits=limits_of(context.settings),
    )
    stack.push_async_callback(core.close)
    return core


def _helpers(
    size: int, clock: Clock, metrics: Metrics, confinement: Confinement = DEFAULT
) -> HelperPool:
    def lost(cause: str) -> None:
        metrics.helper_losses(cause).inc()

    return HelperPool(size, clock, confinement=confinement, on_loss=lost)


async def _members(
    core: Core,
    identity: Identity,
    settings: Settings,
    queues: Queues,
    home: str,
    stack: AsyncExitStack,
) -> Members:
    """Put together what people are to each other: letters, notices, invitations."""
    clock, random = core.clock, core.random
    post = Post(settings, carrier_of(settings, settings.data, clock), queues, clock, random)
    stack.callback(post.close)
    notices = Notices(
        core.store,
        identity.people.accounts,
        post,
        core.sessions,
        clock,
        random,
        home=home,
        delay=settings.mail.notice_delay,
    )
    await notices.prepare()
    return Members(settings, identity, post, notices, clock, spawn=core.spawn, home=home)


async def _blobs(settings: Settings, stack: AsyncExitStack) -> Blobs:
    """Open the blobs, where one can be kept. Raises `StorageError`."""
    where = settings.blobs
    blobs = open_blobs(
        settings.store_url,
        settings.data,
        where.url,
        access_key=where.access_key,
        secret_key=where.secret_key,
    )
    stack.push_async_callback(blobs.close)
    await blobs.check()
    return blobs


def _offers(
    core: Core,
    identity: Identity,
    members: Members,
    settings: Settings,
    blobs: Blobs,
    stack: AsyncExitStack,
) -> Offers:
    """Put together what room types get besides rooms and rows."""
    helpers = _helpers(WORKSHOP_HELPERS, core.clock, core.metrics, CONFINED)
    stack.push_async_callback(helpers.close)

    async def account(id: str) -> User | None:
        if settings.server.open:  # where nobody has one, and any token is taken
            return User(id, LOCAL_TENANT, "", "", "", "", False, core.clock.time())
        return await identity.people.accounts.user(id)

    return Offers(
        members,
        Guests(identity.tokens, account),
        blobs,
        Workshop(helpers),
    )


async def _let_operators_in(
    core: Core,
    identity: Identity,
    settings: Settings,
    home: str,
    intake: Intake,
    tell: Callable[[], dict[str, Any]],
    stack: AsyncExitStack,
) -> None:
    """Answer `parvis …` commands, which cannot open the data folder while we hold it."""
    operations = Operations(
        store=core.store,
        identity=identity,
        helpers=core.helpers,
        registry=core.registry,
        delete=core.directory.delete,
        clock=core.clock,
        home=home,
        desk=Desk(
            core.store,
            core.helpers,
            core.clock,
            partial(replay_live, core),
            Journal(settings.data),
        ),
        condition=tell,
        intake=intake,
        core=core,
    )
    operators = await start_operator_socket(operations, settings.data)
    stack.push_async_callback(operators.close)


def _poisoned(context: WorkerContext, metrics: Metrics, digest: bytes) -> None:
    metrics.poison.inc()
    metrics.quarantined.inc()  # until it is counted again
    context.report_settled(digest)


async def _beat(core: Core, health: Health, data: Path) -> None:
    """Watch the loop and the store; what they do badly is seen in health and metrics."""
    metrics = core.metrics
    while True:
        metrics.loop_lag_seconds.observe(max(0.0, health.beat() - BEAT))
        problem = folder_problem(data)
        health.set("data folder", not problem, problem)
        try:
            await core.store.check()
        except StorageError as problem:
            health.set("store", False, str(problem))
            metrics.store_up.set(0)
        else:
            health.set("store", True)
            metrics.store_up.set(1)
        backups = standing(data)
        metrics.backup_last_success_timestamp_seconds.set(backups.created)
        metrics.backup_last_verified_timestamp_seconds.set(backups.verified)
        await core.clock.sleep(BEAT)


def limits_of(settings: Settings) -> Limits:
    """Return the core's limits as the operator has set them."""
    server = settings.server
    return Limits(
        frame=server.max_frame,
        hello=server.hello_timeout,
        heartbeat=server.heartbeat,
        rooms=server.max_rooms_per_session,
        outbox=server.outbox_bound,
        outbox_hard=server.outbox_hard_bound,
        slow=server.slow_deadline,
    )
