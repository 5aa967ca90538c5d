"""What every store does, and what a durable one does beyond it: the suites put together."""

from parvis.storage.conformance.compaction import CompactionSuite
from parvis.storage.conformance.durable import DurableSuite
from parvis.storage.conformance.lives import LivesSuite
from parvis.storage.conformance.log import LogSuite
from parvis.storage.conformance.reading import ReadingSuite
from parvis.storage.conformance.rooms import RoomsSuite
from parvis.storage.conformance.statements import StatementsSuite
from parvis.storage.conformance.tables import TablesSuite
from parvis.storage.conformance.work import WorkSuite


class StoreConformance(
    RoomsSuite,
    LivesSuite,
    CompactionSuite,
    LogSuite,
    StatementsSuite,
    ReadingSuite,
    TablesSuite,
    WorkSuite,
):
    """What every store does. Override `open`."""


class DurableStoreConformance(DurableSuite, StoreConformance):
    """What a store that survives its process does. Override `open` and `outage`."""
