"""Core code sees time and chance only through its ports, so that it can run under virtual time."""

import ast
from collections.abc import Iterator

import pytest

from tests import checkout

EDGES = (
    "parvis.server.api",  # HTTP, which the web framework drives
    "parvis.server.clock",  # the ports' real side
    "parvis.server.commands",  # short-lived programs
    "parvis.server.supervisor",  # a process of its own, without a loop
    "parvis.server.testing",  # waits for real helper processes
)

CORE = {
    name: path
    for name, path in checkout.modules().items()
    if name.startswith(("parvis.server", "parvis.plugins", "parvis.protocol"))
    and not name.startswith(EDGES)
}


def own_time_or_chance(tree: ast.AST) -> Iterator[str]:
    """Name what takes time or chance from the process instead of from a port."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                yield from (a.name for a in aliases if a.name in ("time", "random", "secrets"))
                yield from (a.name for a in aliases if a.name == "uuid")
            case ast.ImportFrom(module="time" | "random" | "secrets" | "uuid" as module):
                yield module
            case ast.Call(func=ast.Attribute(value=ast.Name(id="asyncio"), attr="timeout"), args=a):
                # Without an end of its own: a `Clock` sets it.
                if [ast.unparse(each) for each in a] != ["None"]:
                    yield "asyncio.timeout"
            case ast.Attribute(value=ast.Name(id="asyncio"), attr="sleep" | "wait_for" as name):
                yield f"asyncio.{name}"
            case ast.Attribute(
                value=ast.Call(func=ast.Attribute(attr="get_running_loop")),
                attr="call_later" | "call_at" | "time" as name,
            ):
                yield f"loop.{name}"
            case _:
                pass


@pytest.mark.parametrize("module", sorted(CORE))
def test_core_code_takes_time_and_chance_from_ports(module: str) -> None:
    assert list(own_time_or_chance(ast.parse(CORE[module].read_text()))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import time",
        "from random import random",
        "import uuid",
        "await asyncio.sleep(1)",
        "await asyncio.wait_for(work, 1)",
        "asyncio.timeout(60)",
        "asyncio.get_running_loop().call_later(1, f)",
    ],
)
def test_a_look_past_the_ports_is_noticed(code: str) -> None:
    source = f"async def f():\n    {code}"
    assert len(list(own_time_or_chance(ast.parse(source)))) == 1
