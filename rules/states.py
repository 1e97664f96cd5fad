"""Calls about what something was before: how long a value has held, how often it switched, how many of the last ones.

They work on any expression, so on operating states too. The value before an Unknown one counts on behind it: a gap in
the readings is no change of state.
"""

from collections.abc import Callable, Sequence
from typing import Self

from facility.reading import Value
from rules.program import Known
from rules.terms import ConditionTerm, SinceTerm


class HeldTerm(SinceTerm):
    """Seconds since the value last changed, counted from the first one.

    Memory: `since_us` the last change, `slot` the value's text, `value` its number, `known` whether it is known now.
    """

    __slots__ = ()

    def update(
        self,
        values: Sequence[Value | None],
        constants: Sequence[float],
        terms: Sequence[Callable[[int], Known]],
        now_us: int,
    ) -> None:
        """Evaluate the expression at `now_us` and remember what it gave."""
        memory, given = self.memory, self._code(values, constants, terms, now_us)
        memory.known = None if given is None else True
        if given is None:
            return
        text, number = (given, None) if isinstance(given, str) else ("", float(given))
        changed = memory.slot != text or memory.value != number
        if memory.since_us < 0 or changed:
            if memory.since_us >= 0:
                self._change(now_us)
            memory.since_us, memory.slot, memory.value = now_us, text, number
        for point in self.looked_at:
            if point.fresh_until_us >= now_us:
                self._alarm.wake(point.fresh_until_us + 1)

    def _change(self, now_us: int) -> None:
        """It is another one than before, from `now_us` on."""


class SettledTerm(HeldTerm):
    """The value itself, Unknown until it has held for the whole duration."""

    __slots__ = ()

    def __call__(self, now_us: int) -> Known:
        memory = self.memory
        if memory.known is None or memory.since_us < 0:
            return None
        due = memory.since_us + self._length
        if now_us < due:
            self._alarm.wake(due)
            return None
        return memory.slot if memory.value is None else memory.value


class SwitchesTerm(HeldTerm):
    """How often the value changed in the window. Memory: `times` the instants of the changes."""

    __slots__ = ()

    def _change(self, now_us: int) -> None:
        self._append(now_us)

    def __call__(self, now_us: int) -> Known:
        return None if self.memory.known is None else self._number(now_us)


class OfLastTerm(ConditionTerm):
    """At how many of the last readings the condition was true. Memory: `times` 0 or 1 for each, the newest last."""

    __slots__ = ("_of",)

    def of(self, number: float) -> "OfLastTerm":
        """Give it the number of readings it looks back."""
        self._of = max(int(number), 1)
        return self

    def apart(self) -> Self:
        """One that remembers for itself, and looks back as far."""
        one = super().apart()
        one._of = self._of  # noqa: SLF001 - of its own class
        return one

    def settle(self, truth: Known, now_us: int) -> None:
        """Remember whether it was true at this reading; one at which it is Unknown does not count."""
        memory = self.memory
        if truth is None or memory.since_us == now_us or all(point.good_us != now_us for point in self.looked_at):
            return
        memory.since_us, memory.known = now_us, True
        memory.times.append(int(truth is True))
        del memory.times[: -self._of]

    def __call__(self, now_us: int) -> Known:
        del now_us
        return float(sum(self.memory.times)) if self.memory.known else None
