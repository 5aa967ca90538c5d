"""What a client sends before it can be looked at: kept in order, and in bounds."""

from __future__ import annotations

from typing import Generic, TypeVar

from ..limits import FRAME_COST, Limits

Frame = TypeVar("Frame")


class Early(Generic[Frame]):
    """The frames of one session that came too early, by the address of the document they are for.

    Clients do not wait for the answer to their hello or token. Each frame counts its bytes and
    `FRAME_COST`; together they may come to `Limits.unproven_early` until the session has shown for
    whom it speaks, and to `Limits.early_bytes` after that.

    Args:
        limits: The session's.
        frames: How many may come for one address; None: as many as their bytes allow.
    """

    def __init__(self, limits: Limits, frames: int | None = None) -> None:
        self._limits = limits
        self._frames = frames
        self._kept: dict[str, list[Frame]] = {}
        self._cost: dict[str, int] = {}

    def __contains__(self, address: str) -> bool:
        return address in self._kept

    def __len__(self) -> int:
        """How many addresses are expected to open."""
        return len(self._kept)

    def expect(self, address: str) -> None:
        """Be ready for frames to an address, if there were none yet."""
        self._kept.setdefault(address, [])
        self._cost.setdefault(address, 0)

    def keep(self, frame: Frame, size: int, *, proven: bool, address: str = "") -> bool:
        """Keep a frame of `size` bytes. False: this is more than may come so early."""
        self.expect(address)
        self._kept[address].append(frame)
        self._cost[address] += size + FRAME_COST
        most = self._limits.early_bytes if proven else self._limits.unproven_early
        few = self._frames is None or len(self._kept[address]) <= self._frames
        return few and sum(self._cost.values()) <= most

    def release(self, address: str = "") -> list[Frame] | None:
        """Return what was kept for an address, and forget it; None if it was not expected."""
        self._cost.pop(address, None)
        return self._kept.pop(address, None)
