"""Every metric of a node: the body of `Metrics` is the table.

Names get the prefix ``parvis_`` and counters the suffix ``_total``. A metric with a label is called
with the label's value; what that returns is kept, so a hot path may hold on to it.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, overload

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.process_collector import ProcessCollector

PREFIX: Final = "parvis"
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

SECONDS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
COUNTS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

# They double the length of a page that Prometheus fetches every few seconds, and nobody reads them.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library left out its type

M = TypeVar("M", Counter, Gauge, Histogram)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """What the documentation and the dashboards need to know of a metric."""

    name: str
    kind: str
    help: str
    label: str
    buckets: Sequence[float]


class Labelled(Generic[M]):
    """A metric per value of one label."""

    def __init__(self, parent: M) -> None:
        self._parent: M = parent
        self._children: dict[object, M] = {}

    def __call__(self, value: object) -> M:
        child = self._children.get(value)
        if child is None:
            child = self._children[value] = self._parent.labels(str(value))
        return child


class Declared(Generic[T]):
    """A row of the table: the class shows the declaration, an instance the metric itself."""

    def __init__(self, row: Row, make: Callable[[CollectorRegistry, Row], T]) -> None:
        self.row = row
        self.make = make

    def __set_name__(self, owner: type[object], name: str) -> None:
        self.row = dataclasses.replace(self.row, name=name)

    @overload
    def __get__(self, metrics: None, owner: type[object]) -> "Declared[T]": ...
    @overload
    def __get__(self, metrics: object, owner: type[object]) -> T: ...
    def __get__(self, metrics: object, owner: type[object]) -> Any:
        # An instance has the metric itself under this name, which Python finds first.
        return self


def plain(kind: type[M], help: str, buckets: Sequence[float] = ()) -> Declared[M]:
    """Declare a metric without labels."""
    row = Row("", kind.__name__.lower(), help, "", buckets)
    return Declared(row, lambda registry, row: _make(kind, registry, row))


def by(kind: type[M], help: str, label: str) -> Declared[Labelled[M]]:
    """Declare a metric with one label."""
    row = Row("", kind.__name__.lower(), help, label, ())
    return Declared(row, lambda registry, row: Labelled(_make(kind, registry, row)))


def _make(kind: Callable[..., M], registry: CollectorRegistry, row: Row) -> M:
    labels = [row.label] if row.label else []
    more = {"buckets": row.buckets} if row.buckets else {}
    return kind(row.name, row.help, labels, namespace=PREFIX, registry=registry, **more)


class Metrics:
    """The metrics of one node, in a registry of its own, so that several can share a process."""

    # The path of an update
    received = plain(Counter, "Updates received from sessions.")
    deliveries = plain(Counter, "Frames with updates written to sessions, counted once for each.")
    broadcasts = plain(Counter, "Frames with updates that were encoded, each for many sessions.")
    logged = plain(Counter, "Updates made durable.")
    acks = plain(Counter, "Updates acknowledged to their senders.")
    ack_seconds = plain(Histogram, "From the receipt of an update to its ack.", SECONDS)
    flush_size = plain(Histogram, "Updates in one append to the store.", COUNTS)
    flush_seconds = plain(Histogram, "Duration of one append to the store.", SECONDS)
    append_failures = plain(Counter, "Appends that failed and are tried again.")
    unlogged = plain(Gauge, "Updates that wait for the store.")

    # Sessions and rooms
    sessions = by(Gauge, "Open sessions.", "dialect")
    closes = by(Counter, "Sessions closed by the node.", "code")
    refusals = by(Counter, "Requests refused.", "code")
    rooms = plain(Gauge, "Rooms held in memory.")
    load_seconds = plain(Histogram, "Duration of the loading of a part.", SECONDS)
    load_failures = plain(Counter, "Rooms that could not be opened.")
    rebuilds = plain(Counter, "Documents rebuilt from the log after a panic.")
    outbox_drops = plain(Counter, "Broadcasts withheld from a session that reads too slowly.")
    resyncs = plain(Counter, "Differences sent to sessions that had fallen behind.")
    awareness = plain(Counter, "Awareness frames written to sessions, counted once for each.")

    # The firewall
    poison = plain(Counter, "Updates set aside because they break documents.")
    quarantined = plain(Gauge, "Updates in quarantine, which nobody has replayed or dropped.")
    helper_losses = by(Counter, "Helper processes lost at work.", "cause")
    worker_deaths = plain(Gauge, "Workers that died since the supervisor started.")

    # The process and what it depends on
    loop_lag_seconds = plain(Histogram, "How late the event loop called a timer.", SECONDS)
    store_up = plain(Gauge, "1 while the store takes writes, else 0.")
    backup_last_success_timestamp_seconds = plain(Gauge, "When the last backup was made; 0: never.")
    backup_last_verified_timestamp_seconds = plain(
        Gauge, "When a drill last restored a backup whole; 0: never."
    )
    http_requests = by(Counter, "HTTP requests answered.", "status")

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        for name, declared in DECLARED.items():
            # Found before the declaration, which only the class shows from now on.
            self.__dict__[name] = declared.make(self._registry, declared.row)
        ProcessCollector(namespace=PREFIX, registry=self._registry)

    def render(self) -> bytes:
        """Return all values in Prometheus' text format (`CONTENT_TYPE`)."""
        return generate_latest(self._registry)


DECLARED: Final[dict[str, Declared[Any]]] = {
    name: each for name, each in vars(Metrics).items() if isinstance(each, Declared)
}

TABLE: Final[tuple[Row, ...]] = tuple(each.row for each in DECLARED.values())
"""Every metric of our own; beside them stand Prometheus' usual ``parvis_process_…``."""
