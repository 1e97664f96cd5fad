"""The terms of a revision, from what its file says to values, with every name checked. Pure."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from facility.fields import unknown
from facility.instant import parse_instant
from ticketing.calendar import Calendar
from ticketing.contract import NamedClock, PauseReason, Promise, ServiceLevel
from ticketing.contract_fields import LimitText, MatchEntry, Pauses
from ticketing.contract_match import Match
from ticketing.modify import clock_names
from ticketing.terms import (
    CapPeriod,
    CostTerms,
    Declared,
    Escalation,
    Modifier,
    PenaltyTerm,
    PenaltyTerms,
    Season,
    Terms,
    WarrantyTerm,
)
from ticketing.terms_file import (
    ClockEntry,
    CostsEntry,
    DeclaredEntry,
    EscalationEntry,
    ModifierEntry,
    PenaltiesEntry,
    TermsPart,
    WarrantyEntry,
)

Path = tuple[str | int, ...]
Refuse = Callable[..., None]
"""Takes the path, what is wrong, and what to do."""
ANY = frozenset[str]()


def match_of(entry: MatchEntry) -> Match:
    """The match of an entry."""
    return Match(
        classes=frozenset(entry.equipment_class or ()),
        systems=frozenset(entry.system or ()),
        severities=frozenset(entry.severity or ()),
        rules=frozenset(entry.rule or ()),
        criticalities=frozenset(entry.criticality or ()),
        buildings=frozenset(entry.building or ()),
        spaces=frozenset(entry.space or ()),
        kinds=frozenset(entry.kind or ()),
    )


def promise_of(limit: LimitText, pauses: Pauses | None, usual: frozenset[PauseReason] = frozenset()) -> Promise:
    """A promise with its pauses and their caps; `usual` when the file names none."""
    if pauses is None:
        return Promise(limit, usual)
    caps = tuple((reason, cap) for reason, cap in sorted(pauses.items()) if cap is not None)
    return Promise(limit, frozenset(pauses), caps)


def clocks_of(entries: Mapping[str, ClockEntry]) -> tuple[NamedClock, ...]:
    """The named clocks of a level, in the file's order."""
    return tuple(
        NamedClock(name, promise_of(one.limit, one.pauses), one.starts, one.stops, one.clause)
        for name, one in entries.items()
    )


class TermsLoader:
    """Reads the terms of one revision, whose calendars and levels are known."""

    def __init__(
        self, path: Path, calendars: Mapping[str, Calendar], levels: tuple[ServiceLevel, ...], refuse: Refuse
    ) -> None:
        self._path, self._calendars, self._refuse = path, calendars, refuse
        self._levels = {level.id for level in levels}
        self._clocks = {name for level in levels for name in clock_names(level)}

    def load(self, part: TermsPart) -> Terms:
        """The terms; what names something unknown is refused with its place."""
        return Terms(
            modifiers=tuple(self._modifier(one, index) for index, one in enumerate(part.modifiers)),
            priority_change=part.priority_change,
            escalations=tuple(self._escalation(one, index) for index, one in enumerate(part.escalations)),
            penalties=self._penalties(part.penalties) if part.penalties is not None else None,
            costs=costs_of(part.costs) if part.costs is not None else None,
        )

    def _known(self, noun: str, names: list[str] | None, known: set[str], path: Path) -> frozenset[str]:
        for name in names or ():
            if name not in known:
                self._refuse((*self._path, *path), unknown(noun, name, known))
        return frozenset(names or ())

    def _modifier(self, entry: ModifierEntry, index: int) -> Modifier:
        path: Path = ("modifiers", index)
        calendar = self._calendars.get(entry.outside or "")
        if entry.outside is not None and calendar is None:
            what = unknown("calendar of this revision", entry.outside, self._calendars)
            self._refuse((*self._path, *path, "outside"), what)
            calendar = next(iter(self._calendars.values()))
        return Modifier(
            id=entry.id,
            kind=entry.kind,
            clause=entry.clause,
            factor=entry.factor,
            **({"add": entry.add} if entry.add is not None else {}),
            clocks=self._known("clock of this revision", entry.clocks, self._clocks, (*path, "clocks")),
            levels=self._known("level of this revision", entry.levels, self._levels, (*path, "levels")),
            calendar=calendar,
            warnings=frozenset(entry.warning or ()),
            priority_up=entry.priority_up,
        )

    def _escalation(self, entry: EscalationEntry, index: int) -> Escalation:
        path: Path = ("escalations", index)
        self._known("clock of this revision", [entry.clock], self._clocks, (*path, "clock"))
        unit, percent, offset = entry.at
        levels = self._known("level of this revision", entry.levels, self._levels, (*path, "levels"))
        return Escalation(entry.id, entry.clock, unit, tuple(entry.to), percent, offset, levels)

    def _penalties(self, entry: PenaltiesEntry) -> PenaltyTerms:
        terms = []
        for index, one in enumerate(entry.terms):
            path: Path = ("penalties", "terms", index, "clocks")
            clocks = self._known("clock of this revision", one.clocks, self._clocks, path)
            terms.append(PenaltyTerm(one.id, one.clause, one.amount, one.percent, one.per, clocks, match_of(one.match)))
        cap = entry.cap
        return PenaltyTerms(
            currency=entry.currency,
            monthly_fee=entry.monthly_fee,
            terms=tuple(terms),
            cap_amount=cap.amount if cap is not None else None,
            cap_percent=cap.percent if cap is not None else None,
            cap_period=cap.per if cap is not None else CapPeriod.MONTH,
            corrective_after=entry.corrective_after,
        )


def costs_of(entry: CostsEntry) -> CostTerms:
    """The cost standard of an entry."""
    return CostTerms(
        currency=entry.currency,
        chargeable=entry.chargeable,
        labour_per_hour=Decimal(entry.labour_per_hour),
        call_out=Decimal(entry.call_out),
        free_parts_up_to=Decimal(entry.free_parts_up_to),
        quote_above=entry.quote_above,
        clause=entry.clause,
        warranty=tuple(_warranty(one) for one in entry.warranty),
        installer=entry.installer,
    )


def _warranty(entry: WarrantyEntry) -> WarrantyTerm:
    season = Season(entry.season.name, entry.season.first, entry.season.last) if entry.season is not None else None
    months = (entry.years or 0) * 12 + (entry.months or 0)
    return WarrantyTerm(entry.clause, match_of(entry.match), months, entry.seasons or 0, season)


def declared_of(entry: DeclaredEntry, zone: ZoneInfo) -> Declared:
    """A declaration. Raises ValueError for instants that are none, or in the wrong order."""
    return Declared(
        kind=entry.kind,
        from_at=instant_of(entry.from_at, zone),
        until_at=instant_of(entry.until, zone) if entry.until is not None else None,
        warning=entry.warning,
        buildings=frozenset(entry.buildings or ()),
        assets=frozenset(entry.assets or ()),
        proof=entry.proof,
    )


def instant_of(text: str, zone: ZoneInfo) -> datetime:
    """A date (midnight in the zone) or an instant with its zone, as aware UTC. Raises ValueError."""
    if len(text) == len("2026-01-01"):
        return datetime.combine(datetime.fromisoformat(text).date(), time(), zone).astimezone(UTC)
    return parse_instant(text)
