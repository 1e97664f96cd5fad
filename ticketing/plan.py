"""The preventive plan by calendar and meter: which visit of an asset is due on which day. Pure; days are local dates.

Fixed visits keep to their dates whenever the last one was done; floating ones follow the last completion. A longer
visit contains the shorter ones: where both fall together only the longer one is made, with both check lists.
"""

import math
import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from ticketing.contract_match import Match

_NAMES = {"half month": (0, 0, 1), "month": (0, 1, 0), "quarter": (0, 3, 0), "half year": (0, 6, 0), "year": (0, 12, 0)}
_COUNTED = re.compile(r"^(\d{1,3}) (days?|weeks?|months?|years?)$")
_HINT = "write half month, month, quarter, half year, year, or a count such as '15 days', '2 months' or '5 years'"
HALF = 15


class Anchor(StrEnum):
    """What the dates of a visit follow."""

    FIXED = "fixed"
    FLOATING = "floating"


class CatchUp(StrEnum):
    """What becomes of dates that passed while nobody opened them: the newest, all of them, or none."""

    ONCE = "once"
    ALL = "all"
    SKIP = "skip"


class AnswerKind(StrEnum):
    """What an item of a check list is answered with."""

    CHECK = "check"
    NUMBER = "number"
    CHOICE = "choice"
    PHOTO = "photo"
    SIGNATURE = "signature"


def add_months(on: date, months: int) -> date:
    """The same day so many months later, or the month's last day where there is no such day."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return date(year, month + 1, min(on.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class Every:
    """An interval: days, months, or half months (every second one is the anchor's day 15 days on)."""

    days: int = 0
    months: int = 0
    half_months: int = 0

    def __post_init__(self) -> None:
        given = [one for one in (self.days, self.months, self.half_months) if one]
        if len(given) != 1 or given[0] < 0 or self.days > 1830 or self.months > 60 or self.half_months > 120:
            msg = f"an interval of {self.days} days, {self.months} months is none of 1 day to 5 years"
            raise ValueError(msg)

    def after(self, anchor: date, count: int) -> date:
        """The date so many intervals after the anchor; the month's last day where there is no such day."""
        if self.days:
            return anchor + timedelta(days=self.days * count)
        if self.months:
            return add_months(anchor, self.months * count)
        months, half = divmod(self.half_months * count, 2)
        return add_months(anchor, months) + timedelta(days=HALF * half)

    def __str__(self) -> str:
        amount, noun = next((n, word) for n, word in (
            (self.days, "day"), (self.months, "month"), (self.half_months, "half month")) if n)  # fmt: skip
        return f"every {noun}" if amount == 1 else f"every {amount} {noun}s"

    @property
    def roughly(self) -> int:
        """Its length in days, never more than it is."""
        return self.days or self.months * 28 or self.half_months * 13


def parse_every(text: object) -> Every:
    """`half month`, `quarter`, `15 days`, `5 years` ... Raises ValueError that shows the forms there are."""
    plain = " ".join(text.lower().split()) if isinstance(text, str) else ""
    if plain in _NAMES:
        return Every(*_NAMES[plain])
    match = _COUNTED.match(plain)
    if match is None:
        msg = f"{text!r} is no interval; {_HINT}"
        raise ValueError(msg)
    count, unit = int(match[1]), match[2].rstrip("s")
    try:
        return Every(**({"days": count * (7 if unit == "week" else 1)} if unit in ("day", "week") else
                        {"months": count * (12 if unit == "year" else 1)}))  # fmt: skip
    except ValueError:
        msg = f"{text!r} is not between 1 day and 5 years; {_HINT}"
        raise ValueError(msg) from None


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One line of a check list: what to look at, and what the answer is (a number with its unit and limits ...)."""

    text: str
    answer: AnswerKind = AnswerKind.CHECK
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    options: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.answer is AnswerKind.NUMBER:
            low = "" if self.minimum is None else f"from {self.minimum:g} "
            high = "" if self.maximum is None else f"to {self.maximum:g} "
            return f"{self.text} ({low}{high}{self.unit})".replace(" )", ")").replace("()", "").strip()
        return f"{self.text} ({', '.join(self.options)})" if self.options else self.text


@dataclass(frozen=True, slots=True)
class MeterTerm:
    """So much of a meter of the asset (run hours, trips, door cycles) since the last visit was done."""

    meter: str
    amount: float

    def __post_init__(self) -> None:
        if not 0 < self.amount < math.inf:
            msg = f"an interval of {self.amount} of {self.meter!r} is none; write a number above zero"
            raise ValueError(msg)

    def __str__(self) -> str:
        return f"every {self.amount:g} of {self.meter}"


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit the contract promises for every asset that `match` covers: by calendar, by meter, or by both, whichever
    comes first.

    It may be made `early_days` before its day, and is opened then. `contains` are ids of shorter visits.
    """

    id: str
    clause: str
    name: str
    match: Match
    every: Every | None
    follows: Anchor = Anchor.FIXED
    first_on: date | None = None
    statutory: bool = False
    early_days: int = 0
    catch_up: CatchUp = CatchUp.ONCE
    contains: tuple[str, ...] = ()
    checklist: tuple[CheckItem, ...] = ()
    meter: MeterTerm | None = None

    def __post_init__(self) -> None:
        if self.every is None and self.meter is None:
            msg = f"visit {self.id!r} is never due; give `every`, `meter`, or both"
            raise ValueError(msg)
        if self.every is None and (self.early_days or self.first_on is not None):
            msg = f"visit {self.id!r} goes by its meter alone: it has no dates, and none to be early for"
            raise ValueError(msg)
        if self.every is not None and not 0 <= self.early_days < self.every.roughly:
            msg = f"visit {self.id!r} may be {self.early_days} days early, which is not within its interval"
            raise ValueError(msg)
        if self.statutory and self.catch_up is CatchUp.SKIP:
            msg = f"visit {self.id!r} is statutory: a missed one cannot be skipped; use once or all"
            raise ValueError(msg)

    @property
    def rule_id(self) -> str:
        """What stands for the rule on its orders."""
        return f"plan.{self.id}"

    @property
    def roughly(self) -> int:
        """Its interval in days, never more than it is; by meter alone it counts as the shortest."""
        return self.every.roughly if self.every is not None else 0

    def __str__(self) -> str:
        return " or ".join(str(one) for one in (self.every, self.meter) if one is not None)


@dataclass(frozen=True, slots=True)
class LastVisit:
    """What is known of an asset's newest visit of a kind: the day it was due, when it was done, whether it is open."""

    due_on: date
    completed_on: date | None = None
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class DueVisit:
    """A visit to be opened now. `missed`: its day has passed. `by_meter` says what its meter has counted."""

    visit: Visit
    due_on: date
    opens_on: date
    missed: bool
    by_meter: str = ""


def decide_visits(
    visits: Sequence[Visit],
    last: Mapping[str, LastVisit],
    starts_on: date,
    today: date,
    counted: Mapping[str, float] | None = None,
) -> list[DueVisit]:
    """The visits of one asset to be opened on `today`, by date. `last` is by visit id, `starts_on` when the plan began;
    `counted` is how much the meter of a visit has counted since the last one was done, by visit id.

    Opening them and asking again gives nothing, on that day or later, until the next is due.
    """
    by_id = {visit.id: visit for visit in visits}
    found: list[DueVisit] = []
    for visit in visits:
        longer = [other for other in visits if visit.id in _inside(other, by_id)]
        for due_on in _open_dates(visit, last.get(visit.id), starts_on, today):
            if any(_covers(other, visit, due_on, last.get(other.id), starts_on, today) for other in longer):
                continue
            opens_on = due_on - timedelta(days=visit.early_days)
            found.append(DueVisit(visit, due_on, opens_on, due_on < today))
        by_meter = _by_meter(visit, last.get(visit.id), (counted or {}).get(visit.id))
        if by_meter and not any(one.visit.id == visit.id for one in found):
            found.append(DueVisit(visit, today, today, missed=False, by_meter=by_meter))
    return sorted(found, key=lambda one: (one.due_on, one.visit.id))


def whole_checklist(visit: Visit, visits: Iterable[Visit]) -> tuple[CheckItem, ...]:
    """The check list with those of the visits it contains before it, each item once."""
    by_id = {one.id: one for one in visits}
    ids = sorted(_inside(visit, by_id), key=lambda one: (by_id[one].roughly, one))
    return tuple(dict.fromkeys(item for one in (*ids, visit.id) for item in by_id[one].checklist))


def next_date(visit: Visit, last: LastVisit | None, starts_on: date, today: date) -> date:
    """The next day a visit is due: today or later for fixed ones, after the last completion for floating ones."""
    if visit.follows is Anchor.FLOATING:
        return _floating(visit, last, starts_on)
    return next(on for on in _dates(visit, starts_on, today) if on >= max(today, starts_on))


def fixed_dates(visit: Visit, starts_on: date, until: date) -> list[date]:
    """The fixed dates of a visit by calendar, from the one before `starts_on` to the first after `until`."""
    return _dates(visit, starts_on, until)


def makes_up_for(longer: Visit, visit: Visit, visits: Iterable[Visit]) -> bool:
    """Whether the longer visit contains this one, directly or through another."""
    return visit.id in _inside(longer, {one.id: one for one in visits})


def _by_meter(visit: Visit, last: LastVisit | None, counted: float | None) -> str:
    """What the meter has counted, when that makes the visit due and none is open."""
    if visit.meter is None or counted is None or counted < visit.meter.amount or (last is not None and last.is_open):
        return ""
    return f"{visit.meter.meter} counted {counted:g} since the last one; due at {visit.meter.amount:g}"


def _inside(visit: Visit, by_id: Mapping[str, Visit]) -> set[str]:
    """The ids of every visit it contains, directly or through another."""
    found: set[str] = set()
    queue = list(visit.contains)
    while queue:
        name = queue.pop()
        if name not in found and name in by_id and name != visit.id:
            found.add(name)
            queue += by_id[name].contains
    return found


def _open_dates(visit: Visit, last: LastVisit | None, starts_on: date, today: date) -> list[date]:
    if visit.every is None:
        return []
    until = today + timedelta(days=visit.early_days)
    if visit.follows is Anchor.FLOATING:
        due_on = _floating(visit, last, starts_on)
        return [due_on] if (last is None or not last.is_open) and due_on <= until else []
    after = last.due_on if last is not None else None
    dates = [on for on in _dates(visit, starts_on, until) if starts_on <= on <= until and (after is None or on > after)]
    missed, ahead = [on for on in dates if on < today], [on for on in dates if on >= today]
    if visit.catch_up is CatchUp.SKIP or (last is None and not visit.statutory):
        missed = []  # a plan that begins looks ahead, but for what the law asks for
    elif visit.catch_up is CatchUp.ONCE or last is None:
        missed = missed[-1:]
    return [*missed, *ahead]


def _floating(visit: Visit, last: LastVisit | None, starts_on: date) -> date:
    every = _calendar(visit)
    if last is None:
        return visit.first_on or every.after(starts_on, 1)
    return every.after(last.completed_on or last.due_on, 1)


def _calendar(visit: Visit) -> Every:
    if visit.every is None:
        msg = f"visit {visit.id!r} goes by its meter alone and has no dates"
        raise ValueError(msg)
    return visit.every


def _dates(visit: Visit, starts_on: date, until: date) -> list[date]:
    """The fixed dates from the one before `starts_on` to the first after `until`."""
    anchor, every = visit.first_on or starts_on, _calendar(visit)
    count = (starts_on - anchor).days // (every.roughly + 5 * bool(every.months)) - 2
    count = max(0, count)
    dates = [every.after(anchor, count)]
    while dates[-1] <= until:
        count += 1
        dates.append(every.after(anchor, count))
    return dates


def _covers(
    longer: Visit, visit: Visit, due_on: date, last: LastVisit | None, starts_on: date, today: date
) -> bool:  # fmt: skip
    """Whether the longer visit falls so near that the shorter one need not be made by itself."""
    if longer.every is None:
        return False
    near = timedelta(days=max(longer.early_days, visit.early_days))
    if longer.follows is Anchor.FIXED:
        until = max(today, due_on) + near
        return any(abs(on - due_on) <= near for on in _dates(longer, starts_on, until) if on >= starts_on)
    known = [_floating(longer, last, starts_on), *([last.due_on] if last is not None else [])]
    return any(abs(on - due_on) <= near for on in known)
