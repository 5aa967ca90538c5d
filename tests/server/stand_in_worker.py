"""A real worker with a tiny node in it: it answers one line for each connection.

How it behaves at its start is told by its first argument; see `STARTS`.
"""

import asyncio
import json
import os
import signal
import sys

from parvis.server.worker import StartRefused, WorkerContext, work
from parvis.storage import Address

OPEN_FILES = """if True:
    import json, os
    files = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            files.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        except FileNotFoundError:  # that of the listing itself
            pass
    print(json.dumps(files))
"""


async def answer(context: WorkerContext, line: str) -> str:
    command, _, argument = line.partition(" ")
    match command:
        case "pid":
            return str(os.getpid())
        case "restarts":
            return str(context.restarts)
        case "suspects":
            return json.dumps(
                [
                    [each.kind, str(each.address), [update.hex() for update in each.updates]]
                    for each in context.suspects
                ]
            )
        case "settle":
            context.report_settled(bytes.fromhex(argument))
        case "child":
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-c", OPEN_FILES, stdout=asyncio.subprocess.PIPE
            )
            return (await child.communicate())[0].decode()
        case "note":
            note = [(bytes.fromhex(argument), "a session")]
            context.watch.enter("apply", Address("local", "plain/a"), note)
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "stuck":
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
            signal.pause()
        case _:
            raise ValueError(line)
    return "done"


async def run(context: WorkerContext) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode().strip()
        writer.write((await answer(context, line)).encode())
        writer.close()

    server = await asyncio.start_server(serve, sock=context.sockets[0])
    print("this is not for standard output")
    context.report_ready("http://link" if not context.restarts else None)
    await context.stopping.wait()
    server.close()


async def run_and_wait_for_hurry(context: WorkerContext) -> None:
    context.report_ready(None)
    await context.stopping.wait()
    for each in context.sockets:
        each.close()
    await context.hurry.wait()


async def run_and_die(context: WorkerContext) -> None:
    raise OSError("it does not work")


async def run_and_refuse(context: WorkerContext) -> None:
    raise StartRefused("the schema is from next year")


STARTS = {
    "serve": run,
    "wait": run_and_wait_for_hurry,
    "die": run_and_die,
    "refuse": run_and_refuse,
}

if __name__ == "__main__":
    sys.exit(work(sys.argv[2:], STARTS[sys.argv[1]]))
