"""Now and then, between two writes, a store thins what is old and works out means: a little at a time, so that nobody
waits for it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry, Histogram

from facility.clock import Clock
from facility.errors import PlantroomError

log = structlog.get_logger(__name__)
FIRST_S, EVERY_S = 60.0, 3_600.0
MEANS_FIRST_S, MEANS_EVERY_S = 5.0, 20.0
AGAIN_S = 300.0
BUDGET_S = 0.2


class UpkeepMetrics:
    """What the upkeep of stores shows on /metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.thin_seconds = Histogram(
            "plantroom_store_thin_seconds", "Time of each piece of thinning old readings.", registry=registry
        )
        self.means_seconds = Histogram(
            "plantroom_store_means_seconds",
            "Time of each piece of working out means for dashboards.",
            registry=registry,
        )


class Kept(Protocol):
    """What is asked of a store."""

    def thin(self, now_us: int) -> bool:
        """As `SeriesStore.thin`."""

    def roll_up(self, now_us: int) -> bool:
        """As `SeriesStore.roll_up`."""


@dataclass(slots=True)
class _Chore:
    piece: Callable[[int], bool]
    every_s: float
    undone: str
    seconds: Histogram
    due_s: float
    trouble: str = ""


class Upkeep:
    """Called by the writing thread after each write. Real seconds, but for what is old: that is by the clock."""

    def __init__(
        self,
        store: Kept,
        clock: Clock,
        elapsed: Callable[[], float] = time.monotonic,
        metrics: UpkeepMetrics | None = None,
    ) -> None:
        shown, now_s = metrics or UpkeepMetrics(CollectorRegistry()), elapsed()
        self._clock, self._elapsed = clock, elapsed
        self._chores = (
            _Chore(store.thin, EVERY_S, "old readings are not thinned", shown.thin_seconds, now_s + FIRST_S),
            _Chore(
                store.roll_up, MEANS_EVERY_S, "means for dashboards are not kept", shown.means_seconds,
                now_s + MEANS_FIRST_S,
            ),
        )  # fmt: skip

    def look(self) -> bool:
        """Do each chore for a fifth of a second when it is time; whether there is more to do at once. Never raises."""
        more = [self._do(chore) for chore in self._chores]
        return any(more)

    def _do(self, chore: _Chore) -> bool:
        if self._elapsed() < chore.due_s:
            return False
        end_s = self._elapsed() + BUDGET_S
        try:
            while self._piece(chore):
                if self._elapsed() > end_s:
                    return True
        except PlantroomError as error:
            # Nothing is lost: what was not done is as it was, and readings go on being written.
            if str(error) != chore.trouble:
                log.warning(chore.undone, reason=str(error))
            chore.trouble, chore.due_s = str(error), self._elapsed() + AGAIN_S
            return False
        chore.trouble, chore.due_s = "", self._elapsed() + chore.every_s
        return False

    def _piece(self, chore: _Chore) -> bool:
        with chore.seconds.time():
            return chore.piece(self._clock.now_us())
