"""One figure: its value and what it was divided from. A figure of nothing is None, never zero or a hundred percent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in the unit of its definition; `over` of `base`. `money` by currency, of figures that are money."""

    value: float | None
    over: float
    base: int
    money: Mapping[str, Decimal] = field(default_factory=dict, hash=False)


def share(over: int, base: int) -> Figure:
    """A percentage; None of nothing."""
    return Figure(100 * over / base if base else None, over, base)


def count(number: int) -> Figure:
    """A number of things."""
    return Figure(float(number), number, number)


def mean(values: Iterable[float]) -> Figure:
    """The mean; None of nothing."""
    found = list(values)
    return Figure(sum(found) / len(found) if found else None, sum(found), len(found))
