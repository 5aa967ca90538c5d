"""Functions of room types, called in helper processes of their own."""

import importlib
from collections.abc import Sequence
from typing import Any

from parvis.server.firewall.contents import Step


def call(step: Step, task: str, args: Sequence[Any]) -> dict[str, Any]:
    """Call ``package.module:function``, which whoever asks has found to be a room type's.

    Returns:
        ``result``, or ``refused``: code and reason of the `Refused` that it raised.
    """
    from parvis.plugins import Refused  # here: the firewall's own helpers do without it

    module, _, function = task.partition(":")
    try:
        return {"result": getattr(importlib.import_module(module), function)(*args)}
    except Refused as refusal:
        return {"refused": [int(refusal.code), refusal.reason]}
