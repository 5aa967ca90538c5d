"""The part of msgpack that Parvis uses; the package ships no types."""

from collections.abc import Iterator

from . import exceptions as exceptions

def packb(o: object, *, use_bin_type: bool = True) -> bytes: ...
def unpackb(
    packed: bytes | bytearray | memoryview,
    *,
    use_list: bool = True,
    raw: bool = False,
    strict_map_key: bool = True,
) -> object: ...

class Packer:
    def __init__(self) -> None: ...
    def pack(self, obj: object) -> bytes: ...

class Unpacker:
    def __init__(
        self,
        *,
        raw: bool = False,
        strict_map_key: bool = True,
        max_buffer_size: int = ...,
        max_array_len: int = ...,
        max_map_len: int = ...,
    ) -> None: ...
    def feed(self, next_bytes: bytes) -> None: ...
    def read_array_header(self) -> int: ...
    def unpack(self) -> object: ...
    def tell(self) -> int: ...
    def __iter__(self) -> Iterator[object]: ...
