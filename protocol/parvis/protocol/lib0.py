"""lib0 encodings: the numbers, byte strings and texts that Yjs messages are made of.

Two things make this reader different from a port of lib0: nothing is read past the end, and a
number is at most 2^53 - 1, in at most 8 bytes, because JavaScript cannot hold more. Whatever is
wrong with the bytes, the reader raises ``Malformed`` and nothing else (SPEC.md section 10).
"""

from parvis.protocol.errors import Malformed

MAX_UINT = 2**53 - 1
"""The largest number that JavaScript holds exactly."""

_ONE_BYTE = tuple(bytes((value,)) for value in range(128))
_LAST_SHIFT = 49  # of the eighth byte of a varUint, which is the last one allowed


class Reader:
    """Reads lib0 values one after another; ``pos`` is the next byte to be read.

    After ``Malformed`` the position is undefined and the reader is of no further use.
    """

    __slots__ = ("data", "end", "pos")

    def __init__(self, data: bytes, pos: int = 0) -> None:
        self.data = data
        self.pos = pos
        self.end = len(data)

    @property
    def at_end(self) -> bool:
        """Whether every byte has been read."""
        return self.pos >= self.end

    def byte(self) -> int:
        """Read one byte, 0 to 255."""
        pos = self.pos
        if pos >= self.end:
            raise Malformed("a byte", pos)
        self.pos = pos + 1
        return self.data[pos]

    def var_uint(self) -> int:
        """Read an unsigned number, 0 to 2^53 - 1."""
        start = pos = self.pos
        data = self.data
        try:
            value = data[pos]
            pos += 1
            if value >= 0x80:
                value &= 0x7F
                shift = 7
                while True:
                    byte = data[pos]
                    pos += 1
                    if byte < 0x80:
                        value |= byte << shift
                        break
                    value |= (byte & 0x7F) << shift
                    if shift == _LAST_SHIFT:
                        raise Malformed("a varUint of at most 8 bytes", start)
                    shift += 7
                if value > MAX_UINT:
                    raise Malformed("a varUint below 2^53", start)
        except IndexError:
            raise Malformed("a varUint", start) from None
        self.pos = pos
        return value

    def var_int(self) -> int:
        """Read a signed number of at most 53 bits; its sign is bit 6 of the first byte.

        JavaScript's negative zero (``40``) is read as 0.
        """
        start = pos = self.pos
        data = self.data
        try:
            first = byte = data[pos]
            pos += 1
            value = first & 0x3F
            shift = 6
            while byte >= 0x80:
                if shift > _LAST_SHIFT:
                    raise Malformed("a varInt of at most 8 bytes", start)
                byte = data[pos]
                pos += 1
                value |= (byte & 0x7F) << shift
                shift += 7
        except IndexError:
            raise Malformed("a varInt", start) from None
        if value > MAX_UINT:
            raise Malformed("a varInt of at most 53 bits", start)
        self.pos = pos
        return -value if first & 0x40 else value

    def var_bytes(self) -> bytes:
        """Read a varUint8Array: a length in bytes, then the bytes."""
        start = self.pos
        length = self.var_uint()
        pos = self.pos
        stop = pos + length
        if stop > self.end:
            raise Malformed(f"{length} bytes, {self.end - pos} are left,", start)
        self.pos = stop
        return self.data[pos:stop]

    def var_string(self) -> str:
        """Read a varString: a length in *bytes*, then strict UTF-8."""
        start = self.pos
        try:
            return self.var_bytes().decode()
        except UnicodeDecodeError:
            raise Malformed("a varString of valid UTF-8", start) from None


def var_uint(value: int) -> bytes:
    """Encode an unsigned number.

    Raises:
        ValueError: If it is below 0 or above 2^53 - 1.
    """
    if 0 <= value < 0x80:
        return _ONE_BYTE[value]
    if not 0 <= value <= MAX_UINT:
        raise ValueError(f"a varUint is 0 to 2^53 - 1, not {value}")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def var_int(value: int) -> bytes:
    """Encode a signed number.

    Raises:
        ValueError: If it needs more than 53 bits beside its sign.
    """
    rest = abs(value)
    if rest > MAX_UINT:
        raise ValueError(f"a varInt has at most 53 bits, not {value}")
    first = rest & 0x3F | (0x40 if value < 0 else 0)
    rest >>= 6
    if not rest:
        return bytes((first,))
    return bytes((first | 0x80,)) + var_uint(rest)


def var_bytes(value: bytes) -> bytes:
    """Encode a varUint8Array."""
    return var_uint(len(value)) + value


def var_string(value: str) -> bytes:
    """Encode a varString. A lone surrogate, which UTF-8 cannot hold, becomes U+FFFD.

    JavaScript's ``TextEncoder`` does the same, so that a name with half an emoji costs nobody
    their connection.
    """
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        # A high and a low surrogate that stand together are one character, as in JavaScript.
        encoded = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
    return var_uint(len(encoded)) + encoded
