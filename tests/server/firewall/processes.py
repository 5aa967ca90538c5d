"""Which helpers a process has started, and when one of them is gone."""

import os
import select
from pathlib import Path

PATIENCE = 10.0
"""Seconds after which a process that should end is called immortal."""


def helpers_of(pid: int) -> set[int]:
    """Process ids of a process's helpers, whichever thread started them; no other children."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        children = map(int, (task / "children").read_text().split())
        found.update(child for child in children if is_helper(child))
    return found


def is_helper(pid: int) -> bool:
    try:
        return b"parvis.server.firewall.helper" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


def environment_of(pid: int) -> bytes:
    """The environment a process was started with."""
    return Path(f"/proc/{pid}/environ").read_bytes()


def wait_for_end(pid: int) -> bool:
    """Return when a process has ended; False if it lives on."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], PATIENCE)[0])
    finally:
        os.close(handle)
