"""Real helper processes for the tests of the firewall."""

from collections.abc import AsyncIterator

import pytest

from parvis.server.clock import SystemClock
from parvis.server.firewall.helpers import HelperPool


@pytest.fixture
async def helpers() -> AsyncIterator[HelperPool]:
    """A pool of two helpers."""
    pool = HelperPool(2, SystemClock())
    yield pool
    await pool.close()
