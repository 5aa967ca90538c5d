"""Roles: what owners, editors, commenters and viewers may do, in one table.

A role has a *rank*, which is what the tables keep: of all roles that somebody has in a document,
by membership, through a space or a link, the highest counts.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from parvis.plugins import COMMENTER, EDITOR, NOTHING, OWNER, VIEWER, Access, ErrorCode, Refused

VIEW, COMMENT, EDIT, OWN = 1, 2, 3, 4

RANKS: Final[Mapping[str, int]] = MappingProxyType(
    {"viewer": VIEW, "commenter": COMMENT, "editor": EDIT, "owner": OWN}
)
ROLES: Final[Mapping[int, str]] = MappingProxyType({rank: role for role, rank in RANKS.items()})

ACCESS: Final[Mapping[int, Access]] = MappingProxyType(
    {0: NOTHING, VIEW: VIEWER, COMMENT: COMMENTER, EDIT: EDITOR, OWN: OWNER}
)

SHARE: Final = Access.of(["share"])


def rank_of(role: str) -> int:
    """Return the rank of a role that can be given. Raises `Refused` for others."""
    rank = RANKS.get(role, OWN)
    if rank == OWN:
        reason = f"expected viewer, commenter or editor as role, got {role[:40]!r}"
        raise Refused(ErrorCode.MALFORMED, reason)
    return rank


def access_of(rank: int, *, editors_share: bool, in_bin: bool) -> Access:
    """Return what a rank allows in a document. In the bin its owner may look, others nothing."""
    if in_bin:
        return VIEWER if rank == OWN else NOTHING
    if rank == EDIT and editors_share:
        return EDITOR | SHARE
    return ACCESS[rank]
