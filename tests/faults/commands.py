"""Runs the program's commands against a node that serves."""

import asyncio
import sys

from tests.running import Server


async def run(server: Server, *arguments: str, stdin: str = "") -> str:
    """What ``parvis <arguments>`` prints; it must succeed."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "parvis.server",
        *arguments,
        "--data",
        str(server.data),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate(stdin.encode())
    assert child.returncode == 0, f"parvis {arguments}: {out.decode()}{err.decode()}"
    return out.decode()
