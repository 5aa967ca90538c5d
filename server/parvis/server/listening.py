"""Opens the sockets that a node listens on; they outlive its workers."""

import socket
from collections.abc import Sequence

BACKLOG = 1024
"""Connections that wait while a worker starts; the kernel may keep fewer."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of a host.

    Args:
        host: A name or an address; empty for all addresses of this machine.
        port: 0 for a free one, the same on all addresses.

    Raises:
        OSError: If one of them cannot be had; the message says which.
    """
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {host}: {error.strerror}") from None
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            if port == 0 and sockets:
                address = (address[0], sockets[0].getsockname()[1], *address[2:])
            sockets.append(_listen(family, kind, protocol, address))
    except BaseException:
        for each in sockets:
            each.close()
        raise
    return sockets


def url_of(sockets: Sequence[socket.socket]) -> str:
    """Return an address under which a browser on this machine reaches the sockets."""
    host, port = sockets[0].getsockname()[:2]
    loopback = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
    return f"http://{loopback.get(host) or (f'[{host}]' if ':' in host else host)}:{port}"


def _listen(
    family: socket.AddressFamily,
    kind: socket.SocketKind,
    protocol: int,
    address: tuple[object, ...],
) -> socket.socket:
    each = socket.socket(family, kind, protocol)
    try:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # Else it takes the IPv4 port too, and the next address in the list cannot.
            each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        each.bind(address)
        each.listen(BACKLOG)
    except OSError as error:
        each.close()
        raise OSError(
            error.errno, f"cannot listen on {address[0]} port {address[1]}: {error.strerror}"
        ) from None
    return each
