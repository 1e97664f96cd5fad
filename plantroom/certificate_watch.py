"""How long the certificates last that others see of us, for what the monitor says of itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from facility.clock import Clock
from plantroom.doctor_certificates import Kind, certificate_ends
from plantroom.settings import Settings

EVERY = timedelta(hours=1)


class CertificateWatch:
    """Asks every hour of the wall clock, each server for two seconds at most; one that is away is as it was before."""

    def __init__(self, settings: Settings, root: Path, wall: Clock) -> None:
        self._settings, self._root, self._wall = settings, root, wall
        self._looked_at: datetime | None = None
        self._ends: dict[str, tuple[Kind, datetime]] = {}

    def days(self) -> Mapping[str, float]:
        """Point -> days from now until the first of its certificates ends; less than nothing when one is over."""
        now = self._wall.now()
        if self._looked_at is None or not self._looked_at <= now < self._looked_at + EVERY:
            self._looked_at = now
            self._look()
        first: dict[str, float] = {}
        for kind, end in self._ends.values():
            left = (end - now) / timedelta(days=1)
            first[kind.point] = min(left, first.get(kind.point, left))
        return first

    def _look(self) -> None:
        before, self._ends = self._ends, {}
        try:
            for what, kind, ask in certificate_ends(self._settings, self._root):
                try:
                    self._ends[what] = kind, ask()
                except (OSError, ValueError):
                    if what in before:
                        self._ends[what] = before[what]
        except ModuleNotFoundError:  # without the extra `tls` nobody can say; the doctor says so
            self._ends = {}
