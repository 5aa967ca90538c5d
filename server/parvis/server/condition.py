"""How a running node is, for ``parvis doctor``: its health, and what is not durable yet."""

from typing import Any

from .core import Core
from .health import Health, readyz


def condition(core: Core, health: Health, deaths: int) -> dict[str, Any]:
    """Return it in JSON values.

    Args:
        deaths: Workers that died since the supervisor started.
    """
    _, answer = readyz(health)
    unsaved = [
        f"{room.tenant} {part.address}"
        for room in core.directory
        for part in room.parts.values()
        if part.unsaved
    ]
    return answer | {
        "sessions": len(core.sessions),
        "rooms": len(core.directory),
        "unlogged": sum(room.unlogged for room in core.directory),
        "unsaved": sorted(unsaved),
        "poison_unsaved": core.quarantine.unsaved,
        "deaths": deaths,
    }
