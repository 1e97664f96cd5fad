"""Terms that run along with a number: its mean so far, the value it had at the last mark, and its cumulative sum.

Unlike the windows of a point they work from the first reading on and on any expression; a rule that must not judge a
window that is not yet full says so itself. An Unknown number is left out; the result is Unknown while it lasts.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence

from facility.reading import Value
from rules.memory import PointMemory, TermMemory
from rules.program import Code, Known
from rules.terms import Alarm, ConditionTerm
from rules.window import FIXED

BUCKETS = 512
"""Stretches nearer together than 1/512 of the window share one, so that memory stays bounded."""

_FILLING_S = 1e-3

HUGE = 1e100
"""A number as large as that (the quotient of a hundred and next to nothing) counts as Unknown."""


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
        self.take(self._code(values, constants, terms, now_us), now_us)

    def take(self, number: Known, now_us: int) -> None:
        """Take in what the number is at `now_us`."""
        if not isinstance(number, float) or not -HUGE < number < HUGE:
            self.memory.known = False
            self._interrupt()
            return
        self.memory.known = True
        self._take(number, now_us)
        alarm = self._alarm
        for point in self.looked_at:
            if now_us <= point.fresh_until_us < alarm.at_us:
                alarm.at_us = point.fresh_until_us + 1

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
    `times` start and end of each stretch. What they add up to is kept beside it as whole numbers, so that it is the
    same whether the window slid for a year or was read from a snapshot.
    """

    __slots__ = ("_covered_us", "_quarter", "_times", "_total", "_width")

    def __init__(
        self, code: Code, looked_at: Sequence[PointMemory], memory: TermMemory, alarm: Alarm, length_us: int = 0
    ) -> None:
        super().__init__(code, looked_at, memory, alarm, length_us)
        self._quarter, self._width = length_us // 4, max(length_us // BUCKETS, 1)
        self._gather()

    def _gather(self) -> None:
        """Add up what is remembered: at first, and after it was discarded."""
        times = self._times = self.memory.times
        self._total = sum(int(integral * FIXED) for integral in self.memory.numbers[1:])
        self._covered_us = sum(times[1::2]) - sum(times[::2])

    def _take(self, number: float, now_us: int) -> None:
        memory = self.memory
        since_us, numbers, times = memory.since_us, memory.numbers, memory.times
        if 0 <= since_us < now_us:
            if times is not self._times:
                self._gather()
            turn_us = now_us - self._quarter
            if turn_us > since_us:
                self._add(since_us, turn_us, numbers[0])
                since_us = turn_us
            if times and now_us - times[-2] <= self._width:
                self._add(since_us, now_us, number)
            else:  # nearly always: a stretch of its own
                passed_us = now_us - since_us
                integral = number * passed_us / 1e6
                times += (since_us, now_us)
                numbers.append(integral)
                self._total += int(integral * FIXED)
                self._covered_us += passed_us
            start_us = now_us - self._length
            while times[1] <= start_us:
                self._total -= int(numbers[1] * FIXED)
                self._covered_us -= times[1] - times[0]
                del times[:2], numbers[1]
        memory.since_us = now_us
        if numbers:
            numbers[0] = number
        else:
            numbers.append(number)

    def _add(self, from_us: int, until_us: int, number: float) -> None:
        """Stretches that follow one another and begin and end in one part of the window are one."""
        passed_us = until_us - from_us
        integral = number * passed_us / 1e6
        times, numbers = self._times, self.memory.numbers
        if times and times[-1] == from_us and times[-2] // self._width == (until_us - 1) // self._width:
            times[-1] = until_us
            self._total -= int(numbers[-1] * FIXED)
            numbers[-1] += integral
            self._total += int(numbers[-1] * FIXED)
        else:
            times += (from_us, until_us)
            numbers.append(integral)
            self._total += int(integral * FIXED)
        self._covered_us += passed_us

    def _interrupt(self) -> None:
        self.memory.since_us = -1

    def __call__(self, now_us: int) -> Known:
        memory, start_us = self.memory, now_us - self._length
        if not memory.known:
            return None
        if memory.times is not self._times:
            self._gather()
        times, total, covered_us, index = self._times, self._total, self._covered_us, 0
        while index < len(times) and times[index] < start_us:
            first_us, last_us = times[index], times[index + 1]
            before_us = min(start_us, last_us) - first_us
            total -= int(memory.numbers[1 + index // 2] * FIXED) * before_us // (last_us - first_us)
            covered_us -= before_us
            index += 2
        covered = covered_us / 1e6
        return total / FIXED / (covered if covered_us >= self._length else covered + _FILLING_S)


class SampledTerm(RunningTerm):
    """The number as it was at the last full multiple of the window since the first reading.

    Memory: `since_us` the first reading, `times` the mark, `numbers` the number there.
    """

    __slots__ = ()

    def _take(self, number: float, now_us: int) -> None:
        memory = self.memory
        if memory.since_us < 0:
            memory.since_us = now_us
        mark = (now_us - memory.since_us) // self._length
        if memory.times != [mark]:
            memory.times, memory.numbers = [mark], [number]

    def __call__(self, now_us: int) -> Known:  # noqa: ARG002 - what every term takes
        return self.memory.numbers[0] if self.memory.known else None


class CusumTerm(RunningTerm):
    """Sum of the number, once per window's length, that never falls below zero: what stays on one side adds up.

    Memory: `since_us` the last instant, `numbers` the sum. Time without a number counts for two lengths at most.
    """

    __slots__ = ()

    def _take(self, number: float, now_us: int) -> None:
        memory = self.memory
        before = memory.numbers[0] if memory.numbers else 0.0
        passed = now_us - memory.since_us if memory.since_us >= 0 else self._length
        memory.numbers = [max(0.0, before + number * min(passed, 2 * self._length) / self._length)]
        memory.since_us = now_us

    def __call__(self, now_us: int) -> Known:  # noqa: ARG002 - what every term takes
        return self.memory.numbers[0] if self.memory.known else None
