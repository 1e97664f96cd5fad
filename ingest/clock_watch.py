"""Notices that this machine's clock was set: the wall clock and the steady one no longer agree.

Nothing is held back because of it: most steps are corrections. After a step forward event time jumps, and the engine
takes the gap for time nobody listened to. After a step back event time stands still until the clock has passed where
it was: nothing is judged twice, and what arrives meanwhile waits in the journal.
"""

import time
from collections.abc import Callable

import structlog

from facility.clock import Clock
from facility.instant import format_instant, from_us

log = structlog.get_logger(__name__)
STEP_S = 5.0


def steady_s() -> float:
    """Seconds that go on while the machine sleeps, where the system has such a clock (Linux)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class ClockWatch:
    """Looks at a clock again and again. `steady` is a stopwatch in real seconds."""

    def __init__(self, clock: Clock, steady: Callable[[], float] = steady_s) -> None:
        self._clock, self._steady = clock, steady
        self._last_us, self._last_s = clock.now_us(), steady()
        self._newest_us = self._last_us

    def look(self) -> float:
        """How far (seconds of its own time) the clock was set since the last look; 0 when it only went on."""
        now_us, now_s = self._clock.now_us(), self._steady()
        step_s = (now_us - self._last_us) / 1e6 - (now_s - self._last_s) * self._clock.factor
        self._last_us, self._last_s = now_us, now_s
        before_us, self._newest_us = self._newest_us, max(self._newest_us, now_us)
        if abs(step_s) < STEP_S * self._clock.factor:
            return 0.0
        until = format_instant(from_us(before_us))
        log.error(
            "this machine's clock was set",
            by_seconds=round(step_s, 1),
            meaning="the time between counts as time nobody listened to"
            if step_s > 0
            else f"event time stands still until {until}; check the clock if that is wrong",
        )
        return step_s
