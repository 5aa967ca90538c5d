"""What a part of a room holds, for those who have its store and no live room."""

from __future__ import annotations

from parvis.storage.api import Address, Store


async def content(store: Store, address: Address) -> list[bytes]:
    """Return updates that together are worth what a part holds durably; none if there is none.

    They are the snapshot's state, where there is one, and the rows after it. Rows that were emptied
    because they broke a replica are left out, and so are those of earlier lives: they say the same
    in the names of other clients, and would double the document.

    Raises:
        StorageError: If the store cannot be read.
    """
    snapshot = await store.snapshot(address)
    info = await store.room(address.tenant, address.room)
    head = None if info is None else info.parts.get(address.part)
    if head is None:
        return []
    updates = [] if snapshot is None else [snapshot.state]
    after = head.since if snapshot is None else snapshot.offset
    while page := await store.read(address, after=after):
        updates += [row.update for row in page if row.update]
        after = page[-1].offset
    return updates
