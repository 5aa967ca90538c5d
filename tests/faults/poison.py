"""Updates that kill or break yrs, and ways to damage good ones."""

import random
from collections.abc import Iterator
from typing import Any, Final

from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from parvis.protocol.lib0 import var_uint

NESTED_ARRAYS: Final = bytes.fromhex("010101000801016d01") + b"\x75\x01" * 40_000 + b"\x7e\x00"
"""One value of arrays 40,000 deep: overflows yrs' stack (80,011 bytes)."""


def nested_maps(count: int, start: int = 0) -> bytes:
    """Maps inside each other, each a block of client 1, from clock `start` on."""
    blocks = bytearray()
    for at in range(start, start + count):
        if at == 0:
            blocks += bytes.fromhex("2701016d016b01")
        else:
            blocks += b"\x27\x00\x01" + var_uint(at - 1) + bytes.fromhex("016b01")
    return b"\x01" + var_uint(count) + b"\x01" + var_uint(start) + bytes(blocks) + b"\x00"


DELETE_OF_ROOT: Final = bytes.fromhex("000101010001")
"""Deletes the outermost of `nested_maps`: overflows yrs' stack if 50,000 are there."""

PANIC: Final = bytes.fromhex(
    "0116f0a204000401017402686581f0a20401ffffffff0f037f040401208404050677c3b6726c64040504060362634604"
    "0001620474727565c60405040b0162046e756c6c016b022701016d016e01047e270101036172720008000414047c3f80"
    "00007c0000770178740362696e01010161010002880419017c4040000048041901780178030169640177013107000"
    "41e060400042001688404210265790421042202594f01030210021903"
)


def kinds_of_updates() -> list[bytes]:
    """Real updates with content of every kind."""
    doc: Doc[Any] = Doc(client_id=0x1234567)
    updates: list[bytes] = []
    subscription = doc.observe(lambda event: updates.append(event.update))
    text: Text = doc.get("text", type=Text)
    text += "héllo wörld 🙂"
    text.format(1, 5, {"bold": True})
    text.insert_embed(3, {"image": "a.png"})
    del text[2:4]
    values: Map[Any] = doc.get("map", type=Map)
    values["plain"] = {"a": [1, 2.5, None, True, "x", {"deep": [b"bytes"]}]}
    values["inner"] = Map({"k": Array([1, 2, Text("inside")])})
    values["plain"] = "again"
    array: Array[Any] = doc.get("array", type=Array)
    array += [1, -1, 2**40, 1.5, "s", b"b", None, False]
    xml: XmlFragment = doc.get("xml", type=XmlFragment)
    paragraph = xml.children.append(XmlElement("p", {"class": "x"}))
    paragraph.children.append(XmlText("text"))
    doc.unobserve(subscription)
    return [*updates, doc.get_update()]


def mutations(seed: int, count: int) -> Iterator[bytes]:
    """Real updates, each damaged somewhere."""
    chance = random.Random(seed)
    originals = kinds_of_updates()
    for _ in range(count):
        damaged = bytearray(chance.choice(originals))
        for _ in range(chance.randrange(1, 5)):
            at = chance.randrange(len(damaged))
            kind = chance.randrange(5)
            if kind == 0:
                damaged[at] ^= 1 << chance.randrange(8)
            elif kind == 1:
                damaged[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
            elif kind == 2:
                del damaged[at : at + chance.randrange(1, 4)]
            elif kind == 3:
                damaged[at:at] = chance.randbytes(chance.randrange(1, 4))
            else:
                del damaged[at + 1 :]
            if not damaged:
                damaged = bytearray(b"\x00")
        yield bytes(damaged)
