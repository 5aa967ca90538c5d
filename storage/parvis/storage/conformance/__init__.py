"""The suite that every adapter passes; subclass it and say how your store is opened.

Put ``pytest.register_assert_rewrite("parvis.storage.conformance")`` into your ``conftest.py``
before importing it, so that a failing assert shows its values. Tests run under pytest-asyncio's
auto mode.
"""

from parvis.storage.conformance.accounts import AccountsConformance, DurableAccountsConformance
from parvis.storage.conformance.archive import ArchiveConformance
from parvis.storage.conformance.blobs import (
    BlobsConformance,
    DurableBlobsConformance,
    HoldingBlobsConformance,
)
from parvis.storage.conformance.inspection import InspectionConformance
from parvis.storage.conformance.store import DurableStoreConformance, StoreConformance

__all__ = [
    "AccountsConformance",
    "ArchiveConformance",
    "BlobsConformance",
    "DurableAccountsConformance",
    "DurableBlobsConformance",
    "DurableStoreConformance",
    "HoldingBlobsConformance",
    "InspectionConformance",
    "StoreConformance",
]
