"""Terms that run along with a number: its mean so far, the value it had at the last mark, and its cumulative sum.

Unlike the windows of a point they work from the first reading on and on any expression; a rule that must not judge a
window that is not yet full says so itself. An Unknown number is left out; the result is Unknown while it lasts.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence

from facility.reading import Value
from rules.program import Known
from rules.terms import ConditionTerm

BUCKETS = 512
"""Stretches nearer together than 1/512 of the window share one, so that memory stays bounded."""

_FILLING_S = 1e-3


class RunningTerm(ConditionTerm):
    """What the three share: the number is evaluated before the rule's own condition, at every look."""

    __slots__ = ()

    def update(
        self,
        values: Sequence[Value | None],
        constants: Sequence[float],
        terms: Sequence[Callable[[int], Known]],
        now_us: int,
    ) -> None:
        """Evaluate the number at `now_us` and take it in."""
        number = self._code(values, constants, terms, now_us)
        self._memory.known = isinstance(number, float)
        if isinstance(number, float):
            self._take(number, now_us)
            for point in self._looked_at:
                if point.fresh_until_us >= now_us:
                    self._alarm.wake(point.fresh_until_us + 1)
        else:
            self._interrupt()

    @abstractmethod
    def _take(self, number: float, now_us: int) -> None:
        """A number at `now_us`, later than all before it."""

    def _interrupt(self) -> None:
        """The number is Unknown."""


class AverageTerm(RunningTerm):
    """Time-weighted mean over the window, or over the known part of it.

    A number stands for the time since the one before it, at most for a quarter of the window; earlier than that the one
    before it does. While the window fills a millisecond is added to the time, as the moving average of CDL (the control
    description language of ASHRAE 231) has it: so it is 0 at the first reading, and a steady number lies above it.

    Memory: `since_us` the last instant with a number, `numbers` that number followed by the integral of each stretch,
    `times` start and end of each stretch.
    """

    __slots__ = ()

    def _take(self, number: float, now_us: int) -> None:
        memory = self._memory
        if memory.since_us >= 0 and now_us > memory.since_us:
            turn_us = max(memory.since_us, now_us - self._length // 4)
            self._add(memory.since_us, turn_us, memory.numbers[0])
            self._add(turn_us, now_us, number)
            self._trim(now_us - self._length)
        memory.since_us = now_us
        memory.numbers[:1] = [number]

    def _add(self, from_us: int, until_us: int, number: float) -> None:
        if until_us <= from_us:
            return
        integral = number * (until_us - from_us) / 1e6
        times, width = self._memory.times, max(self._length // BUCKETS, 1)
        if times and times[-1] == from_us and times[-2] // width == (until_us - 1) // width:
            times[-1] = until_us
            self._memory.numbers[-1] += integral
        else:
            times += [from_us, until_us]
            self._memory.numbers.append(integral)

    def _trim(self, start_us: int) -> None:
        times, gone = self._memory.times, 0
        while 2 * gone < len(times) and times[2 * gone + 1] <= start_us:
            gone += 1
        del times[: 2 * gone], self._memory.numbers[1 : 1 + gone]

    def _interrupt(self) -> None:
        self._memory.since_us = -1

    def __call__(self, now_us: int) -> Known:
        if not self._memory.known:
            return None
        times, numbers, start = self._memory.times, self._memory.numbers, now_us - self._length
        integral, covered = 0.0, 0.0
        for index in range(len(times) // 2):
            first, last = times[2 * index], times[2 * index + 1]
            share = (last - max(first, start)) / (last - first)
            if share > 0:
                integral += numbers[1 + index] * share
                covered += (last - first) * share / 1e6
        return integral / (covered if covered >= self._length / 1e6 else covered + _FILLING_S)


class SampledTerm(RunningTerm):
    """The number as it was at the last full multiple of the window since the first reading.

    Memory: `since_us` the first reading, `times` the mark, `numbers` the number there.
    """

    __slots__ = ()

    def _take(self, number: float, now_us: int) -> None:
        memory = self._memory
        if memory.since_us < 0:
            memory.since_us = now_us
        mark = (now_us - memory.since_us) // self._length
        if memory.times != [mark]:
            memory.times, memory.numbers = [mark], [number]

    def __call__(self, now_us: int) -> Known:  # noqa: ARG002 - what every term takes
        return self._memory.numbers[0] if self._memory.known else None


class CusumTerm(RunningTerm):
    """Sum of the number, once per window's length, that never falls below zero: what stays on one side adds up.

    Memory: `since_us` the last instant, `numbers` the sum. Time without a number counts for two lengths at most.
    """

    __slots__ = ()

    def _take(self, number: float, now_us: int) -> None:
        memory = self._memory
        before = memory.numbers[0] if memory.numbers else 0.0
        passed = now_us - memory.since_us if memory.since_us >= 0 else self._length
        memory.numbers = [max(0.0, before + number * min(passed, 2 * self._length) / self._length)]
        memory.since_us = now_us

    def __call__(self, now_us: int) -> Known:  # noqa: ARG002 - what every term takes
        return self._memory.numbers[0] if self._memory.known else None
