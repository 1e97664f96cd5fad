"""The calls of an expression while it runs: each bound to what it looks at, and each able to wake its judgement.

A term that only time can change says at which instant it may, through `Alarm.wake`. None is Unknown.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import methodcaller
from typing import Self

from facility.reading import Quality, Value
from rules.hours import Hours
from rules.memory import NEVER, AssetMemory, PointMemory, TermMemory
from rules.program import Code, Known
from rules.row import Span
from rules.window import Window

MAX_TIMES = 4_096
_MINUTE_US = 60_000_000


class Alarm:
    """When a judgement wants to be looked at again although nothing was read: the earliest wish counts."""

    __slots__ = ("at_us",)

    def __init__(self) -> None:
        self.at_us = NEVER

    def wake(self, at_us: int) -> None:
        """Look again at `at_us`."""
        if at_us < self.at_us:  # noqa: PLR1730 - min() costs three times as much, and this is asked all the time
            self.at_us = at_us


class WindowTerm:
    """`mean`, `delta` and the like. Unknown while the point is, and until the window is full where it must be.

    All judgements that ask the same share one, which answers each instant once: an instant is judged when all its
    readings are known.
    """

    __slots__ = ("_full", "_memory", "_read", "_window", "at_us", "known")

    def __init__(self, memory: PointMemory, window: Window, function: str) -> None:
        self._memory, self._window = memory, window
        self._full = function != "changes"
        if function in ("lowest", "highest"):
            window.keep_extremes()
        self._read: Callable[[Window | Span], Known] = methodcaller("earlier" if function == "ago" else function)
        self.at_us = NEVER
        self.known: Known = None

    def __call__(self, now_us: int) -> Known:
        if now_us != self.at_us:
            self.at_us, self.known = now_us, self._look(now_us)
        return self.known

    def _look(self, now_us: int) -> Known:
        window = self._window.span or self._window
        if self._memory.value is None or self._memory.fresh_until_us < now_us:
            return None
        if self._full and window.started_us > now_us - window.length_us and window.length_us > 1:
            return None  # it fills, so nobody needs to look inside
        window.trim(now_us)
        if self._full and not window.ready(now_us):
            return None
        return self._read(window)


class MeanTerm(WindowTerm):
    """`mean`, which is asked for most."""

    __slots__ = ()

    def _look(self, now_us: int) -> Known:
        span = self._window.span
        if span is None:
            return super()._look(now_us)
        if self._memory.value is None or self._memory.fresh_until_us < now_us:
            return None
        return span.mean_at(now_us)


class ConditionTerm(ABC):
    """What `since`, `count` and `starts` share: the condition, evaluated before the rule's own."""

    __slots__ = ("_alarm", "_code", "_length", "looked_at", "memory")
    _counts = False

    def __init__(
        self, code: Code, looked_at: Sequence[PointMemory], memory: TermMemory, alarm: Alarm, length_us: int = 0
    ) -> None:
        self._code, self.looked_at, self.memory = code, looked_at, memory
        self._alarm, self._length = alarm, length_us

    def update(
        self,
        values: Sequence[Value | None],
        constants: Sequence[float],
        terms: Sequence[Callable[[int], Known]],
        now_us: int,
    ) -> None:
        """Evaluate the condition at `now_us` and remember what it takes."""
        self.settle(self._code(values, constants, terms, now_us), now_us)

    def settle(self, truth: Known, now_us: int) -> None:
        """Remember what it takes that the condition is `truth` at `now_us`; again at one instant changes nothing."""
        memory = self.memory
        if truth is not True:
            memory.since_us, memory.known = -1, truth if truth is False else None
            return
        if self._counts and any(point.good_us == now_us for point in self.looked_at):
            self._append(now_us)
        if memory.since_us < 0:
            memory.since_us = now_us
        memory.known = True
        alarm = self._alarm
        for point in self.looked_at:
            if now_us <= point.fresh_until_us < alarm.at_us:
                alarm.at_us = point.fresh_until_us + 1

    def apart(self) -> Self:
        """One that stands where this one does, but remembers for itself and wakes nobody."""
        memory = replace(self.memory, times=list(self.memory.times), numbers=list(self.memory.numbers))
        return type(self)(self._code, self.looked_at, memory, Alarm(), self._length)

    @abstractmethod
    def __call__(self, now_us: int) -> Known:
        """The term's value now."""

    def _append(self, now_us: int) -> None:
        times = self.memory.times
        if times and times[-1] == now_us:
            return
        times.append(now_us)
        if len(times) > MAX_TIMES:
            del times[0]

    def _number(self, now_us: int) -> float:
        times, start = self.memory.times, now_us - self._length
        while times and times[0] <= start:
            del times[0]
        return float(len(times))


class SinceTerm(ConditionTerm):
    """Seconds since the condition became true."""

    __slots__ = ()

    def value(self, now_us: int) -> Known:
        """The seconds, without a wish to be woken: the comparison makes its own."""
        if self.memory.known is None:
            return None
        return (now_us - self.memory.since_us) / 1e6 if self.memory.since_us >= 0 else 0.0

    def __call__(self, now_us: int) -> Known:
        if self.memory.since_us >= 0:
            passed = now_us - self.memory.since_us
            self._alarm.wake(now_us + _MINUTE_US - passed % _MINUTE_US)
        return self.value(now_us)

    def crossing(self, limit: float, strict: bool, now_us: int) -> None:  # noqa: FBT001 - compiled call
        """Wake when the seconds reach `limit` (`strict`: when they pass it). Only asked while it counts and has not
        long passed it."""
        since_us = self.memory.since_us
        if not math.isfinite(limit):
            return
        at_us = since_us + math.ceil(limit * 1e6) + strict
        if now_us < at_us < self._alarm.at_us:
            self._alarm.at_us = at_us


class CountTerm(ConditionTerm):
    """Instants with a new reading at which the condition was true."""

    __slots__ = ()

    _counts = True

    def __call__(self, now_us: int) -> Known:
        return None if self.memory.known is None else self._number(now_us)


class StartsTerm(ConditionTerm):
    """How often the condition became true. Unknown in between is neither: true, Unknown, true is no start."""

    __slots__ = ()

    def settle(self, truth: Known, now_us: int) -> None:
        before = self.memory.known
        super().settle(truth, now_us)
        if self.memory.known is None:
            self.memory.known = before
        elif self.memory.known and before is False:
            self._append(now_us)

    def __call__(self, now_us: int) -> Known:
        return None if self.memory.known is None else self._number(now_us)


class SilentTerm:
    """No good reading for `length_us` of listened time; false before the first one."""

    __slots__ = ("_alarm", "_length", "_memory")

    def __init__(self, memory: PointMemory | AssetMemory, length_us: int, alarm: Alarm) -> None:
        self._memory, self._length, self._alarm = memory, length_us, alarm

    def __call__(self, now_us: int) -> Known:
        return self._memory.seen and self._passed(now_us)

    def _passed(self, now_us: int) -> bool:
        due = self._memory.quiet_from_us + self._length
        if self._memory.quiet_from_us < 0:
            return False
        if now_us < due:
            self._alarm.wake(due)
        return now_us >= due


class NeverSeenTerm(SilentTerm):
    """Not one good reading in `length_us` of listened time since we began to listen."""

    __slots__ = ()

    def __call__(self, now_us: int) -> Known:
        return not self._memory.seen and self._passed(now_us)


class FlagTerm:
    """Whether the last reading carries a quality; Unknown when it is stale or there was none."""

    __slots__ = ("_alarm", "_limit", "_memory", "_quality")

    def __init__(self, memory: PointMemory, limit_us: int, quality: Quality, alarm: Alarm) -> None:
        self._memory, self._limit, self._quality, self._alarm = memory, limit_us, quality, alarm

    def __call__(self, now_us: int) -> Known:
        until = self._memory.quality_us + self._limit
        if self._memory.quality_us < 0 or until < now_us:
            return None
        flagged = self._memory.quality == self._quality
        if flagged:
            self._alarm.wake(until + 1)
        return flagged


class VisitTerm:
    """How far a counter went since the last recorded visit, without one since it read `before`."""

    __slots__ = ("_before", "_memory")

    def __init__(self, memory: PointMemory, before: float) -> None:
        self._memory, self._before = memory, before

    def __call__(self, now_us: int) -> Known:
        value = self._memory.value
        if not isinstance(value, float) or self._memory.fresh_until_us < now_us:
            return None
        visited = self._memory.visited
        return value + self._memory.unrolled - (self._before if visited is None else visited)


class HoursTerm:
    """`occupied()`, `hour()` and the like; wakes when they may change."""

    __slots__ = ("_alarm", "_hours", "_read")

    def __init__(self, hours: Hours, function: str, alarm: Alarm) -> None:
        self._hours, self._alarm = hours, alarm
        self._read: Callable[[int], Known] = getattr(hours, function)

    def __call__(self, now_us: int) -> Known:
        value = self._read(now_us)
        self._alarm.wake(self._hours.until_us)
        return value
