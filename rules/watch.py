"""Which judgements a changed value of one point concerns."""

from math import inf
from typing import TYPE_CHECKING

from facility.reading import Value

if TYPE_CHECKING:
    from rules.judgement import Judgement

Groups = dict[tuple[str, ...], "dict[int, Judgement]"]
"""By the names of the points that came together: who looks at every reading of one of them and does not sleep."""


class Watch:
    """Who is looked at when one point changes: `always` those whom every change concerns, `bands` those who sleep while
    it stays inside of some numbers. `low` and `high` are the tightest of these. All by the judgements' indexes.
    """

    __slots__ = ("always", "bands", "high", "low")

    def __init__(self) -> None:
        self.always: dict[int, Judgement] = {}
        self.bands: dict[int, tuple[float, float, Judgement]] = {}
        self.low, self.high = -inf, inf

    def add(self, judgement: "Judgement", low: float, high: float) -> None:
        """Look at the judgement once the value leaves `low` to `high`; at every change where these hold no number."""
        if low > high:
            self.always[judgement.index] = judgement
        else:
            self.bands[judgement.index] = low, high, judgement
            self.low, self.high = max(self.low, low), min(self.high, high)

    def remove(self, judgement: "Judgement") -> None:
        """It watches this point no longer."""
        self.always.pop(judgement.index, None)
        gone = self.bands.pop(judgement.index, None)
        if gone is not None and (gone[0] >= self.low or gone[1] <= self.high):
            self.low = max((low for low, _, _ in self.bands.values()), default=-inf)
            self.high = min((high for _, high, _ in self.bands.values()), default=inf)

    def leave(self, value: Value | None, touched: "dict[int, Judgement]") -> None:
        """Add those whose band does not hold the value; None is in nobody's."""
        for index, (low, high, judgement) in self.bands.items():
            if not isinstance(value, float) or not low <= value <= high:
                touched[index] = judgement
