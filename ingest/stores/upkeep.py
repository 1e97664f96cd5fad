"""Now and then, between two writes, a store thins what is old: a little at a time, so that nobody waits for it."""

import time
from collections.abc import Callable
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry, Histogram

from facility.clock import Clock
from facility.errors import PlantroomError

log = structlog.get_logger(__name__)
FIRST_S = 60.0
EVERY_S = 3_600.0
AGAIN_S = 300.0
BUDGET_S = 0.2


class UpkeepMetrics:
    """What the keeping of old readings shows on /metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.thin_seconds = Histogram(
            "plantroom_store_thin_seconds", "Time of each piece of thinning old readings.", registry=registry
        )


class Thinnable(Protocol):
    """What is asked of a store."""

    def thin(self, now_us: int) -> bool:
        """As `SeriesStore.thin`."""


class Upkeep:
    """Called by the writing thread after each write. Real seconds, but for what is old: that is by the clock."""

    def __init__(
        self,
        store: Thinnable,
        clock: Clock,
        elapsed: Callable[[], float] = time.monotonic,
        metrics: UpkeepMetrics | None = None,
    ) -> None:
        self._store, self._clock, self._elapsed = store, clock, elapsed
        self._metrics = metrics or UpkeepMetrics(CollectorRegistry())
        self._due_s = elapsed() + FIRST_S
        self._trouble = ""

    def look(self) -> bool:
        """Thin for a fifth of a second when it is time; whether there is more to do at once. Never raises."""
        if self._elapsed() < self._due_s:
            return False
        end_s = self._elapsed() + BUDGET_S
        try:
            while self._piece():
                if self._elapsed() > end_s:
                    return True
        except PlantroomError as error:
            # Nothing is lost: what was not thinned is kept as it is, and readings go on being written.
            if str(error) != self._trouble:
                log.warning("old readings are not thinned", reason=str(error))
            self._trouble, self._due_s = str(error), self._elapsed() + AGAIN_S
            return False
        self._trouble, self._due_s = "", self._elapsed() + EVERY_S
        return False

    def _piece(self) -> bool:
        with self._metrics.thin_seconds.time():
            return self._store.thin(self._clock.now_us())
