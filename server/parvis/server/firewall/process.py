"""One helper process, as the worker sees it."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgpack

from parvis.server.firewall.children import how_it_ended
from parvis.server.firewall.helper import LENGTH, STEP
from parvis.server.ports import (
    Clock,
    HelperDied,
    HelperFailed,
    HelperMissing,
    HelperPanicked,
    HelperTimeout,
)

START_TIMEOUT: Final = 30.0
NOT_BEGUN: Final = -1
LAST_WORDS: Final = 600
"""Bytes of a helper's standard error that are kept, to say what it died of."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What one helper may take. Sizes are bytes.

    Attributes:
        nice: By how much it gives way to this process where the processor is short.
    """

    address_space: int = 2 * 1024**3
    largest_result: int = 256 * 1024**2
    nice: int = 0


class HelperProcess:
    """A helper that does one task at a time.

    Attributes:
        usable: Whether it can be given another task.
    """

    def __init__(self, process: asyncio.subprocess.Process, progress: int, clock: Clock) -> None:
        self.usable = True
        self._process = process
        self._progress = progress
        self._clock = clock
        self._late = False
        self._last_words = b""
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, clock: Clock, confinement: Confinement) -> "HelperProcess":
        """Start a helper and wait until it can work.

        Raises:
            HelperMissing: If it cannot be started.
        """
        progress = _shared_file()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "parvis.server.firewall.helper",
                *map(
                    str,
                    (
                        os.getpid(),
                        progress,
                        confinement.address_space,
                        confinement.largest_result,
                        confinement.nice,
                    ),
                ),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=(progress,),
                env=_environment(),
                limit=1024 * 1024,
            )
        except OSError as error:
            os.close(progress)
            raise HelperMissing(f"no helper could be started: {error}") from None
        except BaseException:
            os.close(progress)
            raise
        helper = cls(process, progress, clock)
        timer = clock.call_later(START_TIMEOUT, helper.kill)
        try:
            await helper._receive()
        except BaseException as error:
            reason = await helper.end()
            helper.release()
            if isinstance(error, asyncio.IncompleteReadError):
                raise HelperMissing(f"a helper ended at its start: {reason}") from None
            raise
        finally:
            timer.cancel()
        return helper

    @property
    def alive(self) -> bool:
        """Whether it runs, as far as is known yet."""
        return self._process.returncode is None

    async def call(self, task: str, arguments: Sequence[Any], within: float) -> Any:
        """Do a task. Only after a result or an ordinary exception is the helper still usable.

        Args:
            task: A key of `tasks.TASKS`.
            arguments: What it takes after its step.
            within: Seconds after which the helper is killed.

        Raises:
            HelperDied, HelperTimeout, HelperFailed, HelperPanicked: As `ports.Helpers.run`.
            HelperMissing: If it was dead before it began.
        """
        self.usable = False
        stdin = self._process.stdin
        assert stdin is not None
        os.pwrite(self._progress, STEP.pack(NOT_BEGUN), 0)
        timer = self._clock.call_later(within, self._expire)
        try:
            question = msgpack.packb([task, list(arguments)])
            stdin.write(LENGTH.pack(len(question)) + question)
            del question
            answer = await self._receive()
        except (asyncio.IncompleteReadError, ConnectionError):
            reason = await self.end()
            step = self._step
            if self._late:
                raise HelperTimeout(f"{task}: took longer than {within:g} s", step=step) from None
            if step == NOT_BEGUN:
                raise HelperMissing(f"{task}: a helper was lost before it began") from None
            raise HelperDied(f"{task}: {reason}", step=step) from None
        finally:
            timer.cancel()
        match answer:
            case ["done", result]:
                self.usable = True
                return result
            case ["failed", str(kind), str(text), bool(panicked)]:
                message = f"{task}: {kind}: {text}"
                if panicked:
                    raise HelperPanicked(message, step=self._step, kind=kind)
                # What ran out of memory may be left in any state.
                self.usable = kind != MemoryError.__name__
                raise HelperFailed(message, step=self._step, kind=kind)
            case _:
                raise HelperDied(f"{task}: an answer that is none", step=self._step)

    def kill(self) -> None:
        """End it, whatever it is doing."""
        self.usable = False
        if self._process.returncode is None:
            # Not `Process.kill`, which in asyncio may reap the child behind its watcher's back:
            # then nobody knows what it died of.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def end(self) -> str:
        """Kill it, wait until it is gone, and say what it died of."""
        self.kill()
        code = await self._process.wait()
        await self._listening
        if self._process.stdin is not None:
            self._process.stdin.close()
        words = self._last_words.decode(errors="replace").strip()
        return how_it_ended(code) + (f": {words}" if words else "")

    def release(self) -> None:
        """Let go of the file for steps; to be called once, after `end`."""
        os.close(self._progress)

    @property
    def _step(self) -> int:
        step: int = STEP.unpack(os.pread(self._progress, STEP.size, 0))[0]
        return step

    def _expire(self) -> None:
        self._late = True
        self.kill()

    async def _receive(self) -> Any:
        stdout = self._process.stdout
        assert stdout is not None
        (length,) = LENGTH.unpack(await stdout.readexactly(LENGTH.size))
        return msgpack.unpackb(await stdout.readexactly(length), strict_map_key=False)

    async def _listen(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None
        while words := await stderr.read(4096):
            self._last_words = (self._last_words + words)[-LAST_WORDS:]


def _shared_file() -> int:
    if sys.platform == "linux":
        file = os.memfd_create("parvis-step")
    else:
        with tempfile.TemporaryFile() as temporary:
            file = os.dup(temporary.fileno())
    os.pwrite(file, STEP.pack(NOT_BEGUN), 0)
    return file


def _environment() -> dict[str, str]:
    """Return the environment without our settings, which hold secrets."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("PARVIS_")}
    return {**mine, "RUST_BACKTRACE": "0"}
