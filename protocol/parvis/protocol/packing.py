"""MessagePack, packed without a fresh buffer each time.

`msgpack.packb` allocates 256 KiB for each call, which for a frame of 40 bytes is most of the work.
"""

import msgpack

LARGE = 1024 * 1024

_packer = msgpack.Packer()


def pack(value: object) -> bytes:
    """Return a value as MessagePack; from one thread of a process only."""
    global _packer
    packed = _packer.pack(value)
    if len(packed) > LARGE:
        _packer = msgpack.Packer()  # its buffer has grown and would stay
    return packed
