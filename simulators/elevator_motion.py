"""Kinematics of one trip: constant acceleration to the rated speed, and the same way back to rest."""

from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class Trip:
    """A trip over `metres` at rest on both ends; speeds in m/s, acceleration in m/s2, times in s."""

    metres: float
    rated_speed: float
    acceleration: float

    @property
    def top_speed(self) -> float:
        """The fastest it gets: the rated speed, or less on a short trip."""
        return min(self.rated_speed, sqrt(self.metres * self.acceleration))

    @property
    def duration(self) -> float:
        """Seconds from start to stop."""
        return self.metres / self.top_speed + self.top_speed / self.acceleration

    def at(self, elapsed: float) -> tuple[float, float]:
        """Distance covered (m) and speed (m/s) this many seconds after the start."""
        ramp = self.top_speed / self.acceleration
        left = self.duration - elapsed
        if left <= 0:
            return self.metres, 0.0
        if elapsed < ramp:
            return self.acceleration * elapsed**2 / 2, self.acceleration * elapsed
        if left < ramp:
            return self.metres - self.acceleration * left**2 / 2, self.acceleration * left
        return self.top_speed * (elapsed - ramp / 2), self.top_speed
