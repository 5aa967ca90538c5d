"""What every archive does: the suites put together."""

from parvis.storage.conformance.cutting import CuttingSuite
from parvis.storage.conformance.filling import FillingSuite
from parvis.storage.conformance.turning_away import TurningAwaySuite


class ArchiveConformance(CuttingSuite, FillingSuite, TurningAwaySuite):
    """What every archive does. A test class overrides `open` and `open_archive`."""
