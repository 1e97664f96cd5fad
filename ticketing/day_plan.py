"""The preventive visits of one day, planned: what waits, who may do it, and in what order, as the solver chooses."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlmodel import Session

from facility.registry import Registry
from ticketing import route_ortools
from ticketing.calendar import Calendar
from ticketing.contract_book import ContractBook
from ticketing.dispatch import Loads, decide_dispatch
from ticketing.dispatch_rows import open_visits, task_of
from ticketing.plan import Visit
from ticketing.roster import Person, Roster
from ticketing.route import DayPlan, Hours, Job, Worker, better, decide_day
from ticketing.tables import WorkOrderRow
from ticketing.terms import DeclaredKind


def plan_day(
    session: Session,
    book: ContractBook,
    roster: Roster,
    registry: Registry,
    on: date,
    now: datetime,
    *,
    plain: bool = False,
) -> DayPlan:
    """The plan of a local date of the roster, from `now` on if that is the day. Nothing is changed.

    What is due by the end of the day, and what the law asks for, comes first; what may be made early fills the rest.
    """
    starts_at, ends_at = (datetime.combine(day, time(), roster.zone).astimezone(UTC) for day in (on, on + timedelta(1)))
    from_at = max(now, starts_at)
    jobs, left = [], []
    for row in open_visits(session, ends_at, lambda _: True):
        job = _job(row, book, roster, registry, from_at, ends_at)
        reason = "its asset is declared out of service" if _is_out(row, book, starts_at, ends_at) else ""
        (left.append((job, reason)) if reason else jobs.append(job))
    workers = [
        Worker(person.id, person.home, _hours(person.shift, from_at, ends_at))
        for person in roster.people.values()
        if any(person.id in job.workers for job in jobs) and from_at < ends_at
    ]
    way = roster.travel_between
    plan = decide_day(on, jobs, workers, way)
    wanted = None if plain else route_ortools.order_visits(jobs, workers, way)
    if wanted is not None:
        plan = better(decide_day(on, jobs, workers, way, wanted, route_ortools.NAME), plan)
    return DayPlan(plan.on, plan.routes, (*plan.left, *left), plan.method)


def _job(
    row: WorkOrderRow, book: ContractBook, roster: Roster, registry: Registry, from_at: datetime, ends_at: datetime
) -> Job:
    level = book.level(row.contract_id, row.contract_revision, row.service_level)
    due_at = row.planned_due_at or ends_at
    visit = _visit(row, book)
    overdue = due_at <= from_at  # its window has passed: it is made up as soon as it can be
    return Job(
        order_id=row.id,
        number=f"WO-{row.number:06d}",
        asset_id=row.asset_id,
        building_id=row.building_id,
        opens_at=row.opened_at,
        due_at=ends_at if overdue else due_at,
        takes=roster.visit_time,
        must=due_at <= ends_at or (visit is not None and visit.statutory),
        workers=frozenset(person.id for person in _able(row, roster, registry, from_at)),
        hours=_hours(level.calendar if level is not None else None, from_at, ends_at),
    )


def _able(row: WorkOrderRow, roster: Roster, registry: Registry, at: datetime) -> Sequence[Person]:
    choice = decide_dispatch(task_of(row, registry), roster, Loads(), at)
    return [one.person for one in choice.candidates if not one.against]


def _visit(row: WorkOrderRow, book: ContractBook) -> Visit | None:
    revision = book.revision(row.contract_id, row.contract_revision)
    visits = revision.visits if revision is not None else ()
    return next((visit for visit in visits if visit.rule_id == row.rule_id), None)


def _is_out(row: WorkOrderRow, book: ContractBook, from_at: datetime, until_at: datetime) -> bool:
    contract = next((one for one in book.contracts if one.id == row.contract_id), None)
    return contract is not None and any(
        one.kind is DeclaredKind.OUT_OF_SERVICE
        and one.from_at <= from_at
        and (one.until_at is None or one.until_at >= until_at)
        and one.concerns(row.building_id, row.asset_id)
        for one in contract.declared
    )


def _hours(calendar: Calendar | None, from_at: datetime, until_at: datetime) -> Hours:
    if from_at >= until_at:
        return []
    return [(from_at, until_at)] if calendar is None else list(calendar.intervals(from_at, until_at))
