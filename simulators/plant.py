"""What every plant model is to the simulation: some assets, a step in time, and parts that can fail."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol

from simulators.surroundings import Surroundings

Values = dict[str, float | str]


@dataclass(frozen=True, slots=True)
class Sample:
    """What one asset's controller reports at the end of a step: point -> value in the catalogue's unit."""

    asset_id: str
    values: Values


class Plant(Protocol):
    """A plant model. All state is inside; the same seed and the same calls give the same samples."""

    def set_fault(self, asset_id: str, fault: str, severity: float) -> None:
        """Break a part (severity above 0 up to 1) or make it whole again (0). Names were checked by the scenario."""

    def age(self, days: int) -> None:
        """Days that were not lived through: every counter moves on by at least what they would have counted."""

    def step(self, around: Surroundings, seconds: float) -> list[Sample]:
        """Live through `seconds` that end at `around.at_us`; the readings at that instant, in a fixed order."""


class Faults:
    """The severity of each broken part, by asset and fault name; 0 for a part that is whole."""

    def __init__(self) -> None:
        self._severities: dict[tuple[str, str], float] = {}

    def set(self, asset_id: str, fault: str, severity: float) -> None:
        """From now on the part is broken this much (0 to 1)."""
        if not 0 <= severity <= 1:
            msg = f"severity of {fault} on {asset_id} is {severity!r}; expected 0 to 1"
            raise ValueError(msg)
        self._severities[asset_id, fault] = severity

    def of(self, asset_id: str, fault: str) -> float:
        """How badly the part is broken now, 0 to 1."""
        return self._severities.get((asset_id, fault), 0.0)


class Sensors:
    """Measures with seeded Gaussian noise, rounded to what a real transmitter sends."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)

    def read(self, true: float, noise: float, digits: int = 2) -> float:
        """The true value with noise of this standard deviation (same unit), rounded."""
        return round(true + self._random.gauss(0.0, noise), digits)

    def lost(self, share: float) -> bool:
        """Whether a message goes astray when this share of them does (0 to 1)."""
        return share > 0 and self._random.random() < share

    def read_positive(self, true: float, noise: float, digits: int = 2) -> float:
        """As `read`, for quantities that cannot be negative; an exact zero stays zero."""
        return max(0.0, self.read(true, noise, digits)) if true > 0 else 0.0


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One way a part can break: what happens in a sentence, and the part as whoever repairs it would name it."""

    what: str
    component: str


FaultNames = Mapping[str, FaultKind]
"""Fault name -> what breaks."""
