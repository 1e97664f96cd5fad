"""Takes rules out of view on an asset: an event of the journal, so that a replay shelves what was shelved."""

import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from dashboards.web.shelf_view import LONGEST, LONGEST_CRITICAL, ShelfView
from facility.clock import Clock
from facility.errors import PermanentError, refuse
from facility.finding import Finding, FindingState, Severity
from facility.instant import format_duration, from_us, to_us
from facility.reading import ControlEvent, Shelved
from rules.explain import Shelf

MOST_WORDS = 500


class Shelving(Protocol):
    """The engine, as far as it is asked what is out of view."""

    def shelves(self) -> Sequence[Shelf]:
        """Everything it was told, what is over too."""

    def touch(self) -> None:
        """Whoever watches should look again."""


class EngineShelf:
    """Implements the pages' `ShelfDesk`. `hand_over` brings an event to the journal, durably."""

    def __init__(
        self, engine: Shelving, find: Callable[[str], Finding | None], hand_over: Callable[[ControlEvent], object],
        clock: Clock,
    ) -> None:  # fmt: skip
        self._engine, self._find, self._hand_over, self._clock = engine, find, hand_over, clock

    def shelves(self) -> Sequence[ShelfView]:
        """Those whose time is not over, what ends first first."""
        now_us = self._clock.now_us()
        found = [
            ShelfView(one.asset_id, one.rule_id, from_us(one.until_us), one.by, one.reason)
            for one in self._engine.shelves()
            if one.until_us > now_us
        ]
        return sorted(found, key=lambda one: (one.until_at, one.asset_id, one.rule_id))

    def shelve(self, finding_id: str, span: timedelta, *, by: str, reason: str) -> None:
        """Raises InputError for words or a time that will not do, PermanentError for a finding that is none."""
        finding, said = self._find(finding_id), " ".join(reason.split())
        if finding is None:
            msg = f"there is no finding {finding_id!r}"
            raise PermanentError(msg)
        if finding.state is FindingState.CLEARED:
            msg = f"the finding {finding_id!r} has cleared: nothing is to be taken out of view"
            raise PermanentError(msg)
        if not 1 <= len(said) <= MOST_WORDS:
            raise refuse(
                "reason", "says nothing" if not said else "is too long", f"Write 1 to {MOST_WORDS} characters."
            )
        longest = LONGEST_CRITICAL if finding.severity is Severity.CRITICAL else LONGEST
        if not timedelta(0) < span <= longest:
            what = f"a {finding.severity} finding cannot be out of view for {format_duration(span)}"
            raise refuse("until", what, f"Choose at most {format_duration(longest)}.")
        now = self._clock.now()
        until_us = to_us(now + span)
        self._hand_over(
            Shelved(uuid.uuid4().hex, to_us(now), finding.asset_id, finding.rule_id, until_us, by[:64], said)
        )
        self._engine.touch()

    def unshelve(self, asset_id: str, rule_id: str, *, by: str) -> None:
        """Raises PermanentError when nothing is out of view there."""
        if not any((one.asset_id, one.rule_id) == (asset_id, rule_id) for one in self.shelves()):
            msg = f"the rule {rule_id!r} is not out of view on {asset_id!r}"
            raise PermanentError(msg)
        now_us = self._clock.now_us()
        self._hand_over(Shelved(uuid.uuid4().hex, now_us, asset_id, rule_id, now_us, by[:64], "taken back"))
        self._engine.touch()
