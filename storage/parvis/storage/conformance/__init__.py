"""The suite that every adapter passes; subclass it and say how your store is opened.

Put ``pytest.register_assert_rewrite("parvis.storage.conformance")`` into your ``conftest.py``
before importing it, so that a failing assert shows its values. Tests run under pytest-asyncio's
auto mode.
"""

from parvis.storage.conformance.accounts import AccountsConformance, DurableAccountsConformance
from parvis.storage.conformance.durable import DurableSuite
from parvis.storage.conformance.lives import LivesSuite
from parvis.storage.conformance.log import LogSuite
from parvis.storage.conformance.reading import ReadingSuite
from parvis.storage.conformance.rooms import RoomsSuite
from parvis.storage.conformance.statements import StatementsSuite
from parvis.storage.conformance.tables import TablesSuite
from parvis.storage.conformance.work import WorkSuite

__all__ = [
    "AccountsConformance",
    "DurableAccountsConformance",
    "DurableStoreConformance",
    "StoreConformance",
]


class StoreConformance(
    RoomsSuite, LivesSuite, LogSuite, StatementsSuite, ReadingSuite, TablesSuite, WorkSuite
):
    """What every store does. Override `open`."""


class DurableStoreConformance(DurableSuite, StoreConformance):
    """What a store that survives its process does. Override `open` and `outage`."""
