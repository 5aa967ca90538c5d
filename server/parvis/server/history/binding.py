"""Whose Yjs client ids are, where a row of the log alone does not say it.

A row that is the first to bring one client is taken for its sender's own (`authorship`). That is
wrong for the answer to a SyncStep1 in which somebody hands on the work of one person who never got
through, and misses one's own work where it comes together with others'. Here the session helps: it
says by its awareness under which client id it writes.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..rooms.seat import Submission


def bindings(submission: Submission) -> Mapping[int, str]:
    """Return clients that an update is the first to bring, with the id of their user if it is the
    sender, and an empty one if they are somebody else's; nothing where the log says the same."""
    scanned, seat = submission.scan, submission.seat
    if scanned is None or seat is None:
        return {}
    if len(scanned.structs) < 2 and not submission.complete:
        return {}
    new = {client for client, ranges in scanned.structs.items() if ranges[0][0] == 0}
    own = new & seat.clients
    if len(new) > 1:
        return dict.fromkeys(own, seat.caller.user)
    if submission.complete and seat.clients and not own:
        return dict.fromkeys(new, "")
    return {}
