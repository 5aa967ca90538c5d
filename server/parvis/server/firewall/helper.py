"""The program of a helper process: reads tasks from its standard input, answers on its output.

A message is its length, four bytes in network order, and MessagePack:

* in: ``[task, [argument, …]]``
* out: ``["ready"]`` once; then for each task ``["done", result]`` or
  ``["failed", class, text, panicked]``

How far a task has come stands as eight bytes in a file that the parent reads after a death; -1,
which the parent writes there, means that the task was not even begun.
"""

import gc
import mmap
import os
import resource
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final, cast

import msgpack

from parvis.server.firewall.children import die_with

LENGTH: Final = struct.Struct("!I")
STEP: Final = struct.Struct("=q")
STACK: Final = 8 * 1024 * 1024
"""As in a worker's main thread, so that what would overflow there overflows here."""


def main(argv: list[str]) -> int:
    """Work until the input ends.

    Args:
        argv: The parent's process id, the file for steps, bytes of address space, the largest
            result in bytes, and by how much to give way.
    """
    parent, progress, address_space, largest, nice = map(int, argv)
    die_with(parent)
    os.nice(nice)
    _confine(address_space)
    # Whatever native code prints must not end up between the answers.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    steps = mmap.mmap(progress, STEP.size)
    # Imported under the limits, and after the moment in which a dead parent is noticed.
    from parvis.server.firewall.tasks import TASKS

    gc.freeze()
    _send(answers, msgpack.packb(["ready"]))
    questions = sys.stdin.buffer
    while question := _receive(questions):
        answer = _answer(TASKS, question, lambda n: STEP.pack_into(steps, 0, n), largest)
        del question
        _send(answers, answer)
        del answer
    return 0


def _confine(address_space: int) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, address_space),
        (resource.RLIMIT_STACK, STACK),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(kind, (most, hard))
    try:
        # Should the machine run out of memory, a helper goes first.
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("800")
    except OSError:
        pass


def _answer(
    tasks: Mapping[str, Callable[..., Any]],
    question: bytes,
    step: Callable[[int], None],
    largest: int,
) -> bytes:
    try:
        task, arguments = _unpack(question)
        step(0)
        answer = msgpack.packb(["done", tasks[task](step, *arguments)])
        if len(answer) > largest:
            raise OverflowError(f"a result of at most {largest} bytes, not {len(answer)}")
        return answer
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        # A panic in Rust is a BaseException, and of no class that could be imported.
        kind = type(error)
        text = str(error)[:2000].encode(errors="replace").decode()
        return msgpack.packb(["failed", kind.__name__, text, kind.__module__ == "pyo3_runtime"])


def _unpack(question: bytes) -> tuple[str, list[Any]]:
    # From our own parent, in the shape that `process.call` sends.
    return cast("tuple[str, list[Any]]", msgpack.unpackb(question, strict_map_key=False))


def _receive(stream: BinaryIO) -> bytes:
    header = stream.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return b""
    return stream.read(LENGTH.unpack(header)[0])


def _send(stream: BinaryIO, message: bytes) -> None:
    left = memoryview(LENGTH.pack(len(message)) + message)
    while left:
        left = left[stream.write(left) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
