"""Whoever is signed out while a socket is open loses the socket, in every dialect."""

import pytest

from parvis.protocol import CloseCode
from parvis.server.dialects.hocuspocus import HocuspocusSession
from parvis.server.dialects.native import NativeSession
from parvis.server.dialects.yjs import YjsSession
from parvis.server.session import DialectSession


@pytest.mark.parametrize(
    ("dialect", "code"),
    [
        (NativeSession, CloseCode.SIGNED_OUT),
        (YjsSession, CloseCode.STOCK_REFRESH_TOKEN),
        (HocuspocusSession, CloseCode.STOCK_REFRESH_TOKEN),
    ],
)
def test_a_sign_out_is_told_by_its_own_code(dialect: type[DialectSession], code: CloseCode) -> None:
    assert dialect.revoked is code
