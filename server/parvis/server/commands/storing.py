"""``parvis store migrate``: makes and changes the tables in PostgreSQL, as their owner."""

import argparse
import asyncio
from dataclasses import asdict

from parvis.storage import StorageError
from parvis.storage.postgres import migrate_postgres
from parvis.storage.urls import redacted

from ..hosting.registry import installed
from ..settings import Settings
from ..tables import tables_of
from .output import CommandError, show_json


def migrate(settings: Settings, arguments: argparse.Namespace) -> int:
    """Bring all tables to the version of this program, or say what that would do."""
    url = settings.store_url
    if not url.startswith(("postgresql://", "postgres://")):
        raise CommandError(
            f"{redacted(url)} needs no such step",
            "A node brings SQLite files up to date when it opens them.",
            code="not_postgres",
        )
    plugins = tables_of(installed(settings))

    def report(what: str) -> None:
        if not arguments.json:
            print(what, flush=True)

    try:
        done = asyncio.run(migrate_postgres(url, plugins, dry_run=arguments.dry_run, report=report))
    except StorageError as error:
        raise CommandError(str(error), error.hint, code="storage") from None
    if arguments.json:
        show_json(asdict(done) | {"dry_run": arguments.dry_run})
    elif arguments.dry_run:
        print(f"{done.database}: {len(done.steps)} steps would be taken; nothing was changed")
    elif done.steps:
        print(f"{done.database}: schema {done.after}, before {done.before}")
    else:
        print(f"{done.database}: up to date (schema {done.after})")
    return 0
