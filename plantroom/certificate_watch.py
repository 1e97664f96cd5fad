"""How long the certificates last that others see of us, for what the monitor says of itself."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from facility.clock import Clock
from plantroom.doctor_certificates import certificate_ends
from plantroom.settings import Settings

EVERY = timedelta(hours=1)


class CertificateWatch:
    """Asks every hour of the wall clock, each server for two seconds at most; one that is away is as it was before."""

    def __init__(self, settings: Settings, root: Path, wall: Clock) -> None:
        self._settings, self._root, self._wall = settings, root, wall
        self._looked_at: datetime | None = None
        self._ends: dict[str, datetime] = {}

    def days(self) -> Iterator[float]:
        """Of each certificate, in days from now; less than nothing for one that is over."""
        now = self._wall.now()
        if self._looked_at is None or not self._looked_at <= now < self._looked_at + EVERY:
            self._looked_at = now
            self._look()
        yield from ((end - now) / timedelta(days=1) for end in self._ends.values())

    def _look(self) -> None:
        before, self._ends = self._ends, {}
        try:
            for what, _, ask in certificate_ends(self._settings, self._root):
                try:
                    self._ends[what] = ask()
                except (OSError, ValueError):
                    if what in before:
                        self._ends[what] = before[what]
        except ModuleNotFoundError:  # without the extra `tls` nobody can say; the doctor says so
            self._ends = {}
