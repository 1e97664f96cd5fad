"""What a plot is made from: series, the frame of time they stand in, shaded findings and marked orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from dashboards.web.language import Words
from facility.finding import Severity
from facility.reading import Reading

LEFT, RIGHT = 9.0, 99.0
"""Where the frame starts and ends, in percent of the plot's width: what is left of it holds the axis labels."""
TOP, BOTTOM = 12, 22
"""Room above and below the frame, in pixels."""
ROW = 14
"""Height of a row of words above the frame, in pixels."""


@dataclass(frozen=True, slots=True)
class PlotSeries:
    """Readings in time order. `cadence` is the expected time between them: more than three of it is a gap.

    `values` are an enumeration's values in their order. `is_stepped` holds a value until the next one (commands,
    set points); `is_reference` is drawn dashed behind the others (a set point beside its sensor).
    `css` is the line's class where it is not told apart by its place; such lines have no key.
    """

    label: str
    unit: str
    readings: Sequence[Reading]
    cadence: timedelta
    values: tuple[str, ...] = ()
    is_stepped: bool = False
    is_reference: bool = False
    css: str = ""

    @property
    def is_band(self) -> bool:
        """Whether it is drawn as a band of states and not as a line."""
        return self.unit in ("bool", "enum", "code", "text")

    @property
    def gap_us(self) -> int:
        """Readings further apart than this are not joined."""
        return max(3 * (self.cadence // timedelta(microseconds=1)), 1)


@dataclass(frozen=True, slots=True)
class Shade:
    """A finding's time: `until_us` None while it goes on. Only `is_about` ones tint the field; others are a bar."""

    from_us: int
    until_us: int | None
    label: str
    severity: Severity
    is_about: bool = True


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant worth a line: `order` where one was opened, `due` a deadline, `moment` what the page is about."""

    at_us: int
    label: str
    kind: str = "order"

    def __post_init__(self) -> None:
        if self.kind not in ("order", "due", "moment"):
            msg = f"kind of mark is {self.kind!r}; expected order, due or moment"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Frame:
    """The time a plot covers, [from, until) in microseconds; `now_us` ends what still goes on."""

    from_us: int
    until_us: int
    now_us: int
    zone: ZoneInfo
    words: Words

    def __post_init__(self) -> None:
        if self.until_us <= self.from_us:
            msg = f"a plot from {self.from_us} to {self.until_us} us covers no time; expected from before until"
            raise ValueError(msg)

    def share(self, at_us: int) -> float:
        """Where an instant stands in the frame, 0 to 1, kept inside it."""
        return min(1.0, max(0.0, (at_us - self.from_us) / (self.until_us - self.from_us)))

    def percent(self, at_us: int) -> float:
        """Where an instant stands on the page, in percent of the plot's width."""
        return LEFT + (RIGHT - LEFT) * self.share(at_us)
