"""The preventive plan as a calendar: visits that have an order, and those the contract promises for days to come."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from sqlmodel import Session

from dashboards.web.manage_view import VisitState, VisitView
from facility.registry import Registry
from ticketing.contract import Contract
from ticketing.contract_book import ContractBook
from ticketing.plan import LastVisit
from ticketing.plan_ahead import dates_ahead
from ticketing.plan_rows import visits_between
from ticketing.preventive import terms_of_asset
from ticketing.tables import WorkOrderRow
from ticketing.visit_rows import newest_visits
from ticketing.work_order import RUNNING_STATUSES, Status

_DAY = timedelta(days=1)


def planned_visits(
    session: Session, book: ContractBook, registry: Registry, first_on: date, until_on: date, now: datetime
) -> list[VisitView]:
    """The visits of these assets in [first, until), by day."""
    zones = {contract.id: contract.zone for contract in book.contracts}
    usual = next(iter(zones.values()), UTC)
    from_at = datetime.combine(first_on, time(), usual).astimezone(UTC) - _DAY
    until_at = datetime.combine(until_on, time(), usual).astimezone(UTC) + _DAY
    statutory = {
        (contract.id, revision.number, visit.rule_id): (visit.statutory, visit.clause)
        for contract in book.contracts
        for revision in contract.revisions
        for visit in revision.visits
    }
    found = []
    for row in visits_between(session, from_at, until_at, frozenset(registry.buildings)):
        zone = zones.get(row.contract_id or "", usual)
        due_at = row.planned_due_at
        if due_at is None:
            continue
        on = due_at.astimezone(zone).date() - _DAY  # the end of the day is the next midnight
        if first_on <= on < until_on:
            law, clause = statutory.get((row.contract_id or "", row.contract_revision or 0, row.rule_id), (False, ""))
            done_on = row.completed_at.astimezone(zone).date() if row.completed_at is not None else None
            found.append(VisitView(on, row.asset_id, row.title, _state(row, due_at, now), law, row.id, done_on, clause))
    taken = {(one.asset_id, one.name, one.on) for one in found}
    ahead = (one for one in _ahead(session, book, registry, first_on, until_on, now))
    found += [one for one in ahead if (one.asset_id, one.name, one.on) not in taken]
    return sorted(found, key=lambda one: (one.on, one.asset_id, one.name))


def _state(row: WorkOrderRow, due_at: datetime, now: datetime) -> VisitState:
    if row.status == Status.CANCELLED.value:
        return "cancelled"
    if row.completed_at is not None:
        return "done" if row.completed_at <= due_at else "late"
    return "missed" if row.status in RUNNING_STATUSES and due_at <= now else "due"


def _ahead(
    session: Session, book: ContractBook, registry: Registry, first_on: date, until_on: date, now: datetime
) -> Iterator[VisitView]:
    """What the revision in force now promises for the days to come; meters are not foretold."""
    known = newest_visits(session)
    for asset in registry.assets.values():
        terms = terms_of_asset(asset, book, registry, now)
        if terms is None:
            continue
        contract, visits, starts_on = terms
        last = {
            visit.id: _last(contract, known[asset.id, visit.rule_id])
            for visit in visits
            if (asset.id, visit.rule_id) in known
        }
        today = now.astimezone(contract.zone).date()
        for visit, on in dates_ahead(visits, last, starts_on, max(first_on, today), until_on):
            yield VisitView(on, asset.id, visit.name, "planned", visit.statutory, clause=visit.clause)


def _last(contract: Contract, newest: tuple[datetime, datetime | None, bool]) -> LastVisit:
    due_at, done_at, is_open = newest
    due_on = due_at.astimezone(contract.zone).date() - _DAY
    return LastVisit(due_on, done_at.astimezone(contract.zone).date() if done_at is not None else None, is_open)
