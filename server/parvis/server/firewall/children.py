"""Child processes: that they end with their parent, and what they died of."""

import ctypes
import os
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1


def die_with(parent: int) -> None:
    """End this process now or at the moment when its parent is gone.

    Linux sends the signal; elsewhere the caller must watch for the end of a pipe. The kernel looks
    at the *thread* that started this process, so start children from the main thread.

    Args:
        parent: The process id that the parent told; it may be dead already.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    # The parent may have died before the call above, which then waits for somebody else's end.
    if os.getppid() != parent:
        os._exit(1)


def how_it_ended(code: int) -> str:
    """Say what a process died of, from its return code as `subprocess` has it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
