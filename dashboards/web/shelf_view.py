"""What an engineer took out of view for a while, and the desk that does so. The program implements the Protocol."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

LONGEST = timedelta(days=30)
LONGEST_CRITICAL = timedelta(days=1)
"""A rule whose findings are critical may be out of view for a day at most."""


@dataclass(frozen=True, slots=True)
class ShelfView:
    """A rule that is out of view on an asset until an instant (aware UTC): its findings open no order."""

    asset_id: str
    rule_id: str
    until_at: datetime
    by: str
    reason: str


class ShelfDesk(Protocol):
    """Every method may be called from several threads. What it changes counts when the journal has it: in a moment."""

    def shelves(self) -> Sequence[ShelfView]:
        """Everything that is out of view now, what ends first first."""

    def shelve(self, finding_id: str, span: timedelta, *, by: str, reason: str) -> None:
        """Take the finding's rule on its asset out of view from now on.

        Raises PlantroomError with the words to show: no reason, too long, no such finding, already cleared.
        """

    def unshelve(self, asset_id: str, rule_id: str, *, by: str) -> None:
        """Take it back. Raises PlantroomError when nothing is out of view there."""
