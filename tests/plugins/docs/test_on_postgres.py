"""What documents do, they do on PostgreSQL, too: the tests of every query, run there again."""

import pytest

from parvis.server import testing
from parvis.storage import Accounts, Store
from parvis.storage.postgres import open_postgres
from tests.databases import Database
from tests.plugins.docs.test_documents import *  # noqa: F403  they are collected here again
from tests.plugins.docs.test_ownership import *  # noqa: F403
from tests.plugins.docs.test_search import *  # noqa: F403
from tests.plugins.docs.test_sharing import *  # noqa: F403
from tests.plugins.docs.test_spaces import *  # noqa: F403


@pytest.fixture(autouse=True)
def _on_postgres(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give houses a store in PostgreSQL instead of one in memory."""

    def opened(url: str) -> tuple[Store, Accounts]:
        assert url == "memory:"
        return open_postgres(database.node, owner=database.owner)

    monkeypatch.setattr(testing, "open_store", opened)
