"""`contract.yaml` to a contract, every problem with file, line, field and hint. Pure: the text comes in."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from itertools import combinations, pairwise
from zoneinfo import ZoneInfo

from facility.document import Places, check_data, format_path, load_yaml
from facility.errors import InputError, Problem
from facility.fields import unknown
from facility.site_file import days_of
from ticketing.calendar import Calendar, CalendarError
from ticketing.calendar_days import DayRules
from ticketing.calendar_holidays import CountryHolidays
from ticketing.contract import (
    DEFAULT_LEVEL,
    RESOLUTION_PAUSES,
    RESPONSE_PAUSES,
    Contract,
    OnRepeat,
    RepeatRule,
    Revision,
    ServiceLevel,
    ties,
)
from ticketing.contract_file import (
    CalendarEntry,
    ContractFile,
    LevelEntry,
    RepeatTerms,
    RevisionEntry,
    TermsEntry,
)
from ticketing.contract_match import Match
from ticketing.level import BUILT_IN_LEVEL
from ticketing.plan_file import visits_of
from ticketing.terms import Declared
from ticketing.terms_load import TermsLoader, clocks_of, declared_of, instant_of, match_of, promise_of
from ticketing.terms_service_load import service_terms_of

Path = tuple[str | int, ...]


def parse_contract(text: str, where: str) -> Contract:
    """The contract of one file. Raises InputError with every problem found, each with its line."""
    data, places = load_yaml(text, where)
    return _Loader(check_data(ContractFile, data, places, where), places, where).load()


class _Loader:
    def __init__(self, file: ContractFile, places: Places, where: str) -> None:
        self.file, self.places, self.where = file, places, where
        self.zone = ZoneInfo(file.contract.zone)
        self.problems: list[Problem] = []
        self.revision = file.revisions[0]  # the one being read

    def refuse(self, path: Path, what: str, hint: str = "") -> None:
        known, line, column = self.places.find(path)
        self.problems.append(Problem(self.where, what, hint, format_path(known), line, column))

    def load(self) -> Contract:
        entry = self.file.contract
        revisions = [self._revision(one, ("revisions", index)) for index, one in enumerate(self.file.revisions)]
        self._order(revisions)
        ends_at = None
        if entry.ends_on is not None:
            ends_at = datetime.combine(entry.ends_on + timedelta(days=1), time(), self.zone).astimezone(UTC)
            if ends_at <= revisions[0].effective_at:
                self.refuse(("contract", "ends_on"), "the contract ends before its first revision is in force")
        declared = self._declared()
        if self.problems:
            raise InputError(self.problems)
        return Contract(
            id=entry.id,
            name=entry.name or entry.id,
            zone=self.zone,
            sites=frozenset(entry.sites),
            buildings=frozenset(entry.buildings),
            revisions=tuple(revisions),
            customer=entry.customer,
            supplier=entry.supplier,
            ends_at=ends_at,
            declared=declared,
            where=self.where,
        )

    def _declared(self) -> tuple[Declared, ...]:
        found = []
        for index, entry in enumerate(self.file.declared):
            try:
                found.append(declared_of(entry, self.zone))
            except ValueError as error:
                hint = "Write dates such as 2026-07-20, or instants such as 2026-07-20T06:00:00+08:00."
                self.refuse(("declared", index), str(error), hint)
        return tuple(found)

    def _order(self, revisions: list[Revision]) -> None:
        for index, (earlier, later) in enumerate(pairwise(revisions), start=1):
            path = ("revisions", index)
            if later.number <= earlier.number:
                what = f"revision {later.number} follows revision {earlier.number}"
                self.refuse((*path, "revision"), what, "Number revisions upward.")
            if later.effective_at <= earlier.effective_at:
                what = f"revision {later.number} takes effect no later than revision {earlier.number}"
                self.refuse((*path, "effective_at"), what, "List revisions by the date they take effect.")

    def _revision(self, entry: RevisionEntry, path: Path) -> Revision:
        effective_at = self._effective(entry, path)
        calendars = {
            name: self._calendar(name, one, effective_at, (*path, "calendars", name))
            for name, one in entry.calendars.items()
        }
        self.revision = entry
        default = None
        if entry.default_level is not None:
            place = (*path, "default_level")
            default = self._level(entry.default_level, DEFAULT_LEVEL, Match(), calendars, place, is_default=True)
        levels = [self._matched(one, calendars, (*path, "levels", index)) for index, one in enumerate(entry.levels)]
        if not levels and default is None:
            self.refuse(path, f"revision {entry.revision} promises nothing", "Add `levels` or a `default_level`.")
        self._unique(levels, path)
        tied = self._ties(levels, path)
        every = (*levels, *([default] if default is not None else []))
        terms = TermsLoader(path, calendars, every, self.refuse).load(entry)
        visits = visits_of(entry.preventive, path, self.refuse)
        service = service_terms_of(entry, path, calendars, self.refuse)
        kept = () if tied else tuple(levels)
        return Revision(entry.revision, effective_at, calendars, kept, default, terms, visits, service)

    def _effective(self, entry: RevisionEntry, path: Path) -> datetime:
        text = entry.effective_at
        try:
            return instant_of(text, self.zone)
        except ValueError:
            hint = "Write a date such as 2026-01-01 (midnight in the contract's zone) or 2026-01-01T09:00:00+08:00."
            self.refuse((*path, "effective_at"), f"{text!r} is not a date or an instant", hint)
            return datetime(2000, 1, 1, tzinfo=UTC)

    def _calendar(self, name: str, entry: CalendarEntry, effective_at: datetime, path: Path) -> Calendar:
        zone = ZoneInfo(entry.zone) if entry.zone else self.zone
        calendar = Calendar(name, zone, day_rules(entry))
        try:
            calendar.next_open(effective_at)
        except CalendarError:
            self.refuse(
                path,
                f"calendar {name!r} never opens after this revision takes effect",
                "Give at least one day its hours, such as mon-fri.",
            )
        return calendar

    def _matched(self, entry: LevelEntry, calendars: Mapping[str, Calendar], path: Path) -> ServiceLevel:
        match = match_of(entry.match)
        if not match.parts():
            hint = "Name a class, system, severity, rule, criticality, building, space or kind; or use `default_level`."
            self.refuse((*path, "match"), f"level {entry.id!r} matches everything", hint)
        elif not match.covered_classes():
            what = f"level {entry.id!r} matches nothing: none of its classes is of its systems"
            self.refuse((*path, "match"), what, "Name the class, or the system, but not both.")
        if entry.id in (DEFAULT_LEVEL, BUILT_IN_LEVEL):
            self.refuse((*path, "id"), f"{entry.id!r} is kept for the default level", "Choose another id.")
        return self._level(entry, entry.id, match, calendars, path, rank=entry.rank)

    def _level(
        self,
        entry: TermsEntry,
        level_id: str,
        match: Match,
        calendars: Mapping[str, Calendar],
        path: Path,
        *,
        rank: int = 0,
        is_default: bool = False,
    ) -> ServiceLevel:
        calendar = calendars.get(entry.calendar)
        if calendar is None:
            self.refuse((*path, "calendar"), unknown("calendar of this revision", entry.calendar, calendars))
            calendar = next(iter(calendars.values()))
        return ServiceLevel(
            id=level_id,
            clause=entry.clause,
            match=match,
            priority=entry.priority,
            calendar=calendar,
            response=promise_of(entry.response.limit, entry.response.pauses, RESPONSE_PAUSES),
            resolution=promise_of(entry.resolution.limit, entry.resolution.pauses, RESOLUTION_PAUSES),
            rank=rank,
            is_default=is_default,
            repeat=repeat_rule(entry, self.revision),
            clocks=clocks_of(entry.clocks),
            name=entry.name if isinstance(entry, LevelEntry) else "",
            line=self.places.find(path)[1],
        )

    def _unique(self, levels: list[ServiceLevel], path: Path) -> None:
        seen: dict[str, ServiceLevel] = {}
        for index, level in enumerate(levels):
            if level.id in seen:
                what = f"level {level.id!r} is also on line {seen[level.id].line}"
                self.refuse((*path, "levels", index, "id"), what, "Give each level its own id.")
            seen.setdefault(level.id, level)

    def _ties(self, levels: list[ServiceLevel], path: Path) -> bool:
        tied = False
        for (_, one), (index, other) in combinations(enumerate(levels), 2):
            if one.id != other.id and ties(one, other):
                what = (
                    f"levels {one.id!r} (line {one.line}: {one.match}) and {other.id!r} (line {other.line}: "
                    f"{other.match}) tie: a finding may fall under both"
                )
                self.refuse((*path, "levels", index), what, "Give the one that shall win a higher `rank`.")
                tied = True
        return tied or len({level.id for level in levels}) < len(levels)


def day_rules(entry: CalendarEntry) -> DayRules:
    """The rules of a calendar entry."""
    hours: dict[int, tuple[tuple[int, int], ...]] = {}
    if entry.hours == "always":
        hours = dict.fromkeys(range(7), ((0, 1440),))
    else:
        for days, spans in entry.hours.items():
            hours |= dict.fromkeys(days_of(days), tuple(spans))
    kept = entry.holidays
    return DayRules(
        hours=hours,
        country=CountryHolidays(kept.country, kept.subdivision, make_up_days=kept.make_up_days) if kept else None,
        closures=tuple(entry.closed),
        dates={on: tuple(spans) for on, spans in entry.dates.items()},
        breaks={on: tuple(spans) for on, spans in entry.breaks.items()},
        make_up_hours=tuple(kept.make_up_hours) if kept is not None and kept.make_up_hours is not None else None,
    )


def repeat_rule(level: RepeatTerms, revision: RepeatTerms) -> RepeatRule | None:
    """The rule of a level: what it says itself comes before what its revision says; no window, no rule."""
    window = level.repeat_window or revision.repeat_window
    action = level.on_repeat or revision.on_repeat or OnRepeat.REOPEN
    return RepeatRule(window, action) if window is not None else None
