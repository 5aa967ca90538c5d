"""How deep things are nested, found out without recursion: depth is what overflows stacks."""

import re
from bisect import bisect_right
from typing import Final, TypeAlias

_STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]+|\\.)*"?|[{}\[\]]', re.DOTALL)


def json_depth(text: str, enough: int) -> int:
    """Return how deep objects and arrays are nested in JSON, 0 for a plain value.

    Up to ``enough`` the answer may be too high: the brackets are counted first, which is much
    quicker and settles nearly everything. Text that is not JSON gets an answer, too.
    """
    most = text.count("{") + text.count("[")
    if most <= enough:
        return most
    depth = deepest = 0
    for token in _STRING_OR_BRACKET.findall(text):
        if token == "{" or token == "[":
            depth += 1
            if depth > deepest:
                deepest = depth
        elif token == "}" or token == "]":
            depth -= 1
    return deepest


Target: TypeAlias = tuple[int, int, int]
"""A block (client, clock), and 1 if it is the parent or 0 if it only stands in the same parent."""


class Links:
    """Where the blocks of one client in an update stand, in the order of their clocks."""

    __slots__ = ("starts", "targets")

    def __init__(self) -> None:
        self.starts: list[int] = []
        """The first clock of each block."""
        self.targets: list[Target | None] = []
        """The block that tells where each stands; ``None`` for those in a root type."""


def deepest_block(blocks: dict[int, Links]) -> int:
    """Return in how many shared types the deepest block of an update stands, a root not counted.

    A block outside the update counts as standing in a root, and so do blocks that wait for each
    other in a circle, which no replica ever integrates.
    """
    depths = {client: [-1] * len(links.starts) for client, links in blocks.items()}
    deepest = 0
    for client, known in depths.items():
        for index in range(len(known)):
            if known[index] < 0:
                depth = _resolve(client, index, blocks, depths)
                if depth > deepest:
                    deepest = depth
    return deepest


_UNDER_WAY: Final = -2


def _resolve(
    client: int, index: int, blocks: dict[int, Links], depths: dict[int, list[int]]
) -> int:
    """Fill in the depth of a block and of all on the way to it; return the block's, the deepest."""
    way: list[tuple[int, int, int]] = []
    depth = 0
    while True:
        known = depths[client][index]
        if known != -1:
            depth = 0 if known == _UNDER_WAY else known
            break
        target = blocks[client].targets[index]
        if target is None:
            depths[client][index] = 0
            break
        depths[client][index] = _UNDER_WAY
        way.append((client, index, target[2]))
        client = target[0]
        if client not in blocks:
            break
        index = bisect_right(blocks[client].starts, target[1]) - 1
        if index < 0:
            break
    for client, index, step in reversed(way):
        depth += step
        depths[client][index] = depth
    return depth
