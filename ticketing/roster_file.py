"""`roster.yaml`: what it may say, and the roster it makes, every problem with file, line, field and hint.

A secret is written as `env:NAME` and taken from the environment, so that the file can be kept with the others.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from facility.document import Places, check_data, format_path, load_yaml
from facility.errors import InputError, Problem
from facility.fields import Zone, unknown
from facility.instant import parse_instant
from facility.registry import Registry
from ticketing.calendar import Calendar
from ticketing.contract_fields import Classes, ClassName, Identifier, Names, Severities, SpanText, Strict
from ticketing.contract_file import CalendarEntry
from ticketing.contract_load import day_rules
from ticketing.event import Event
from ticketing.roster import Certificate, Channel, NoticeRule, OnCall, Person, Quiet, Roster, Webhook

Path = tuple[str | int, ...]
Environment = Mapping[str, str]
_CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")


def _time(value: object) -> time:
    match = _CLOCK.match(value) if isinstance(value, str) else None
    if match is None:
        msg = f"{value!r} is no time of day; write it in quotes, such as '07:30'"
        raise ValueError(msg)
    return time(int(match[1]), int(match[2]))


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


TimeText = Annotated[time, BeforeValidator(_time), WithJsonSchema({"type": "string", "examples": ["07:30"]})]
When = Annotated[str, BeforeValidator(_text), Field(description="a date, or an instant with its zone")]


class CertificateEntry(Strict):
    """A paper that allows work on an equipment class."""

    name: str
    equipment_class: ClassName = Field(alias="class")
    until: date


class ChannelEntry(Strict):
    """A way to reach a person: an address as Apprise writes them, such as mailto:// or ntfy://, or env:NAME."""

    name: Identifier
    address: str = Field(min_length=1)


class QuietEntry(Strict):
    """The hours in which only what cannot wait is told."""

    starts: TimeText
    ends: TimeText

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.starts == self.ends:
            msg = "quiet hours that start when they end hold nothing, or everything; leave them out"
            raise ValueError(msg)
        return self


class PersonEntry(Strict):
    """One person."""

    id: Identifier
    name: str = ""
    language: Literal["en", "zh"] = "en"
    roles: Names | None = None
    skills: Classes | None = None
    certificates: list[CertificateEntry] = Field(default=[])
    buildings: Names | None = Field(default=None, description="the zone; all buildings when left out")
    home: str = Field(default="", description="the building a day begins at")
    shift: Identifier | None = Field(default=None, description="name of a shift; always at work when left out")
    channels: list[ChannelEntry] = Field(default=[], description="in the order of trying")
    quiet: QuietEntry | None = None
    digest_at: TimeText | None = None


class TurnEntry(Strict):
    """A turn on call."""

    team: Identifier
    person: Identifier
    from_at: When = Field(alias="from")
    until: When


class TravelEntry(Strict):
    """The way between two buildings."""

    between: Annotated[list[str], Field(min_length=2, max_length=2)]
    takes: SpanText


class RuleEntry(Strict):
    """Whom to tell of an event."""

    event: Event
    to: Names
    severity: Severities | None = None
    building: Names | None = None


class WebhookEntry(Strict):
    """Another system."""

    id: Identifier
    address: str = Field(pattern="^(https?://|env:)")
    secret: str = Field(min_length=1, description="env:NAME, or the secret itself; at least 16 characters")
    events: list[Event] = Field(default=[])


class RosterHead(Strict):
    """What holds for everybody. `address` is where people reach the program: signed links begin with it."""

    zone: Zone
    address: str = Field(default="", pattern="^(https?://.*)?$")
    travel: SpanText = timedelta(minutes=30)
    visit: SpanText = Field(default=timedelta(hours=1), description="how long a preventive visit takes")
    auto_dispatch: Severities | None = Field(default=None, description="severities that are dispatched at once")
    certified: Classes | None = Field(default=None, description="classes only people with a certificate may work on")


class RosterFile(Strict):
    """The whole file."""

    roster: RosterHead
    people: list[PersonEntry] = Field(min_length=1)
    shifts: dict[Identifier, CalendarEntry] = Field(default={})
    teams: dict[Identifier, Names] = Field(default={})
    on_call: list[TurnEntry] = Field(default=[])
    travel: list[TravelEntry] = Field(default=[])
    notices: list[RuleEntry] = Field(default=[])
    webhooks: list[WebhookEntry] = Field(default=[])


def parse_roster(text: str, where: str, environment: Environment, registry: Registry | None = None) -> Roster:
    """The roster of one file, checked against the buildings of `registry` if given. Raises InputError with every
    problem, each with its line."""
    data, places = load_yaml(text, where)
    return _Loader(check_data(RosterFile, data, places, where), places, where, environment, registry).load()


class _Loader:
    def __init__(
        self, file: RosterFile, places: Places, where: str, environment: Environment, registry: Registry | None
    ) -> None:
        self.file, self.places, self.where, self.environment = file, places, where, environment
        self.buildings = set(registry.buildings) if registry is not None else None
        self.zone = ZoneInfo(file.roster.zone)
        self.problems: list[Problem] = []

    def refuse(self, path: Path, what: str, hint: str = "") -> None:
        known, line, column = self.places.find(path)
        self.problems.append(Problem(self.where, what, hint, format_path(known), line, column))

    def load(self) -> Roster:
        file = self.file
        shifts = {
            name: Calendar(name, ZoneInfo(entry.zone) if entry.zone else self.zone, day_rules(entry))
            for name, entry in file.shifts.items()
        }
        people = {entry.id: self._person(entry, shifts, ("people", index)) for index, entry in enumerate(file.people)}
        if len(people) < len(file.people):
            self.refuse(("people",), "two people have the same id", "Give each person an id of their own.")
        for name, members in file.teams.items():
            for member in members:
                self._known("person", member, people, ("teams", name))
        turns = [self._turn(entry, people, ("on_call", index)) for index, entry in enumerate(file.on_call)]
        names = {*people, *file.teams, *(role for person in people.values() for role in person.roles), "assignee"}
        for index, rule in enumerate(file.notices):
            for name in rule.to:
                self._known("person, team or role", name, names, ("notices", index, "to"))
        webhooks = [self._webhook(entry, ("webhooks", index)) for index, entry in enumerate(file.webhooks)]
        for index, way in enumerate(file.travel):
            for building in way.between:
                self._building(building, ("travel", index, "between"))
        if self.problems:
            raise InputError(self.problems)
        head = file.roster
        return Roster(
            zone=self.zone,
            people=people,
            teams={name: tuple(members) for name, members in file.teams.items()},
            on_call=tuple(turn for turn in turns if turn is not None),
            notices=tuple(
                NoticeRule(one.event, tuple(one.to), frozenset(one.severity or ()), frozenset(one.building or ()))
                for one in file.notices
            ),
            webhooks=tuple(webhooks),
            certified_classes=frozenset(head.certified or ()),
            travel={frozenset(one.between): one.takes for one in file.travel},
            travel_default=head.travel,
            visit_time=head.visit,
            address=head.address.rstrip("/"),
            auto=frozenset(head.auto_dispatch or ()),
        )

    def _person(self, entry: PersonEntry, shifts: Mapping[str, Calendar], path: Path) -> Person:
        if entry.shift is not None:
            self._known("shift", entry.shift, shifts, (*path, "shift"))
        for building in (*(entry.buildings or ()), *([entry.home] if entry.home else ())):
            self._building(building, path)
        return Person(
            id=entry.id,
            name=entry.name or entry.id,
            language=entry.language,
            roles=frozenset(entry.roles or ()),
            skills=frozenset(entry.skills or ()),
            certificates=tuple(Certificate(one.name, one.equipment_class, one.until) for one in entry.certificates),
            buildings=frozenset(entry.buildings or ()),
            home=entry.home,
            shift=shifts.get(entry.shift or ""),
            channels=tuple(
                Channel(one.name, self._secret(one.address, (*path, "channels", index, "address")))
                for index, one in enumerate(entry.channels)
            ),
            quiet=Quiet(entry.quiet.starts, entry.quiet.ends) if entry.quiet is not None else None,
            digest_at=entry.digest_at,
        )

    def _turn(self, entry: TurnEntry, people: Mapping[str, Person], path: Path) -> OnCall | None:
        self._known("person", entry.person, people, (*path, "person"))
        self._known("team", entry.team, self.file.teams, (*path, "team"))
        try:
            return OnCall(entry.team, entry.person, self._instant(entry.from_at), self._instant(entry.until))
        except ValueError as error:
            self.refuse(path, str(error), "Write dates such as 2026-03-02, or instants with their zone.")
            return None

    def _instant(self, text: str) -> datetime:
        if len(text) == len("2026-03-02"):
            return datetime.combine(date.fromisoformat(text), time(), self.zone).astimezone(UTC)
        return parse_instant(text)

    def _webhook(self, entry: WebhookEntry, path: Path) -> Webhook:
        secret = self._secret(entry.secret, (*path, "secret"))
        if len(secret) < 16 and not self.problems:
            self.refuse(
                (*path, "secret"), "the secret is shorter than 16 characters", "openssl rand -hex 32 makes one."
            )
        address = self._secret(entry.address, (*path, "address"))
        return Webhook(entry.id, address, secret, frozenset(entry.events))

    def _secret(self, text: str, path: Path) -> str:
        if not text.startswith("env:"):
            return text
        name = text.removeprefix("env:")
        if name not in self.environment:
            self.refuse(path, f"the environment has no {name}", f"Set {name}, or write the address itself.")
            return ""
        return self.environment[name]

    def _known(self, noun: str, name: str, known: Any, path: Path) -> None:  # noqa: ANN401 - any collection of names
        if name not in known:
            self.refuse(path, unknown(noun, name, known))

    def _building(self, name: str, path: Path) -> None:
        if self.buildings is not None:
            self._known("building", name, self.buildings, path)
