"""A transaction on a connection to PostgreSQL, in the name of a tenant."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from asyncpg import Connection

from parvis.storage.errors import StoreUnavailable
from parvis.storage.postgres.faults import FAULTS, is_lost


@asynccontextmanager
async def transaction(connection: Connection, begin: str = "BEGIN") -> AsyncGenerator[None]:
    """Run a block in one transaction: committed at its end, or undone with what it raised.

    Whoever is cancelled in the middle of it has to drop the connection.

    Args:
        begin: Statements that begin it; see `enter`.

    Raises:
        StoreUnavailable: If the server did not commit after all.
    """
    try:
        await connection.execute(begin)
        yield
        ended = await connection.execute("COMMIT")
    except Exception as error:
        if not is_lost(error):
            with suppress(*FAULTS):
                await connection.execute("ROLLBACK")
        raise
    if ended != "COMMIT":
        raise StoreUnavailable("PostgreSQL: the transaction was rolled back")


def enter(tenant: str, mode: str = "") -> str:
    """Return how a transaction begins that sees and changes one tenant's rows.

    Args:
        tenant: Empty: nobody's rows, only tables that no tenant leads.
        mode: What follows BEGIN, such as ``READ ONLY``.
    """
    return f"BEGIN {mode}; SELECT parvis.enter({literal(tenant)})"


def literal(text: str) -> str:
    """Spell a text so that no setting of the server can read it otherwise."""
    return f"convert_from(decode('{text.encode().hex()}', 'hex'), 'UTF8')"
