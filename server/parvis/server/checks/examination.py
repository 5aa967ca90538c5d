"""What the checks of one run share: the settings, the store from beside, and what was found out."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from parvis.storage import Migration
from parvis.storage.inspection import Inspection, Sizes

from ..ports import Clock, Helpers
from ..settings import Settings
from .finding import Finding


@dataclass(slots=True)
class Examination:
    """One run of the doctor.

    Attributes:
        helpers: Processes that read documents; they are started when the first one is read.
        deep: Take as long as it takes.
        report: Told how far it is.
        holder: Which process holds the data folder, for people; empty: none does.
        inspection: Of the store; None if it cannot be looked at.
        plugins: Migrations by whose tables they make.
        sizes: Of the store, once they are measured.
        daily: Bytes by which the store grows in a day; None: not known yet.
    """

    settings: Settings
    clock: Clock
    helpers: Helpers
    deep: bool = False
    report: Callable[[str], None] = lambda _: None
    holder: str = ""
    inspection: Inspection | None = None
    plugins: Mapping[str, Sequence[Migration]] = field(
        default_factory=dict[str, Sequence[Migration]]
    )
    sizes: Sizes | None = None
    daily: float | None = None

    def patience(self, seconds: float) -> float:
        """Return how many seconds something may take."""
        return 24 * 3600.0 if self.deep else seconds


Check = Callable[[Examination], AsyncIterator[Finding]]
