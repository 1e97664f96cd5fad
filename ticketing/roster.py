"""Who works for whom: people with skills, certificates, shifts and channels; teams, on-call turns, travel. Pure.

Only values and the questions one may ask them; `ticketing.roster_file` reads them from `roster.yaml`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from facility.finding import Severity
from ticketing.calendar import Calendar


@dataclass(frozen=True, slots=True)
class Certificate:
    """A paper that allows work on an equipment class until and including `until`."""

    name: str
    equipment_class: str
    until: date


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach a person: an Apprise address, which is a secret."""

    name: str
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day in which a person is told only what cannot wait; they may run over midnight."""

    starts: time
    ends: time

    def ends_at(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet hours that hold `at` (aware UTC) are over; None outside of them."""
        local = at.astimezone(zone)
        over_midnight = self.ends <= self.starts
        inside = (
            local.time() >= self.starts or local.time() < self.ends
            if over_midnight
            else self.starts <= local.time() < self.ends
        )
        if not inside:
            return None
        on = local.date() + timedelta(days=over_midnight and local.time() >= self.starts)
        return datetime.combine(on, self.ends, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is told or sent. `buildings` is the zone (empty: all), `home` the building a day begins at.

    `skills` and certificates are for equipment classes. `digest_at` collects what is not urgent until that time of day.
    """

    id: str
    name: str
    language: str = "en"
    roles: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    certificates: tuple[Certificate, ...] = ()
    buildings: frozenset[str] = frozenset()
    home: str = ""
    shift: Calendar | None = None
    channels: tuple[Channel, ...] = ()
    quiet: Quiet | None = None
    digest_at: time | None = None


@dataclass(frozen=True, slots=True)
class OnCall:
    """A turn on call for a team, from `from_at` to `until_at` (aware UTC)."""

    team: str
    person: str
    from_at: datetime
    until_at: datetime

    def __post_init__(self) -> None:
        if self.until_at <= self.from_at:
            msg = f"the turn of {self.person!r} for {self.team!r} lasts no time"
            raise ValueError(msg)

    def holds(self, at: datetime) -> bool:
        """Whether the turn is on."""
        return self.from_at <= at < self.until_at


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """Whom to tell of an event, of orders of these severities (empty: all) and buildings (empty: all)."""

    event: str
    to: tuple[str, ...]
    severities: frozenset[Severity] = frozenset()
    buildings: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Webhook:
    """Another system that is told of events (empty: all), signed with its secret."""

    id: str
    address: str
    secret: str = field(repr=False)
    events: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody. Of an unknown pair of buildings, travel takes `travel_default`; within one, none.

    Orders of the severities in `auto` are dispatched by the program as soon as they are open.
    """

    zone: ZoneInfo
    people: Mapping[str, Person] = field(default_factory=dict, hash=False)
    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    on_call: tuple[OnCall, ...] = ()
    notices: tuple[NoticeRule, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    certified_classes: frozenset[str] = frozenset()
    travel: Mapping[frozenset[str], timedelta] = field(default_factory=dict, hash=False)
    travel_default: timedelta = timedelta(minutes=30)
    visit_time: timedelta = timedelta(hours=1)
    address: str = ""
    auto: frozenset[Severity] = frozenset()

    def resolve(self, name: str, at: datetime) -> tuple[Person, ...]:
        """The people behind a name: a person by id or name, who is on call for a team (else the whole team), or
        everybody of a role. Nobody when the roster knows no such name."""
        if name in self.people:
            return (self.people[name],)
        if name in self.teams:
            turns = {one.person for one in self.on_call if one.team == name and one.holds(at)}
            return tuple(self.people[one] for one in self.teams[name] if not turns or one in turns) or tuple(
                self.people[one] for one in sorted(turns)
            )
        return tuple(one for one in self.people.values() if name in one.roles or name == one.name)

    def travel_between(self, one: str, other: str) -> timedelta:
        """How long the way from one building to the other takes."""
        if not one or not other or one == other:
            return timedelta(0)
        return self.travel.get(frozenset({one, other}), self.travel_default)

    def is_on_call(self, person_id: str, at: datetime) -> bool:
        """Whether a turn of the person is on."""
        return any(one.person == person_id and one.holds(at) for one in self.on_call)


NOBODY = Roster(ZoneInfo("UTC"))
"""The roster of an installation that has none."""
Roll = Callable[[], Roster]
"""Says which roster is in force now: its file may change while the program runs."""
