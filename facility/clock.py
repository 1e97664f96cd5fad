"""The one clock of the program. Nothing else may ask the operating system what time it is.

Real: the wall clock. Scaled: simulated time that runs `factor` times as fast from where it stopped. Journal: now
is the newest event that was read from the journal, for replays of old data.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from facility.instant import from_us, to_us


class Clock(Protocol):
    """Tells now, as an aware UTC instant and as microseconds since the epoch."""

    @property
    def factor(self) -> float:
        """Simulated seconds per real second; 1 for the real clock."""

    def now(self) -> datetime:
        """Now, aware UTC."""

    def now_us(self) -> int:
        """Now, microseconds since the epoch."""


def _wall_us() -> int:
    return to_us(datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class RealClock:
    """The wall clock."""

    factor: float = 1.0

    def now(self) -> datetime:
        return from_us(self.now_us())

    def now_us(self) -> int:
        return _wall_us()


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """Simulated time: at wall instant `started_us` it was `epoch_us`, and it runs `factor` times as fast."""

    epoch_us: int
    started_us: int
    factor: float
    wall_us: Callable[[], int] = _wall_us

    def __post_init__(self) -> None:
        if not 0 < self.factor <= 100_000:
            msg = f"factor is {self.factor!r}; expected a number above 0 and at most 100,000"
            raise ValueError(msg)

    def now(self) -> datetime:
        return from_us(self.now_us())

    def now_us(self) -> int:
        return self.epoch_us + round((self.wall_us() - self.started_us) * self.factor)


class JournalClock:
    """Now is the newest event told to it by whoever reads the journal; it never goes back.

    The factor is that of the real clock: waiting for messages takes as long as it takes.
    """

    factor = 1.0

    def __init__(self, at_us: int = 0) -> None:
        self._at_us = at_us

    def advance(self, at_us: int) -> None:
        """The journal holds an event at `at_us`; earlier ones change nothing."""
        self._at_us = max(self._at_us, at_us)

    def now(self) -> datetime:
        return from_us(self._at_us)

    def now_us(self) -> int:
        return self._at_us
