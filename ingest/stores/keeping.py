"""How long readings are kept, and how finely, by kind of point: single, then five-minute, then hourly ones.

Of numbers that sensors measure, means stay, with least, most, last and count. A mean of a state or a counter says
nothing: of those, readings themselves stay, the last of each span, every change of a state and both sides of a
counter's fall.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from facility.catalogue import PointKind, point_types
from facility.instant import HOUR_US, SECOND_US

SINGLE_US = 0
FIVE_MINUTES_US = 300 * SECOND_US
GONE = None
Span = int | None
"""What one reading stands for, microseconds: `SINGLE_US`, `FIVE_MINUTES_US` or `HOUR_US`; GONE is kept no more."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Days of age, in event time, up to which readings are single, for five minutes, for an hour; 0 is for ever."""

    raw_days: int = 0
    five_minute_days: int = 0
    hour_days: int = 0

    def __post_init__(self) -> None:
        days = (self.raw_days, self.five_minute_days, self.hour_days)
        if min(days) < 0:
            msg = f"days to keep readings are {days}; none may be negative"
            raise ValueError(msg)
        until = [float("inf") if day == 0 else day for day in days]
        if until != sorted(until):
            msg = (
                f"single readings are kept {days[0]} days, five-minute ones {days[1]}, hourly ones {days[2]} (0 is for "
                "ever); each must be at least as long as the one before"
            )
            raise ValueError(msg)

    def span_at(self, age_days: int) -> Span:
        """What one reading stands for at this age."""
        for days, span in ((self.raw_days, SINGLE_US), (self.five_minute_days, FIVE_MINUTES_US)):
            if days == 0 or age_days < days:
                return span
        return HOUR_US if self.hour_days == 0 or age_days < self.hour_days else GONE


@dataclass(frozen=True, slots=True)
class KeepPolicy:
    """A `Keep` for each kind of point; one that is not named is kept for ever. Points of no catalogue are sensors."""

    by_kind: Mapping[PointKind, Keep] = field(default_factory=dict, hash=False)

    def of(self, point: str) -> Keep:
        """What holds for a point."""
        return self.by_kind.get(kind_of(point), _FOR_EVER)

    @property
    def raw_days(self) -> int:
        """Until this age every reading is single, whatever its kind; 0 is for ever."""
        return min((keep.raw_days for keep in self.by_kind.values() if keep.raw_days), default=0)

    def longest(self) -> Keep:
        """What is enough for every kind."""
        every = [self.by_kind.get(kind, _FOR_EVER) for kind in PointKind]
        names = ("raw_days", "five_minute_days", "hour_days")
        days = {name: [getattr(keep, name) for keep in every] for name in names}
        return Keep(**{name: 0 if 0 in found else max(found) for name, found in days.items()})


_FOR_EVER = Keep()


def kind_of(point: str) -> PointKind:
    """The kind of a point by its name."""
    found = point_types().get(point)
    return found.kind if found is not None else PointKind.SENSOR


def parse_policy(raw: str, five_minutes: str, hours: str) -> KeepPolicy:
    """Each text is `90`, or `sensor=90, status=400`: days by kind, others for ever. Raises ValueError."""
    days = {"raw_days": parse_days(raw), "five_minute_days": parse_days(five_minutes), "hour_days": parse_days(hours)}
    policy = {}
    for kind in PointKind:
        try:
            policy[kind] = Keep(**{name: found.get(kind, 0) for name, found in days.items()})
        except ValueError as error:
            msg = f"{kind.value}: {error}"
            raise ValueError(msg) from error
    return KeepPolicy(policy)


def parse_days(text: str) -> Mapping[PointKind, int]:
    """Days by kind; a lone number holds for all. Raises ValueError with the reason."""
    found: dict[PointKind, int] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, number = part.rpartition("=")
        kinds = tuple(PointKind) if not equals else tuple(kind for kind in PointKind if kind.value == name.strip())
        if not kinds or not number.strip().isdecimal():
            known = ", ".join(kind.value for kind in PointKind)
            msg = f"{part!r} is no number of days; write 90, or sensor=90 with a kind of point ({known})"
            raise ValueError(msg)
        found |= dict.fromkeys(kinds, int(number))
    return found
