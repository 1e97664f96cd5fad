"""Who wants to go where: calls by the time of day, Poisson in number, seeded."""

from dataclasses import dataclass
from math import exp
from random import Random

from simulators.surroundings import Surroundings, presence_at

KILOGRAMS = 75.0  # ISO 8100-1 counts 75 kg a person


@dataclass(frozen=True, slots=True)
class Passenger:
    """One person at `origin` who wants to go to `target`; floors count from 1."""

    origin: int
    target: int


class Traffic:
    """Arrivals in the morning, lunch, the way home, visits between floors, a watchman at night.

    `population` people work on the floors above the lobby, which is floor 1.
    """

    def __init__(self, population: int, floors: int, seed: str) -> None:
        self.population, self.floors = population, floors
        self._random = Random(seed)

    def calls(self, around: Surroundings, seconds: float) -> list[Passenger]:
        """Everyone who pressed a button during this step."""
        rise = 0.0
        if around.working:
            rise = presence_at(around.hour) - presence_at(max(0.0, around.hour - seconds / 3600))
        up = self.population * max(0.0, rise)
        down = self.population * max(0.0, -rise)
        between = (self.population * around.presence * 0.2 + 2.0) * seconds / 3600
        draw = self._random
        passengers = [Passenger(1, draw.randint(2, self.floors)) for _ in range(self._poisson(up))]
        passengers += [Passenger(draw.randint(2, self.floors), 1) for _ in range(self._poisson(down))]
        for _ in range(self._poisson(between)):
            origin, target = draw.sample(range(1, self.floors + 1), 2)
            passengers.append(Passenger(origin, target))
        return passengers

    def _poisson(self, mean: float) -> int:
        if mean <= 0:
            return 0
        limit, product, count = exp(-mean), self._random.random(), 0
        while product > limit:
            product *= self._random.random()
            count += 1
        return count
