"""What one number of an asset usually is: learnt from its own history, in slots of hour, weekday and mode.

A slot is learnt from the means of whole hours ("cells"). While it trains it keeps them; then the median is its centre
and the scaled median absolute deviation its spread. After that it may only creep: at most one spread per `follow`, and
not at all on hours that lie further than `FREEZE` spreads off. So a fault that grows quicker than that is seen and
never taught, and a slot costs a dozen numbers instead of its history.
"""

import math
from statistics import median

import msgspec

from facility.instant import HOUR_US

FREEZE = 3.0
"""An hour that lies further off than this many spreads teaches nothing."""

MIN_CELLS = 3
ENOUGH_CELLS = 14
"""A spread from this many hours counts as much as that of all slots together; from fewer it counts less."""

MAX_CELLS = 512
MAX_SLOTS = 1_024
SHARE_OF_CENTRE = 0.001
"""A spread is never taken smaller than this share of the centre: the last digit of a steady sensor is no fault."""

_SIGMA = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


class Slot(msgspec.Struct, array_like=True):
    """One hour of the day, weekday or mode. `hour` numbers the open cell, -1 without one; `trained` is how many cells
    `centre`, `spread` (of cell means) and `noise` (of readings inside a cell) came from, 0 while it trains.
    """

    started_us: int
    hour: int = -1
    count: int = 0
    mean: float = 0.0
    m2: float = 0.0
    cells: list[tuple[float, float]] = []
    trained: int = 0
    centre: float = 0.0
    spread: float = 0.0
    noise: float = 0.0
    taught_us: int = -1


class Baseline(msgspec.Struct, array_like=True, tag="baseline"):
    """All slots of one number. `started_us` is its first reading, `at_us` its newest, -1 before; `pooled` is the
    median spread of all trained slots.
    """

    started_us: int = -1
    at_us: int = -1
    pooled: float = 0.0
    slots: dict[str, Slot] = {}

    def add(self, at_us: int, key: str, value: float, train_us: int, follow_us: int) -> None:
        """One value in the slot `key`; a second one at the same instant is the same one."""
        if at_us <= self.at_us:
            return
        self.at_us = at_us
        if self.started_us < 0:
            self.started_us = at_us
        slot = self.slots.get(key)
        if slot is None:
            if len(self.slots) >= MAX_SLOTS:
                return
            slot = self.slots[key] = Slot(at_us)
        hour = at_us // HOUR_US
        if hour != slot.hour:
            if slot.count:
                self._close(slot, at_us, train_us, follow_us)
            slot.hour, slot.count, slot.mean, slot.m2 = hour, 0, 0.0, 0.0
        slot.count += 1
        step = value - slot.mean
        slot.mean += step / slot.count
        slot.m2 += step * (value - slot.mean)

    def centre(self, key: str) -> float | None:
        """What is usual in the slot; None until it is trained."""
        slot = self.slots.get(key)
        return slot.centre if slot is not None and slot.trained else None

    def spread(self, key: str, least: float) -> float | None:
        """How far readings usually lie from the centre (one standard deviation), at least `least`."""
        slot = self.slots.get(key)
        return max(self._spread(slot), least) if slot is not None and slot.trained else None

    def remaining_us(self, now_us: int, train_us: int) -> int:
        """How long it still trains at `now_us`: the whole of it before the first reading, 0 once a slot is trained."""
        if any(slot.trained for slot in self.slots.values()):
            return 0
        passed = now_us - self.started_us if self.started_us >= 0 else 0
        return max(train_us - passed, HOUR_US)

    def forget(self) -> None:
        """Learn anew from here on."""
        self.started_us, self.pooled, self.slots = -1, 0.0, {}

    def _close(self, slot: Slot, at_us: int, train_us: int, follow_us: int) -> None:
        noise = math.sqrt(max(slot.m2, 0.0) / slot.count)
        if not slot.trained:
            slot.cells.append((slot.mean, noise))
            if len(slot.cells) > MAX_CELLS:
                del slot.cells[::2]
            if at_us - slot.started_us >= train_us and len(slot.cells) >= MIN_CELLS:
                self._train(slot)
        else:
            self._teach(slot, noise, follow_us)
        slot.taught_us = at_us

    def _train(self, slot: Slot) -> None:
        slot.centre = median(mean for mean, _ in slot.cells)
        slot.spread = _SIGMA * median(abs(mean - slot.centre) for mean, _ in slot.cells)
        slot.noise = median(noise for _, noise in slot.cells)
        slot.trained, slot.cells = len(slot.cells), []
        self._pool()

    def _teach(self, slot: Slot, noise: float, follow_us: int) -> None:
        """Creep towards one more hour, by no more than its share of `follow_us`."""
        spread, off = self._spread(slot), slot.mean - slot.centre
        if abs(off) > FREEZE * spread:
            return
        share = min((slot.hour + 1) * HOUR_US - slot.taught_us, follow_us) / follow_us
        step = max(share, 0.0) * spread
        slot.centre += min(max(off, -step), step)
        towards = _SIGMA * abs(off) - slot.spread
        slot.spread += min(max(towards, -step / 2), step / 2)
        slot.noise += min(max(noise - slot.noise, -step / 2), step / 2)
        self._pool()

    def _pool(self) -> None:
        self.pooled = median(slot.spread for slot in self.slots.values() if slot.trained)

    def _spread(self, slot: Slot) -> float:
        own = slot.trained / (slot.trained + ENOUGH_CELLS)
        between = own * slot.spread**2 + (1 - own) * self.pooled**2
        return max(math.sqrt(between + slot.noise**2), abs(slot.centre) * SHARE_OF_CENTRE, 1e-9)
