"""Nodes for stock clients: one open to all, one that wants tokens."""

import pytest

from tests.room_tokens import Tokens, room_tokens
from tests.shared_nodes import (
    guarded_server as guarded_server,
    open_server as open_server,
    room as room,
)


@pytest.fixture
def tokens(room: str) -> Tokens:
    """Tokens for the test's room."""
    return room_tokens(room)
