"""A node without doors: what importing needs while no node serves, and nothing that others see."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from parvis.storage.factory import open_blobs, open_store

from ..clock import SystemClock, SystemRandom
from ..core import Core
from ..firewall.helpers import HelperPool
from ..firewall.quarantine import Quarantine
from ..firewall.watch import Watch, make_note
from ..hosting.guests import Guests
from ..hosting.host import Host, Offers
from ..hosting.jobs import Jobs
from ..hosting.people import Directory
from ..hosting.registry import AnyType, installed
from ..hosting.workshop import CONFINED, Workshop
from ..identity import open_identity
from ..limits import Limits
from ..metrics import Metrics
from ..settings import Settings
from .taking import Intake


@asynccontextmanager
async def workbench(settings: Settings) -> AsyncGenerator[Intake]:
    """Put together what takes documents in; the caller holds the data folder.

    What follows from commits and jobs is left to the next node that runs.

    Raises:
        StorageError: If the store cannot be opened.
    """
    async with AsyncExitStack() as stack:
        clock, random = SystemClock(), SystemRandom()
        store, accounts = open_store(settings.store_url)
        stack.push_async_callback(store.close)
        registry = installed(settings)
        for kind in registry:
            await store.migrate(kind.name, kind.migrations)
        helpers = HelperPool(1, clock)
        stack.push_async_callback(helpers.close)
        workers = HelperPool(1, clock, confinement=CONFINED)
        stack.push_async_callback(workers.close)
        note = make_note()
        stack.callback(os.close, note)
        core = Core(
            clock=clock,
            random=random,
            store=store,
            helpers=helpers,
            watch=Watch(note),
            quarantine=Quarantine(store, helpers, clock),
            registry=registry,
            metrics=Metrics(),
            limits=Limits(),
        )
        stack.push_async_callback(core.close)
        await core.consumers.close()  # the next node does what they do, from their cursors
        identity = await open_identity(settings, accounts, clock, random)
        stack.callback(identity.close)
        where = settings.blobs
        blobs = open_blobs(
            settings.store_url,
            settings.data,
            where.url,
            access_key=where.access_key,
            secret_key=where.secret_key,
        )
        stack.push_async_callback(blobs.close)
        guests = Guests(identity.tokens, accounts.user)
        offers = Offers(Directory(accounts), guests, blobs, Workshop(workers))
        jobs = Jobs(registry, store, clock, random)

        def node(kind: AnyType) -> Host:
            return Host(core, jobs, kind, offers)

        for kind in registry:
            await stack.enter_async_context(kind.lifespan(node(kind)))
        yield Intake(core, node, identity.people.by_email)
