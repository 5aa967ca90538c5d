"""A pool of reader threads with connections that stay open between reads."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from parvis.storage.sqlite.faults import mars_connection
from parvis.storage.sqlite.files import Database, DataFile, connect_reader

T = TypeVar("T")


class Readers:
    """Runs reads of any file, several at a time, beside the file's writer.

    A read sees all that was durable when it began.
    """

    def __init__(self, *, threads: int, idle: int) -> None:
        """Start nothing yet.

        Args:
            threads: Reads that run at a time.
            idle: Connections kept open while nobody uses them.
        """
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="parvis-reader")
        self._lock = threading.Lock()
        self._idle: OrderedDict[DataFile, list[Database]] = OrderedDict()
        self._limit = idle
        self._count = 0

    async def run(self, file: DataFile, read: Callable[[Database], T]) -> T:
        """Return what a read returns, seen in one transaction."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, file, read)

    def forget(self, file: DataFile) -> None:
        """Close the idle connections of a file."""
        with self._lock:
            databases = self._idle.pop(file, [])
            self._count -= len(databases)
        for database in databases:
            database.close()

    async def close(self) -> None:
        """Wait for reads under way, then close all connections."""
        await asyncio.to_thread(self._pool.shutdown)
        for file in list(self._idle):
            self.forget(file)

    def _run(self, file: DataFile, read: Callable[[Database], T]) -> T:
        database = self._take(file)
        try:
            database.execute("BEGIN")
            try:
                answer = read(database)
            finally:
                if database.connection.in_transaction:
                    database.execute("ROLLBACK")
        except BaseException as error:
            if mars_connection(error):
                database.close()
            else:
                self._give_back(database)
            raise
        self._give_back(database)
        return answer

    def _take(self, file: DataFile) -> Database:
        with self._lock:
            databases = self._idle.get(file)
            if databases:
                self._count -= 1
                return databases.pop()
        return connect_reader(file)

    def _give_back(self, database: Database) -> None:
        surplus: list[Database] = []
        with self._lock:
            self._idle.setdefault(database.file, []).append(database)
            self._idle.move_to_end(database.file)
            self._count += 1
            while self._count > self._limit:
                oldest = next(iter(self._idle))
                if self._idle[oldest]:
                    surplus.append(self._idle[oldest].pop())
                    self._count -= 1
                else:
                    del self._idle[oldest]
        for other in surplus:
            other.close()
