"""One node: builds its parts, starts them in order, and stops them in the opposite one."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from typing import Final

from aiohttp import web

from parvis.storage import StorageError, StoreUnavailable
from parvis.storage.factory import open_store

from .api import Api, Gate, make_app
from .clock import SystemClock, SystemRandom
from .core import Core
from .firewall.helpers import HelperPool
from .firewall.quarantine import Quarantine
from .health import Health, Scope
from .hosting.host import Host
from .hosting.jobs import Jobs
from .hosting.registry import installed
from .hosting.routes import add_plugin_routes
from .identity import open_identity
from .limits import Limits
from .listening import url_of
from .metrics import Metrics
from .operations import Operations
from .operator_socket import start_operator_socket
from .operations import Operations
from .operator_socket import start_operator_socket
from .pages import add_pages
from .probes import add_probes
from .settings import Settings, SettingsInvalid
from .sockets import Sockets
from .worker import StartRefused, WorkerContext

logger = logging.getLogger(__name__)

HELPERS: Final = 2
"""Helper processes at a time; whole-document work waits for one of them."""

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
        raise StartRefused(f"{problem} {problem.hint}".strip()) from problem


async def _serve(context: WorkerContext, stack: AsyncExitStack) -> None:
    """Start everything; the stack undoes it in the opposite order."""
    settings = context.settings
    clock, random = SystemClock(), SystemRandom()
    registry = installed(settings)
    store, accounts = open_store(settings.store_url)
    stack.push_async_callback(store.close)
    for kind in registry:
        await store.migrate(kind.name, kind.migrations)

    metrics = Metrics()
    metrics.worker_deaths.set(context.restarts)
    health = Health(clock, {"store": Scope.SHARED})
    helpers = HelperPool(HELPERS, clock, on_loss=lambda cause: metrics.helper_losses(cause).inc())
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
        random=random,
        store=store,
        helpers=helpers,
        watch=context.watch,
        quarantine=quarantine,
        registry=registry,
        metrics=metrics,
        limits=limits_of(settings),
    )
    stack.push_async_callback(core.close)
    identity = await open_identity(settings, accounts, clock, random)
    stack.callback(identity.close)
    gate = Gate(identity, settings)
    sockets = Sockets(
        core,
        gate,
        health,
        most=settings.server.max_connections,
        most_per_address=settings.server.max_connections_per_address,
    )
    jobs = Jobs(registry, store, clock, random)
    for kind in registry:
        await stack.enter_async_context(kind.lifespan(Host(core, jobs, kind)))
    jobs.start(lambda kind: Host(core, jobs, kind))
    stack.push_async_callback(jobs.close)
    await core.consumers.start()

    api = Api(settings, identity, gate, store, registry, core.directory, clock)
    operations = Operations(
        store=store,
        identity=identity,
        helpers=helpers,
        registry=registry,
        delete=core.directory.delete,
        clock=clock,
    )
    operators = await start_operator_socket(operations, settings.data)
    stack.push_async_callback(operators.close)
    app = make_app(api)
    app.add_routes(sockets.routes())
    add_probes(app, health, metrics)
    add_plugin_routes(app, registry, gate)
    add_pages(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    for socket in context.sockets:
        await web.SockSite(runner, socket, backlog=1024).start()

    operations = Operations(
        store=store,
        identity=identity,
        helpers=helpers,
        registry=registry,
        delete=core.directory.delete,
        clock=clock,
    )
    operator = await start_operator_socket(operations, settings.data)
    stack.push_async_callback(operator.close)

    core.spawn(_beat(core, health, metrics))
    # With --open nobody has an account.
    secret = None if settings.server.open else await identity.people.set_up_secret()
    address = settings.server.public_url or url_of(context.sockets)
    context.report_ready(f"{address}/setup#{secret}" if secret else None)
    await context.stopping.wait()
    health.draining = True
    deadline = 0.0 if context.hurry.is_set() else settings.server.drain_deadline
    await sockets.drain(deadline)


def _poisoned(context: WorkerContext, metrics: Metrics, digest: bytes) -> None:
    metrics.poison.inc()
    context.report_settled(digest)


async def _beat(core: Core, health: Health, metrics: Metrics) -> None:
    """Watch the loop and the store; what they do badly is seen in health and metrics."""
    while True:
        metrics.loop_lag_seconds.observe(max(0.0, health.beat() - BEAT))
        try:
            await core.store.check()
        except StorageError as problem:
            health.set("store", False, str(problem))
            metrics.store_up.set(0)
        else:
            health.set("store", True)
            metrics.store_up.set(1)
        await core.clock.sleep(BEAT)


def limits_of(settings: Settings) -> Limits:
    """Return the core's limits as the operator has set them."""
    server = settings.server
    return Limits(
        frame=server.max_frame,
        hello=server.hello_timeout,
        silence=server.silence,
        heartbeat=server.heartbeat,
        rooms=server.max_rooms_per_session,
        outbox=server.outbox_bound,
        outbox_hard=server.outbox_hard_bound,
        slow=server.slow_deadline,
    )
