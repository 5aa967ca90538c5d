"""A pool of writer threads; every change to a file happens in that file's one writer."""

import asyncio
import logging
import sqlite3
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from parvis.storage.errors import StorageError
from parvis.storage.sqlite.commit import ConnectionMarred, Work, commit_together
from parvis.storage.sqlite.faults import translated
from parvis.storage.sqlite.files import (
    BUSY_SECONDS,
    CHECKPOINT_PAGES,
    PAGE,
    Database,
    DataFile,
    connect_writer,
)

logger = logging.getLogger(__name__)

GROUP = 1000
"""The most works that a writer takes from its queue at once."""

WAL_LIMIT = 4 * CHECKPOINT_PAGES * PAGE
"""Bytes of a write-ahead log at which the writer insists on emptying it: 64 MiB."""


@dataclass(frozen=True, slots=True)
class _Item:
    file: DataFile
    work: Work
    create: bool
    future: asyncio.Future[Any]


class Writers:
    """Hands work to the writer of its file."""

    def __init__(
        self,
        *,
        threads: int,
        open_files: int,
        prepare: Callable[[Database], None],
        forget: Callable[[DataFile], None],
    ) -> None:
        """Start the threads.

        Args:
            threads: Files are spread over them by name; each syncs on its own.
            open_files: Files that all writers together keep open. A writer may always have its
                fair share, so that it may be up to twice as many while others keep old ones.
            prepare: Called in the writer for each file it has opened, before any work.
            forget: Called in the writer when it lets go of a file.
        """
        self._writers: list[_Writer] = []
        share = max(1, open_files // threads)

        def surplus(open_here: int) -> bool:
            # Read without a lock: what counts is that it is about right.
            everywhere = sum(len(writer.open) for writer in self._writers)
            return open_here > share and everywhere > open_files

        for number in range(threads):
            self._writers.append(_Writer(f"parvis-writer-{number}", surplus, prepare, forget))

    async def run(self, file: DataFile, work: Work, *, create: bool = True) -> Any:
        """Return a work's answer when it is durable; raise what it raised.

        A caller that is cancelled does not take its work back.

        Raises:
            FileNotFoundError: If the file is missing and not to be created.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        index = zlib.crc32(file.name.encode()) % len(self._writers)
        self._writers[index].queue.put(_Item(file, work, create, future))
        return await future

    async def close(self) -> None:
        """Finish what was handed in, then close all files."""
        loop = asyncio.get_running_loop()
        ended: list[asyncio.Future[Any]] = []
        for writer in self._writers:
            future: asyncio.Future[Any] = loop.create_future()
            writer.queue.put(future)
            ended.append(future)
        await asyncio.gather(*ended)
        for writer in self._writers:
            writer.join()


class _Writer(threading.Thread):
    """One thread with its queue and the files it has open, least recently used first."""

    def __init__(
        self,
        name: str,
        surplus: Callable[[int], bool],
        prepare: Callable[[Database], None],
        forget: Callable[[DataFile], None],
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.queue: SimpleQueue[_Item | asyncio.Future[Any]] = SimpleQueue()
        self._surplus = surplus
        self._prepare = prepare
        self._forget = forget
        self.open: OrderedDict[DataFile, Database] = OrderedDict()
        self._wal_limits: dict[DataFile, int] = {}
        self.start()

    def run(self) -> None:
        ended: asyncio.Future[Any] | None = None
        while ended is None:
            groups: dict[DataFile, list[_Item]] = {}
            taken = self.queue.get()
            count = 0
            while True:
                if not isinstance(taken, _Item):
                    ended = taken
                    break
                groups.setdefault(taken.file, []).append(taken)
                count += 1
                if count == GROUP:
                    break
                try:
                    taken = self.queue.get_nowait()
                except Empty:
                    break
            for file, items in groups.items():
                try:
                    self._commit(file, items)
                except Exception:  # its callers have their answers; the thread must go on
                    logger.exception("%s: not looked after", file.name)
        for file in list(self.open):
            self._close(file)
        _answer([(ended, None)])

    def _commit(self, file: DataFile, items: list[_Item]) -> None:
        try:
            database = self._database(file, any(item.create for item in items))
            answers = commit_together(database, [item.work for item in items])
        except FileNotFoundError as error:
            answers = [error] * len(items)
        except ConnectionMarred as marred:
            self._close(file)
            answers = [marred.fault] * len(items)
        except (StorageError, sqlite3.Error, OSError, MemoryError) as error:
            self._close(file)
            answers = [translated(error, file.name)] * len(items)
        except BaseException as error:
            # Whatever it was, the thread goes on: every other file's writer is at stake.
            logger.exception("%s: group of %d not committed", file.name, len(items))
            self._close(file)
            answers = [translated(error, file.name)] * len(items)
        _answer([(item.future, answer) for item, answer in zip(items, answers, strict=True)])
        self._bound_wal(file)
        while self._surplus(len(self.open)):
            oldest = next(iter(self.open))
            self._forget(oldest)
            self._close(oldest)

    def _database(self, file: DataFile, create: bool) -> Database:
        database = self.open.get(file)
        if database is None:
            database = connect_writer(file, create=create)
            try:
                self._prepare(database)
            except BaseException:
                database.close()
                raise
            self.open[file] = database
        self.open.move_to_end(file)
        return database

    def _close(self, file: DataFile) -> None:
        """Close a file for writing; idle readers, if not forgotten, can go on reading it."""
        database = self.open.pop(file, None)
        self._wal_limits.pop(file, None)
        if database is not None:
            try:
                database.close()
            except Exception:
                logger.exception("%s: not closed cleanly", file.name)

    def _bound_wal(self, file: DataFile) -> None:
        """Empty the write-ahead log if readers have kept the usual checkpoints from doing so."""
        database = self.open.get(file)
        if database is None:
            return
        limit = self._wal_limits.get(file, WAL_LIMIT)
        try:
            size = file.path.with_name(file.name + "-wal").stat().st_size
        except FileNotFoundError:
            return
        if size <= limit:
            return
        try:
            database.execute("PRAGMA busy_timeout = 500")
            busy = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            database.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
        except sqlite3.Error:
            logger.warning("%s: write-ahead log not emptied", file.name, exc_info=True)
            busy = 1
        # A long read stands in the way: do not stop for it again until the log has grown as much.
        self._wal_limits[file] = size + WAL_LIMIT if busy else WAL_LIMIT


def _answer(answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
    """Settle futures in their loop, with one wake-up for all of them."""
    try:
        answers[0][0].get_loop().call_soon_threadsafe(_settle, answers)
    except RuntimeError:
        logger.debug("%d answers came after their loop had ended", len(answers))


def _settle(answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, answer in answers:
        if future.done():
            continue
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(answer)
