"""Opens the orders of the preventive plan when they are due, through the desk. The same minute again opens nothing.

A visit becomes a finding of kind preventive whose cause is asset, visit and day; the desk opens its order, due by the
end of that day. `due` is called every minute by whoever owns the clock.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from facility.asset import Asset
from facility.finding import Evidence, Finding, FindingState, OrderKind, Severity, finding_id
from facility.instant import to_us
from facility.registry import Registry
from ticketing.contract import Contract, Revision
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.level import LevelFacts, covers, facts_about
from ticketing.meter_rows import MeterSource, counted_since, keep_counter
from ticketing.plan import DueVisit, LastVisit, Visit, decide_visits, whole_checklist
from ticketing.terms import DeclaredKind
from ticketing.visit_rows import Newest, clear_done, newest_visits


@dataclass(frozen=True, slots=True)
class _Subject:
    """An asset as the terms ask about it, when the work on it is planned."""

    asset_id: str
    building_id: str
    rule_id: str = ""
    kind: OrderKind = OrderKind.PREVENTIVE
    severity: Severity = Severity.LOW


def due(
    session: Session,
    desk: Desk,
    book: ContractBook,
    registry: Registry,
    now: datetime,
    *,
    is_out_of_service: Callable[[str], bool] = lambda _: False,
    meters: MeterSource | None = None,
) -> tuple[str, ...]:
    """Open every visit that is due at `now` (aware UTC); the ids of the orders opened. The caller commits.

    Nothing is opened for an asset that is out of service; its dates count as missed when it returns. `meters` gives
    what counters show now; it is kept beside what people read off.
    """
    clear_done(session)
    known = newest_visits(session)
    findings: list[Finding] = []
    planned: dict[str, datetime] = {}
    for asset in registry.assets.values():
        if is_out_of_service(asset.id):
            continue
        for finding, due_at in _of_asset(session, asset, book, registry, known, now, meters):
            findings.append(finding)
            planned[finding.id] = due_at
    return desk.receive(session, findings, planned=planned).opened if findings else ()


def terms_of_asset(
    asset: Asset, book: ContractBook, registry: Registry, now: datetime
) -> tuple[Contract, list[Visit], date] | None:
    """The contract in force for an asset, its visits, and when its plan began; None without any."""
    facts = facts_about(_Subject(asset.id, asset.building_id), registry)
    terms = _terms(book, facts, now)
    if terms is None:
        return None
    contract, revision = terms
    began_on = revision.effective_at.astimezone(contract.zone).date()
    starts_on = max(began_on, asset.accepted_on) if asset.accepted_on is not None else began_on
    return contract, [visit for visit in revision.visits if covers(visit.match, facts)], starts_on


def _of_asset(
    session: Session,
    asset: Asset,
    book: ContractBook,
    registry: Registry,
    known: dict[tuple[str, str], Newest],
    now: datetime,
    meters: MeterSource | None,
) -> Iterator[tuple[Finding, datetime]]:
    facts = facts_about(_Subject(asset.id, asset.building_id), registry)
    terms = _terms(book, facts, now)
    if terms is None or _is_declared_out(terms[0], asset, now):
        return
    contract, revision = terms
    zone = contract.zone
    visits = [visit for visit in revision.visits if covers(visit.match, facts)]
    today, began_on = now.astimezone(zone).date(), revision.effective_at.astimezone(zone).date()
    starts_on = max(began_on, asset.accepted_on) if asset.accepted_on is not None else began_on
    last = {
        visit.id: _last(known[asset.id, visit.rule_id], zone) for visit in visits if (asset.id, visit.rule_id) in known
    }
    counted = _counted(session, asset, visits, {rule: newest for (_, rule), newest in known.items() if _ == asset.id},
                       now, meters)  # fmt: skip
    for one in decide_visits(visits, last, starts_on, today, counted):
        due_at = _midnight(one.due_on + timedelta(days=1), zone)
        yield _finding(one, asset, revision, now, due_at), due_at


def _counted(
    session: Session,
    asset: Asset,
    visits: Sequence[Visit],
    known: Mapping[str, Newest],
    now: datetime,
    meters: MeterSource | None,
) -> dict[str, float]:
    """Visit id -> what its meter has counted since the last visit was done; nothing for a meter nobody has read."""
    found = {}
    for visit in visits:
        if visit.meter is None:
            continue
        shown = meters.read(asset.id, visit.meter.meter) if meters is not None else None
        if shown is not None and shown.at <= now:
            keep_counter(session, asset.id, visit.meter.meter, shown.value, shown.at)
        newest = known.get(visit.rule_id)
        counted = counted_since(session, asset.id, visit.meter.meter, newest[1] if newest is not None else None, now)
        if counted is not None:
            found[visit.id] = counted
    return found


def _terms(book: ContractBook, facts: LevelFacts, now: datetime) -> tuple[Contract, Revision] | None:
    choice = book.choose(facts, now)
    contract = next((one for one in book.contracts if one.id == choice.contract_id), None)
    revision = book.revision(choice.contract_id, choice.revision)
    return (contract, revision) if contract is not None and revision is not None and revision.visits else None


def _is_declared_out(contract: Contract, asset: Asset, now: datetime) -> bool:
    return any(
        one.kind is DeclaredKind.OUT_OF_SERVICE and one.holds(now) and one.concerns(asset.building_id, asset.id)
        for one in contract.declared
    )


def _last(newest: Newest, zone: ZoneInfo) -> LastVisit:
    due_at, completed_at, is_open = newest
    due_on = due_at.astimezone(zone).date() - timedelta(days=1)  # the end of the day is the next midnight
    return LastVisit(due_on, completed_at.astimezone(zone).date() if completed_at is not None else None, is_open)


def _midnight(on: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, time(), zone).astimezone(UTC)


def _finding(due_visit: DueVisit, asset: Asset, revision: Revision, now: datetime, due_at: datetime) -> Finding:
    visit, opened_us = due_visit.visit, to_us(now)
    items = "; ".join(str(item) for item in whole_checklist(visit, revision.visits))
    words = [
        f"Planned visit, due on {due_visit.due_on}{f' (clause {visit.clause})' if visit.clause else ''}.",
        *(["Its day has passed: make it up."] if due_visit.missed else []),
        *([f"By its meter: {due_visit.by_meter}."] if due_visit.by_meter else []),
        *(["The law asks for it: it cannot be left out."] if visit.statutory else []),
        *([f"Check list: {items}."] if items else []),
    ]
    return Finding(
        id=finding_id(visit.rule_id, asset.id, to_us(due_at)),
        rule_id=visit.rule_id,
        asset_id=asset.id,
        building_id=asset.building_id,
        kind=OrderKind.PREVENTIVE,
        severity=Severity.LOW,
        state=FindingState.ACTIVE,
        title=visit.name,
        advice=" ".join(words),
        cause_key=f"{asset.id}/{visit.rule_id}/{due_visit.due_on}",
        onset_us=opened_us,
        raised_us=opened_us,
        evidence=(Evidence(asset.id, "due_on", opened_us, str(due_visit.due_on), "date"),),
    )
