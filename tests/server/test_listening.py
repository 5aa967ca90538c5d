import socket
from collections.abc import Iterator

import pytest

from parvis.server.listening import listen, url_of


@pytest.fixture
def opened() -> Iterator[list[socket.socket]]:
    sockets: list[socket.socket] = []
    yield sockets
    for each in sockets:
        each.close()


def test_port_0_takes_a_free_one(opened: list[socket.socket]) -> None:
    opened += listen("127.0.0.1", 0)
    (only,) = opened
    port = only.getsockname()[1]
    assert url_of(opened) == f"http://127.0.0.1:{port}"
    socket.create_connection(("127.0.0.1", port)).close()


def test_a_name_with_several_addresses_gets_one_port_on_all(opened: list[socket.socket]) -> None:
    opened += listen("localhost", 0)
    (port,) = {each.getsockname()[1] for each in opened}
    for each in opened:
        socket.create_connection(each.getsockname()[:2]).close()
    assert port


def test_all_addresses_are_reached_over_loopback(opened: list[socket.socket]) -> None:
    opened += listen("0.0.0.0", 0)
    assert url_of(opened) == f"http://127.0.0.1:{opened[0].getsockname()[1]}"


def test_a_taken_port_is_named_and_nothing_stays_open(opened: list[socket.socket]) -> None:
    opened += listen("127.0.0.1", 0)
    port = opened[0].getsockname()[1]
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {port}: Address already"):
        listen("127.0.0.1", port)


def test_a_port_can_be_taken_again_at_once(opened: list[socket.socket]) -> None:
    (first,) = listen("127.0.0.1", 0)
    port = first.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)) as client:
        accepted = first.accept()[0]
        # The side that closes first keeps the port busy for a minute, unless told otherwise.
        accepted.close()
        client.recv(1)
    first.close()
    opened += listen("127.0.0.1", port)


def test_an_address_that_is_not_of_this_machine_is_named() -> None:
    with pytest.raises(OSError, match=r"cannot listen on 192\.0\.2\.1 port"):
        listen("192.0.2.1", 0)
