"""What holds for every test: which event loop, no unhandled exception, real services on demand."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Final

import hypothesis
import pytest
import uvloop

from tests.databases import Database, Databases
from tests.s3 import S3, start_s3
from tests.services import (
    PgBouncer,
    Postgres,
    Redis,
    chromium_path,
    start_pgbouncer,
    start_postgres,
    start_redis,
)

# Before anybody imports it: its failing asserts show their values.
pytest.register_assert_rewrite("parvis.storage.conformance")

LOOPS: Final[Mapping[str, Callable[[], asyncio.AbstractEventLoop]]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}
LOOP: Final = os.environ.get("PARVIS_TEST_LOOP", "uvloop")

# Seconds after which a test is taken to hang. Far beyond any real need: a guard, not a measure.
PATIENCE: Final = float(os.environ.get("PARVIS_TEST_PATIENCE", "400"))

# A slow machine is no bug, so there is no deadline; a failure prints the blob that replays it.
hypothesis.settings.register_profile("local", deadline=None, print_blob=True)
hypothesis.settings.register_profile(
    "ci",
    parent=hypothesis.settings.get_profile("local"),
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)


def pytest_configure(config: pytest.Config) -> None:
    if LOOP not in LOOPS:
        raise pytest.UsageError(f"PARVIS_TEST_LOOP: expected one of {sorted(LOOPS)}, got {LOOP!r}")
    hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, pass_over)


def pass_over(signum: int, frame: FrameType | None) -> None:
    """Ignore a signal that whoever started us wants ignored (nohup, a shell's background job).

    Ignoring is inherited by the servers the tests start, which would then heed no signal either; a
    handler is not.
    """


def pytest_report_header() -> str:
    return f"event loop: {LOOP}"


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {LOOP: LOOPS[LOOP]}


def pytest_collection_finish() -> None:
    # What collection made lives to the end. Frozen, it costs the collections between tests nothing.
    gc.collect()
    gc.freeze()


class UnhandledErrors(logging.Handler):
    """Keeps what event loops report when nobody handles an exception.

    Every loop, of whichever kind and thread, ends up in asyncio's logger: exceptions in callbacks,
    tasks whose exception was never retrieved, tasks destroyed while pending, failing transports.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.reports: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.reports.append(logging.Formatter().format(record))


UNHANDLED: Final = UnhandledErrors()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Listen to the loops from before the first fixture until after the last."""
    UNHANDLED.reports.clear()
    logger = logging.getLogger("asyncio")
    logger.addHandler(UNHANDLED)
    try:
        return (yield)
    finally:
        logger.removeHandler(UNHANDLED)


class Overdue(SystemExit):
    """A test waits for something that does not come.

    A SystemExit, because uvloop logs whatever else a signal handler raises, and goes on waiting.
    """


@contextlib.contextmanager
def patience(item: pytest.Item) -> Generator[None]:
    """End what hangs, so that the other tests still run; again and again if it swallows that."""

    def give_up(signum: int, frame: FrameType | None) -> None:
        raise Overdue(f"still running after {PATIENCE:.0f} s")

    seconds = 0.0 if item.get_closest_marker("soak") else PATIENCE
    previous = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds / 10)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    with patience(item):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    with patience(item):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Fail the test whose loop saw an exception that nobody handled.

    A task reports its exception when it is collected, hence the collection here; coroutines never
    awaited come to light the same way and fail through pytest's own unraisable hook.
    """
    with patience(item):
        yield
    gc.collect()
    # What outlives the test is not looked at again by the collections to come: they stay cheap.
    gc.freeze()
    if UNHANDLED.reports:
        reports = "\n".join(UNHANDLED.reports)
        UNHANDLED.reports.clear()
        pytest.fail(f"unhandled in the event loop:\n{reports}", pytrace=False)


@pytest.fixture
def unhandled() -> Iterator[list[str]]:
    """The loop's reports so far, for a test that provokes one; it must take them away itself."""
    yield UNHANDLED.reports


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the whole run; `postgres_url` is a database of the test's own in it."""
    with start_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database that lives as long as the test."""
    with postgres.database() as name:
        yield postgres.url(name)


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Databases:
    """Makes databases with the tables of Parvis."""
    return Databases(postgres)


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    """A database of the test's own, with the tables of Parvis."""
    with databases.fresh() as database:
        yield database


@pytest.fixture(scope="session")
def pgbouncer(postgres: Postgres) -> Iterator[PgBouncer]:
    """One PgBouncer before the PostgreSQL of the whole run."""
    with start_pgbouncer(postgres) as pooler:
        yield pooler


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """One Redis for the whole run."""
    with start_redis() as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """One S3 for the whole run; each test makes buckets of its own."""
    with start_s3() as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Debian's Chromium."""
    return chromium_path()
