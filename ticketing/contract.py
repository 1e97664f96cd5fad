"""A contract as values: revisions in force from an instant on, each with its calendars and service levels. Pure.

`ticketing.contract_file` reads one from YAML, `ticketing.level` chooses the level for a finding, and
`ticketing.deadline` computes the deadlines. An order keeps contract id, revision number and level id, and finds its
terms again by `ContractBook.level`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import combinations
from zoneinfo import ZoneInfo

from ticketing.calendar import Calendar
from ticketing.contract_match import Match, inside, overlap
from ticketing.limit import Limit
from ticketing.plan import Visit
from ticketing.said import Said
from ticketing.terms import NO_TERMS, Declared, Terms
from ticketing.terms_service import NO_SERVICE, ServiceTerms

DEFAULT_LEVEL = "default"


class PauseReason(StrEnum):
    """Why a clock stood still."""

    ACCESS = "access"
    PARTS = "parts"
    THIRD_PARTY = "third_party"
    CUSTOMER = "customer"
    FORCE_MAJEURE = "force_majeure"


class OnRepeat(StrEnum):
    """What becomes of the order when its cause returns inside the window."""

    REOPEN = "reopen"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class RepeatRule:
    """A cause that returns within `window` (around the clock) after the order was closed is a repeat."""

    window: timedelta
    action: OnRepeat = OnRepeat.REOPEN

    def __post_init__(self) -> None:
        if self.window <= timedelta(0):
            msg = f"a repeat window of {self.window} holds nothing; expected a time above zero"
            raise ValueError(msg)


RESPONSE_PAUSES: frozenset[PauseReason] = frozenset()
RESOLUTION_PAUSES = frozenset(PauseReason)


@dataclass(frozen=True, slots=True)
class Promise:
    """One clock of a level: how long, which pauses stop it, and for how long at most (`caps`, around the clock).

    `steps` say in words how modifiers made the limit what it is.
    """

    limit: Limit
    pauses: frozenset[PauseReason]
    caps: tuple[tuple[PauseReason, timedelta], ...] = ()
    steps: tuple[Said, ...] = ()


OPENING = "open"


@dataclass(frozen=True, slots=True)
class NamedClock:
    """A clock beside the two: answer, contain, follow up ... It runs from the first `starts` (a verb, or `open`) to
    the first `stops` after it."""

    name: str
    promise: Promise
    starts: str
    stops: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """What was promised to whom. `priority` 1 is first, 4 last; `line` is where the file says so."""

    id: str
    clause: str
    match: Match
    priority: int
    calendar: Calendar
    response: Promise
    resolution: Promise
    rank: int = 0
    is_default: bool = False
    repeat: RepeatRule | None = None
    clocks: tuple[NamedClock, ...] = ()
    name: str = ""
    force_majeure: tuple[tuple[datetime, datetime | None], ...] = ()
    change: "LevelChange | None" = None
    line: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not 1 <= self.priority <= 4:
            msg = f"level {self.id!r} has priority {self.priority}; expected 1 (first) to 4 (last)"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class LevelChange:
    """The level an order had before a person gave it this one, when, and whether the new limits count from then."""

    before: ServiceLevel
    at: datetime
    from_change: bool


def ties(one: ServiceLevel, other: ServiceLevel) -> bool:
    """Whether nothing decides between the two for a finding that falls under both."""
    first, second = one.match, other.match
    if (len(first.parts()), one.rank) != (len(second.parts()), other.rank) or not overlap(first, second):
        return False
    return not (inside(first, second) or inside(second, first))


@dataclass(frozen=True, slots=True)
class Revision:
    """The terms from `effective_at` (aware UTC) on. `default_level` takes what no level matches."""

    number: int
    effective_at: datetime
    calendars: Mapping[str, Calendar] = field(hash=False)
    levels: tuple[ServiceLevel, ...]
    default_level: ServiceLevel | None
    terms: Terms = field(default=NO_TERMS, hash=False)
    visits: tuple[Visit, ...] = ()
    service: ServiceTerms = field(default=NO_SERVICE, hash=False)

    def __post_init__(self) -> None:
        tie = next((pair for pair in combinations(self.levels, 2) if ties(*pair)), None)
        if tie is not None:
            msg = f"levels {tie[0].id!r} and {tie[1].id!r} of revision {self.number} tie; give one of them a rank"
            raise ValueError(msg)

    @property
    def every(self) -> tuple[ServiceLevel, ...]:
        """The levels, the default level among them."""
        return (*self.levels, *([self.default_level] if self.default_level else []))

    def level(self, level_id: str) -> ServiceLevel | None:
        """The level of this id, the default level among them."""
        return next((level for level in self.every if level.id == level_id), None)


@dataclass(frozen=True, slots=True)
class Contract:
    """One agreement. It covers the named buildings, or every building of the named sites; with neither, everything.

    `revisions` ascend by `effective_at`; `ends_at` (aware UTC, None: open) is the first instant out of force.
    """

    id: str
    name: str
    zone: ZoneInfo
    sites: frozenset[str]
    buildings: frozenset[str]
    revisions: tuple[Revision, ...]
    customer: str = ""
    supplier: str = ""
    ends_at: datetime | None = None
    declared: tuple[Declared, ...] = ()
    where: str = field(default="contract", compare=False)

    def covers(self, site_id: str, building_id: str) -> bool:
        """Whether a building of a site is in scope."""
        if not self.sites and not self.buildings:
            return True
        return site_id in self.sites or building_id in self.buildings

    def revision_at(self, at: datetime) -> Revision | None:
        """The revision in force at an instant; None before the first and from `ends_at` on."""
        if self.ends_at is not None and at >= self.ends_at:
            return None
        return next((one for one in reversed(self.revisions) if one.effective_at <= at), None)

    def revision(self, number: int) -> Revision | None:
        """The revision with this number."""
        return next((one for one in self.revisions if one.number == number), None)
