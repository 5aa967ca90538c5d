"""Websocket frames from a server: RFC 6455 section 5.2, one whole binary message, not masked."""

BINARY = 0x82
"""FIN, opcode 2."""


def frame(payload: bytes) -> bytes:
    """Put the frame header before a message, so that one write sends both."""
    size = len(payload)
    if size < 126:
        return bytes((BINARY, size)) + payload
    if size < 65536:
        return bytes((BINARY, 126)) + size.to_bytes(2, "big") + payload
    return bytes((BINARY, 127)) + size.to_bytes(8, "big") + payload
