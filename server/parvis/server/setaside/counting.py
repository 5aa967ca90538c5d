"""Keeps the metric of how many updates are in quarantine."""

import logging
from typing import Final

from parvis.storage import StorageError
from parvis.storage.inspection import Inspection

from ..metrics import Metrics
from ..ports import Clock

logger = logging.getLogger(__name__)

EVERY: Final = 60.0
"""Seconds between two counts."""


async def count_quarantined(inspection: Inspection, metrics: Metrics, clock: Clock) -> None:
    """Count for ever; a store that does not answer leaves the number as it was."""
    while True:
        try:
            found = await inspection.quarantined()
        except StorageError as problem:
            logger.debug("the quarantine cannot be counted: %s", problem)
        else:
            metrics.quarantined.set(sum(each.number for each in found))
        await clock.sleep(EVERY)
