"""People come and go while their document is rebuilt: nothing is lost, and nothing there twice."""

from __future__ import annotations

from random import Random

import pytest

from parvis.protocol import yjs as y
from tests.server.dialects.stock_people import YPerson
from tests.server.lives.pad import Pad, rebuild
from tests.server.rooms.lab import Draft, Lab, lab, read


class Device:
    """A page with y-websocket, which keeps its document while it is offline, until it reloads.

    Attributes:
        unsure: Words that may not be durable.
    """

    def __init__(self, it: Lab, name: str, random: Random) -> None:
        self._it = it
        self._random = random
        self.name = name
        self.unsure: set[str] = set()
        self._person: YPerson | None = None
        self.reload()

    def reload(self) -> None:
        self.leave()
        self._draft = Draft(self._random.randrange(1, 2**32))

    @property
    def here(self) -> bool:
        return self._person is not None

    def come(self) -> None:
        self._person = YPerson(self._it, self.name)
        self._read = 0
        self._person.say(y.encode_sync_step1(self._draft.doc.get_state()))

    def leave(self) -> None:
        if self._person is not None:
            self._person.session.disconnected()
            self._person = None

    def write(self, word: str) -> None:
        """Write a word somewhere."""
        self.unsure.add(word)
        update = self._draft.write(word)
        if self._person is not None:
            self._person.say(y.encode_update(update))

    def listen(self) -> bool:
        """Do what the server's messages ask for; True if there were any."""
        if self._person is None:
            return False
        fresh = self._person.heard[self._read :]
        self._read += len(fresh)
        for message in fresh:
            match message:
                case y.SyncStep1(state):
                    self._person.say(y.encode_sync_step2(self._draft.doc.get_update(state)))
                case y.SyncStep2(update) | y.YUpdate(update):
                    self._draft.take(update)
                case y.PermissionDenied():
                    self.reload()
                    return True
                case _:
                    pass
        return bool(fresh)


async def settle(it: Lab, devices: list[Device]) -> None:
    """Wait until nobody has anything to say any more."""
    while True:
        await it.until(lambda: not it.core.working and not (it.is_live and it.room.working))
        await it.turns(5)
        if not any([device.listen() for device in devices]) and not it.core.working:
            return


@pytest.mark.parametrize("seed", range(3))
async def test_every_word_is_in_the_document_once_or_was_put_aside(seed: int) -> None:
    random = Random(seed)
    async with lab(Pad()) as it:
        devices = [Device(it, f"u{number}", random) for number in range(4)]
        devices[0].come()
        durable: set[str] = set()
        count = 0
        for step in range(40):
            device = random.choice(devices)
            deed = random.random()
            if step % 13 == 12:
                await settle(it, devices)
                for each in devices:
                    if each.here:
                        durable |= each.unsure
                        each.unsure.clear()
                await rebuild(it, at_once=random.random() < 0.5)
            elif deed < 0.25:
                (device.leave if device.here else device.come)()
            else:
                count += 1
                device.write(f"<{count}>")
            if random.random() < 0.3:
                await settle(it, devices)
        for device in devices:
            if not device.here:
                device.come()
        await settle(it, devices)
        words = {f"<{number}>" for number in range(1, count + 1)}
        text = (await it.join("reader")).text
        assert all(text.count(word) <= 1 for word in words), text
        assert not [word for word in durable if word not in text]
        rows, address = it.core.lives.rows, it.address()
        aside = ""
        for rescue in await rows.rescues(address):
            found = await rows.rescued(address, rescue.id)
            assert found is not None
            aside += read(await rows.state(address, rescue.incarnation), found[1])
        assert not [word for word in words if word not in text and word not in aside]
