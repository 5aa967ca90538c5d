"""Who runs here: which process holds the data folder, what waits in it; else the port."""

import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from ..api.faults import Fault
from ..operator_socket import ask
from .examination import Examination
from .finding import Finding, fail, ok, warn


async def look(case: Examination) -> AsyncIterator[Finding]:
    """Look at the node that serves, or at what the next one needs."""
    if not case.holder:
        yield ok("held by", "nobody")
        yield _port(case)
        return
    try:
        state = await ask(case.settings.data, "node_state", {})
    except (OSError, aiohttp.ClientError, TimeoutError) as error:
        yield fail("held by", f"{case.holder}; no answer: {error}", "It may be starting.")
        return
    except Fault as fault:
        # Another command may hold the folder, or a node of an earlier version.
        yield warn("held by", f"{case.holder}; it answers: {fault.message}")
        return
    yield ok("held by", f"{case.holder}; it answers")
    for finding in node(state):
        yield finding


def node(state: Any) -> list[Finding]:
    """Judge what a node says of itself, as `parvis.server.condition` has it."""
    found: list[Finding] = []
    bad = {name: each for name, each in state["checks"].items() if not each["ok"]}
    status = str(state["status"])
    if bad or status == "failing":
        told = "; ".join(f"{name}: {each.get('detail', 'fails')}" for name, each in bad.items())
        hint = "Its log says more; /readyz says the same."
        found.append(fail("node", f"{status}: {told}", hint, **state))
    else:
        sessions, rooms = state["sessions"], state["rooms"]
        found.append(ok("node", f"{status}: {sessions} sessions, {rooms} rooms", **state))
    unlogged, unsaved = state["unlogged"], state["unsaved"]
    if unsaved:
        shown = ", ".join(unsaved[:5]) + (" …" if len(unsaved) > 5 else "")
        detail = f"{unlogged} updates wait for a store that does not take them: {shown}"
        hint = "Keep the node running, mend the store: they are written then. A stop loses them."
        found.append(fail("unsaved", detail, hint))
    elif state["poison_unsaved"]:
        detail = f"{state['poison_unsaved']} updates of the quarantine are not in the store yet"
        found.append(warn("unsaved", detail, "Mend the store."))
    else:
        found.append(ok("unsaved", f"nothing; {unlogged} updates are on their way"))
    if state["deaths"]:
        detail = f"{state['deaths']} since the start of the supervisor"
        hint = "The log says over which room; parvis quarantine list shows what was set aside."
        found.append(warn("deaths of workers", detail, hint))
    return found


def _port(case: Examination) -> Finding:
    host, port = case.settings.server.host, case.settings.server.port
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with contextlib.closing(socket.socket(family, kind, protocol)) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except OSError as error:
        hint = "Take another one with --port; 0 takes a free one."
        return fail("port", f"{host}:{port}: {error.strerror}", hint)
    return ok("port", f"{host}:{port} is free")
