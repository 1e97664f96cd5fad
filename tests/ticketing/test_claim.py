"""The warranty after hand-over: faults go to the installer with its own limits, and it looks again every quarter."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from people import Remembered, service_book

from facility.finding import Finding
from facility.registry import Registry
from plantroom.database import Database
from ticketing import repository
from ticketing.claim import follow_up_on
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.order_query import OrderQuery
from ticketing.plan import parse_every
from ticketing.service_desks import ServiceDesks
from ticketing.tables import WorkOrderRow
from ticketing.transition import Act, carry_out
from ticketing.work_order import Verb

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
QUARTER = parse_every("quarter")


class Handed:
    """A lift accepted on 10 January 2026 under two years of warranty, and an air handler without any."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self.database, self.book = database, service_book()
        lift = replace(registry.assets["lift-1"], accepted_on=date(2026, 1, 10))
        assets = [lift if one.id == "lift-1" else one for one in registry.assets.values()]
        self.registry = Registry(registry.sites.values(), registry.buildings.values(), registry.spaces.values(), assets)
        self.desk = Desk(self.book, lambda: self.registry)
        self.fresh()

    def fresh(self) -> None:
        """As a new process has them."""
        self.desks = ServiceDesks(self.book, lambda: self.registry, Remembered())

    def opened(self, finding: Finding) -> str:
        with self.database.writing() as session:
            return self.desk.receive(session, [finding]).opened[0]

    def step(self, at: datetime) -> tuple[int, int]:
        with self.database.writing() as session:
            minute = self.desks.step(session, at)
            return minute.claims, minute.follow_ups

    def orders(self) -> list[WorkOrderRow]:
        with self.database.reading() as session:
            return list(repository.list_orders(session, OrderQuery(limit=None)))


@pytest.fixture
def handed(database: Database, registry: Registry) -> Handed:
    return Handed(database, registry)


def test_a_fault_inside_the_warranty_goes_to_the_installer_with_its_reason(handed: Handed, finding: NewFinding) -> None:
    inside, outside = handed.opened(finding()), handed.opened(finding(asset="ahu-1"))
    assert handed.step(AT)[0] == 1
    assert {row.id: row.assignee for row in handed.orders()} == {inside: "Builder", outside: None}
    with handed.database.reading() as session:
        (_, line) = repository.histories(session, [inside])[inside]
    assert (line.verb, line.by) == ("reassign", "desk")
    assert "Inside the warranty, which runs until 2028-01-09: Builder pays." in line.note
    assert handed.step(AT + timedelta(minutes=1))[0] == 0
    handed.fresh()
    assert handed.step(AT + timedelta(minutes=2))[0] == 0  # it is with the installer already


def test_a_claim_has_limits_of_its_own(handed: Handed, finding: NewFinding) -> None:
    order = handed.opened(finding())
    handed.step(AT)
    with handed.database.writing() as session:
        row = repository.find_order(session, order, lock=True)
        assert row is not None
        carry_out(session, handed.book, row, Act(Verb.ACKNOWLEDGE, "Builder", AT + timedelta(hours=25)))
    with handed.database.reading() as session:
        (found,) = handed.desks.claims.claims(session, 10, 0)
    assert (found.installer, found.clause, found.warranty_until) == ("Builder", "8.1", date(2028, 1, 9))
    plan, visit = found.claim.plan, found.claim.visit
    assert (plan.due_at, visit.due_at) == (AT + timedelta(hours=24), AT + timedelta(hours=48))
    assert plan.is_breached(AT + timedelta(hours=26))
    assert not visit.is_breached(AT + timedelta(hours=48))
    assert visit.is_breached(AT + timedelta(hours=49))


def test_a_dispatcher_who_was_faster_keeps_the_order(handed: Handed, finding: NewFinding) -> None:
    order = handed.opened(finding())
    with handed.database.writing() as session:
        row = repository.find_order(session, order, lock=True)
        assert row is not None
        carry_out(session, handed.book, row, Act(Verb.ACKNOWLEDGE, "Li", AT))
    assert handed.step(AT)[0] == 0


def test_follow_up_visits_are_opened_every_quarter_and_once(handed: Handed) -> None:
    days = [date(2026, 4, 9), date(2026, 4, 10), date(2026, 4, 11), date(2026, 5, 30)]
    counts = [handed.step(datetime(day.year, day.month, day.day, 6, tzinfo=UTC))[1] for day in days]
    assert counts == [0, 1, 0, 0]
    handed.fresh()
    assert handed.step(datetime(2026, 5, 31, 6, tzinfo=UTC))[1] == 0
    (visit,) = handed.orders()
    assert "looks at it again" in visit.advice
    assert "复查" in visit.advice
    assert (visit.kind, visit.asset_id, visit.rule_id) == ("preventive", "lift-1", "plan.warranty-follow-up")
    assert visit.planned_due_at == datetime(2026, 4, 10, 16, tzinfo=UTC)  # the end of 10 April in Shanghai


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 4, 9), None),
        (date(2026, 4, 10), date(2026, 4, 10)),
        (date(2026, 7, 9), date(2026, 4, 10)),
        (date(2027, 12, 31), date(2027, 10, 10)),
        (date(2028, 1, 9), date(2027, 10, 10)),
        (date(2028, 1, 10), None),  # the warranty is over
    ],
)
def test_the_day_of_a_follow_up(today: date, expected: date | None) -> None:
    assert follow_up_on(date(2026, 1, 10), date(2028, 1, 9), QUARTER, today) == expected


def test_without_terms_for_claims_nothing_is_routed(
    database: Database, registry: Registry, finding: NewFinding
) -> None:
    handed = Handed(database, registry)
    handed.book = ContractBook(service_book("").contracts)
    handed.desk = Desk(handed.book, lambda: handed.registry)
    handed.fresh()
    handed.opened(finding())
    assert handed.step(AT) == (0, 0)


def test_what_was_rolled_back_is_made_up_by_the_next_minute(handed: Handed, finding: NewFinding) -> None:
    order = handed.opened(finding())
    spring = datetime(2026, 4, 10, 6, tzinfo=UTC)
    with handed.database.reading() as session:  # what a reading session changes is rolled back
        assert handed.desks.claims.step(session, spring) == (1, 1)
    assert handed.step(spring + timedelta(minutes=1)) == (1, 1)
    assert handed.step(spring + timedelta(minutes=2)) == (0, 0)
    with handed.database.reading() as session:
        row = repository.find_order(session, order)
        assert row is not None
        assert row.assignee == "Builder"
