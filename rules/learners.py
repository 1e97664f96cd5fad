"""Calls that learn, while they run: each bound to what the asset has learnt so far.

They are brought up to date before the conditions are evaluated, learn from each new reading once, and say how long
they still warm up. What they learn belongs to the asset: rules that ask for the same share it, and it outlives an edit
of the rule.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Self

from facility.instant import DAY_US
from facility.reading import Value
from rules.baseline import Baseline
from rules.hours import Hours
from rules.joint import Joint
from rules.memory import PointMemory, TermMemory
from rules.program import Code, Known, Learner
from rules.trend import NEVER_DAYS, Trend

WEEKEND = 5
_NAMES = {"baseline": "baseline", "trend": "trend", "joint": "joint behaviour"}


class LearningTerm(ABC):
    """What all of them share: the number, the condition under which it counts, and the readings it is made of."""

    __slots__ = ("_codes", "_learner", "_looked_at", "_memory", "_train_us")

    def __init__(
        self,
        learner: Learner,
        codes: Sequence[Code],
        looked_at: Sequence[PointMemory],
        memory: TermMemory,
        train_us: int,
    ) -> None:
        self._learner, self._codes, self._looked_at = learner, codes, looked_at
        self._memory, self._train_us = memory, train_us

    def update(
        self,
        values: Sequence[Value | None],
        constants: Sequence[float],
        terms: Sequence[Callable[[int], Known]],
        now_us: int,
    ) -> None:
        """Evaluate the number at `now_us`, and learn it when one of its points was just read."""
        learner, memory, slot = self._learner, self._memory, ""
        memory.value = None
        if learner.when is not None and self._codes[learner.when](values, constants, terms, now_us) is not True:
            return
        if learner.mode is not None:
            mode = self._codes[learner.mode](values, constants, terms, now_us)
            if mode is None:
                return
            slot = mode if isinstance(mode, str) else f"{mode:.0f}"
        numbers = []
        for index in learner.values:
            value = self._codes[index](values, constants, terms, now_us)
            if not isinstance(value, int | float):
                return
            numbers.append(float(value))
        memory.value, memory.slot = numbers[0], self._slot(slot, now_us)
        if len(numbers) > 1:
            memory.numbers = numbers
        for point in self._looked_at:
            if point.good_us == now_us:
                self._learn(now_us)
                break

    def warming(self, now_us: int) -> str | None:
        """What is still being learnt, and for how many days; None when it is known."""
        left = self._remaining(now_us)
        if not left:
            return None
        days = -(-left // DAY_US)
        noun = "day" if days == 1 else "days"
        return f"{_NAMES[self._learner.group]} of {self._learner.label}: warming up, {days} {noun} left"

    def _slot(self, mode: str, now_us: int) -> str:
        del now_us
        return mode

    @abstractmethod
    def _learn(self, now_us: int) -> None: ...

    @abstractmethod
    def _remaining(self, now_us: int) -> int: ...

    @abstractmethod
    def __call__(self, now_us: int) -> Known:
        """The term's value at the last look."""


class BaselineTerm(LearningTerm):
    """`baseline` and `off_baseline`."""

    __slots__ = ("_baseline", "_by", "_follow_us", "_hours", "_least", "_signed")

    def bind(
        self, baseline: Baseline, hours: Hours, by: str, follow_us: int, least: float, *, off: bool
    ) -> "BaselineTerm":
        """Give it what only baselines have; `off` for the distance in place of the centre."""
        self._baseline, self._hours, self._by = baseline, hours, by
        self._follow_us, self._least, self._signed = max(follow_us, 1), least, off
        return self

    def _slot(self, mode: str, now_us: int) -> str:
        by, key = self._by, mode
        if by.startswith("weekday"):
            key += f" {self._hours.weekday(now_us)}"
        elif by.startswith("workday"):
            key += " work" if self._hours.weekday(now_us) < WEEKEND else " rest"
        return f"{key} {self._hours.hour(now_us):.0f}" if by.endswith("hour") else key

    def _learn(self, now_us: int) -> None:
        memory = self._memory
        if memory.value is not None:
            self._baseline.add(now_us, memory.slot, memory.value, self._train_us, self._follow_us)

    def _remaining(self, now_us: int) -> int:
        return self._baseline.remaining_us(now_us, self._train_us)

    def __call__(self, now_us: int) -> Known:
        del now_us
        memory = self._memory
        if memory.value is None:
            return None
        centre = self._baseline.centre(memory.slot)
        if centre is None or not self._signed:
            return centre
        spread = self._baseline.spread(memory.slot, self._least)
        return None if spread is None else (memory.value - centre) / spread


class TrendTerm(LearningTerm):
    """`trend`, `days_to_limit`, `days_to_floor` and `rising_confidence`."""

    __slots__ = ("_function", "_hours", "_sure", "_trend")

    def bind(self, trend: Trend, hours: Hours, function: str, sure: float) -> "TrendTerm":
        """Give it what only trends have; `sure` in 0..100."""
        self._trend, self._hours, self._function, self._sure = trend, hours, function, sure / 100
        return self

    def _learn(self, now_us: int) -> None:
        if self._memory.value is not None:
            self._trend.add(now_us, self._hours.day(now_us), self._memory.value, self._train_us)

    def _remaining(self, now_us: int) -> int:
        return self._trend.remaining_us(now_us, self._train_us)

    def __call__(self, now_us: int) -> Known:
        del now_us
        line = self._trend.line
        if line is None:
            return None
        return line.rising * 100 if self._function == "rising_confidence" else line.slope

    def until(self, limit: float | None, now_us: int) -> Known:
        """Days until the trend reaches `limit`."""
        del now_us
        if limit is None:
            return None
        line, rising = self._trend.line, self._function == "days_to_limit"
        days = self._trend.days_until(limit, self._sure, rising=rising)
        if line is not None and days is not None:
            self._memory.numbers = [days, 100 * (line.rising if rising else line.falling)]
        return days

    def apart(self) -> Self:
        """One that stands where this one does; what it is asked leaves no trace."""
        one = copy(self)
        one._memory = replace(self._memory, numbers=list(self._memory.numbers))  # noqa: SLF001 - of its own class
        return one

    @property
    def outlook(self) -> tuple[float, float] | None:
        """Days left and how sure the direction is (0 to 100), as last asked; None where no end is in sight."""
        numbers = self._memory.numbers
        return (numbers[0], numbers[1]) if numbers and numbers[0] < NEVER_DAYS else None


class JointTerm(LearningTerm):
    """`off_together`."""

    __slots__ = ("_follow_us", "_joint")

    def bind(self, joint: Joint, follow_us: int) -> "JointTerm":
        """Give it what only this one has."""
        self._joint, self._follow_us = joint, max(follow_us, 1)
        return self

    def _learn(self, now_us: int) -> None:
        self._joint.add(now_us, self._memory.numbers, self._train_us, self._follow_us)

    def _remaining(self, now_us: int) -> int:
        return self._joint.remaining_us(now_us, self._train_us)

    def __call__(self, now_us: int) -> Known:
        del now_us
        return None if self._memory.value is None else self._joint.distance(self._memory.numbers)


def number(setting: int | float | str, parameters: Mapping[str, float]) -> float:
    """A setting that is a number or the name of a parameter."""
    return parameters[setting] if isinstance(setting, str) else float(setting)
