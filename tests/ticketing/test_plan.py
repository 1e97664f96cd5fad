"""The preventive plan: which visit is due when, worked out by hand; and its orders, opened once, on both databases."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.errors import InputError
from facility.registry import Registry
from plantroom.database import Database
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.contract_match import Match
from ticketing.desk import Desk
from ticketing.lists import read_findings, read_orders
from ticketing.plan import Anchor, CatchUp, CheckItem, LastVisit, Visit, decide_visits, parse_every, whole_checklist
from ticketing.preventive import due
from ticketing.repository import OrderQuery, find_order
from ticketing.transition import Act, carry_out
from ticketing.views import WorkOrderView
from ticketing.work_order import Refused, Verb

BEGIN = date(2026, 1, 10)
TEXT = (Path(__file__).parents[1] / "data/ticketing/contract.yaml").read_text(encoding="utf-8")
PLAN = """
    preventive:
      - id: fortnight
        clause: "7.3"
        name: Half-month maintenance
        match: {class: elevator}
        every: half month
        first_on: 2026-01-10
        statutory: true
        early_days: 3
        checklist: [Clean the door sill, {text: Brake gap, answer: number, unit: mm, minimum: 0.3, maximum: 0.7}]
      - {id: quarter, match: {class: elevator}, every: quarter, first_on: 2026-01-10, early_days: 5,
         contains: [fortnight], checklist: [Oil the guide rails]}
      - {id: filters, match: {class: ahu}, every: 2 months, follows: floating, first_on: 2026-03-01}
"""


def visit(name: str = "v", every: str = "month", **changes: Any) -> Visit:  # noqa: ANN401 - any field
    values: dict[str, Any] = {"id": name, "clause": "7", "name": name, "match": Match(), "first_on": BEGIN}
    return Visit(every=parse_every(every), **(values | changes))


def days(visits: list[Visit], last: dict[str, LastVisit], today: date, starts_on: date = BEGIN) -> list[str]:
    return [f"{one.visit.id} {one.due_on:%m-%d}" for one in decide_visits(visits, last, starts_on, today)]


@pytest.mark.parametrize(
    ("every", "dates"),
    [
        ("half month", [date(2026, 1, 25), date(2026, 2, 10), date(2026, 2, 25)]),
        ("month", [date(2026, 2, 10), date(2026, 3, 10), date(2026, 4, 10)]),
        ("quarter", [date(2026, 4, 10), date(2026, 7, 10), date(2026, 10, 10)]),
        ("5 years", [date(2031, 1, 10), date(2036, 1, 10), date(2041, 1, 10)]),
        ("15 days", [date(2026, 1, 25), date(2026, 2, 9), date(2026, 2, 24)]),
        ("2 weeks", [date(2026, 1, 24), date(2026, 2, 7), date(2026, 2, 21)]),
    ],
)
def test_intervals_from_half_a_month_to_five_years(every: str, dates: list[date]) -> None:
    assert [parse_every(every).after(BEGIN, count) for count in (1, 2, 3)] == dates


def test_a_month_without_the_day_uses_its_last_one_and_does_not_forget_the_day() -> None:
    month = parse_every("month")
    assert [month.after(date(2026, 1, 31), count) for count in (1, 2, 3)] == [
        date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]  # fmt: skip


@pytest.mark.parametrize("text", ["6 years", "0 days", "often", 14, "1831 days"])
def test_what_is_no_interval_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"is no interval|is not between"):
        parse_every(text)


def test_a_fixed_visit_is_opened_with_its_early_window_and_only_once() -> None:
    one = visit(early_days=3)
    assert days([one], {}, date(2026, 1, 6)) == []
    assert days([one], {}, date(2026, 1, 7)) == ["v 01-10"]
    done = {"v": LastVisit(date(2026, 1, 10), date(2026, 1, 8))}
    assert days([one], done, date(2026, 1, 10)) == []
    assert days([one], done, date(2026, 2, 7)) == ["v 02-10"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (CatchUp.ONCE, ["v 04-10", "v 05-10"]),
        (CatchUp.ALL, ["v 02-10", "v 03-10", "v 04-10", "v 05-10"]),
        (CatchUp.SKIP, ["v 05-10"]),
    ],
)
def test_after_downtime_the_policy_says_what_is_made_up(policy: CatchUp, expected: list[str]) -> None:
    last = {"v": LastVisit(date(2026, 1, 10), date(2026, 1, 10))}
    assert days([visit(catch_up=policy, early_days=5)], last, date(2026, 5, 6)) == expected


def test_a_plan_that_begins_late_looks_ahead_but_for_what_the_law_asks_for() -> None:
    assert days([visit()], {}, date(2026, 5, 6)) == []
    assert days([visit(statutory=True, catch_up=CatchUp.ALL)], {}, date(2026, 5, 6)) == ["v 04-10"]


def test_a_statutory_visit_cannot_be_skipped_and_early_stays_inside_the_interval() -> None:
    with pytest.raises(ValueError, match="statutory: a missed one cannot be skipped"):
        visit(statutory=True, catch_up=CatchUp.SKIP)
    with pytest.raises(ValueError, match="is not within its interval"):
        visit(early_days=28)


def test_a_floating_visit_follows_the_last_completion() -> None:
    one = visit(follows=Anchor.FLOATING)
    assert days([one], {}, date(2026, 1, 10)) == ["v 01-10"]
    assert days([one], {"v": LastVisit(date(2026, 1, 10), None, is_open=True)}, date(2026, 9, 1)) == []
    late = {"v": LastVisit(date(2026, 1, 10), date(2026, 1, 20))}
    assert days([one], late, date(2026, 2, 19)) == []
    assert days([one], late, date(2026, 2, 20)) == ["v 02-20"]


def test_the_longer_visit_makes_up_for_the_shorter_and_holds_its_check_list() -> None:
    month = visit("month", checklist=(CheckItem("door"),), early_days=3)
    quarter = visit("quarter", "quarter", contains=("month",), checklist=(CheckItem("rope"), CheckItem("door")))
    year = visit("year", "year", contains=("quarter",), checklist=(CheckItem("brake"),))
    visits = [month, quarter, year]
    assert days(visits, {}, date(2026, 1, 10)) == ["year 01-10"]
    known = {one.id: LastVisit(BEGIN, BEGIN) for one in visits}
    assert days(visits, known, date(2026, 2, 10)) == ["month 02-10"]
    known["month"] = LastVisit(date(2026, 3, 10), date(2026, 3, 10))
    assert days(visits, known, date(2026, 4, 10)) == ["quarter 04-10"]
    assert [item.text for item in whole_checklist(year, visits)] == ["door", "rope", "brake"]


@given(st.sampled_from(["half month", "month", "quarter", "10 days"]), st.integers(0, 9), st.integers(1, 400))
def test_asking_every_day_opens_every_date_once_and_never_late(every: str, early: int, length: int) -> None:
    one, last, opened = visit(every=every, early_days=early), dict[str, LastVisit](), list[date]()
    for offset in range(length):
        today = BEGIN + timedelta(days=offset)
        for found in decide_visits([one], last, BEGIN, today):
            assert not found.missed
            opened.append(found.due_on)
            last["v"] = LastVisit(found.due_on)
    assert opened == [parse_every(every).after(BEGIN, count) for count in range(len(opened))]


class Planned:
    """The plan of the contract, run against a database at chosen instants."""

    def __init__(self, database: Database, registry: Registry, more: str = "") -> None:
        start = 'effective_at: "2026-01-01"'
        text = TEXT.replace(start, f"{start}{PLAN.rstrip()}") + more
        self.database, self.registry = database, registry
        self.book = ContractBook([parse_contract(text, "c.yaml")])
        self.desk = Desk(self.book, lambda: registry)

    def run(self, day: str, out: str = "") -> tuple[str, ...]:
        now = datetime.fromisoformat(f"{day}T04:00:00+08:00").astimezone(UTC)
        with self.database.writing() as session:
            return due(session, self.desk, self.book, self.registry, now, is_out_of_service=lambda asset: asset == out)

    def orders(self) -> list[WorkOrderView]:
        with self.database.reading() as session:
            found = read_orders(session, self.book, OrderQuery(limit=None), datetime(2026, 6, 1, tzinfo=UTC))
        return sorted(found, key=lambda order: order.number)

    def do(self, number: int, day: str, *verbs: Verb) -> None:
        at = datetime.fromisoformat(f"{day}T10:00:00+08:00").astimezone(UTC)
        for verb in verbs:
            with self.database.writing() as session:
                row = find_order(session, str(number), lock=True)
                assert row is not None
                assert not isinstance(carry_out(session, self.book, row, Act(verb, "Li", at)), Refused)


DONE = (Verb.ACKNOWLEDGE, Verb.ARRIVE, Verb.COMPLETE, Verb.ACCEPT, Verb.CLOSE)


def test_a_visit_opens_one_order_due_by_the_end_of_its_day(database: Database, registry: Registry) -> None:
    plan = Planned(database, registry)
    assert plan.run("2026-01-04") == ()
    assert len(plan.run("2026-01-07")) == 1
    assert plan.run("2026-01-07") == plan.run("2026-01-09") == ()
    (order,) = plan.orders()
    assert (order.kind, order.rule_id, order.asset_id) == ("preventive", "plan.quarter", "lift-1")
    assert order.cause_key == "lift-1/plan.quarter/2026-01-10"
    assert order.opened_at == datetime(2026, 1, 6, 20, tzinfo=UTC)  # when the plan was asked
    assert (
        order.planned_due_at
        == order.resolution_due_at
        == order.response_due_at
        == datetime(2026, 1, 10, 16, tzinfo=UTC)
    )
    assert "Clean the door sill; Brake gap (from 0.3 to 0.7 mm); Oil the guide rails" in order.advice
    plan.run("2026-01-22")
    assert [one.cause_key for one in plan.orders()[1:]] == ["lift-1/plan.fortnight/2026-01-25"]
    assert "The law asks for it" in plan.orders()[1].advice


def test_a_visit_that_is_done_clears_its_finding_and_the_floating_one_counts_from_then(
    database: Database, registry: Registry
) -> None:
    plan = Planned(database, registry)
    plan.run("2026-03-01")
    number = next(index for index, one in enumerate(plan.orders(), 1) if one.rule_id == "plan.filters")
    plan.do(number, "2026-03-20", *DONE)
    plan.run("2026-03-21")
    with database.reading() as session:
        cleared = read_findings(session, active=False, limit=None)
    assert [one.rule_id for one in cleared] == ["plan.filters"]
    plan.run("2026-05-19")
    assert sum(one.rule_id == "plan.filters" for one in plan.orders()) == 1
    plan.run("2026-05-20")
    assert "ahu-1/plan.filters/2026-05-20" in {one.cause_key for one in plan.orders()}


@pytest.mark.parametrize("declared", [True, False])
def test_nothing_is_opened_for_an_asset_out_of_service(
    database: Database, registry: Registry, *, declared: bool
) -> None:
    more = "\ndeclared:\n  - {kind: out_of_service, from: 2026-01-01, until: 2026-02-01, assets: [lift-1]}\n"
    plan = Planned(database, registry, more if declared else "")
    assert plan.run("2026-01-10", "" if declared else "lift-1") == ()
    plan.run("2026-02-01")  # back again: what the law asks for is made up
    (order,) = plan.orders()
    assert order.cause_key == "lift-1/plan.fortnight/2026-01-25"
    assert "Its day has passed" in order.advice


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("every: half month", "every: sometimes", "'sometimes' is no interval"),
        ("contains: [fortnight]", "contains: [fortnigt]", "did you mean 'fortnight'?"),
        ("id: quarter", "id: fortnight", "is there twice"),
        ("early_days: 3", "early_days: 20", "is not within its interval"),
        ("statutory: true", "statutory: true\n        catch_up: skip", "cannot be skipped"),
        ("answer: number", "answer: choice", "a choice has `options`"),
        ("answer: number, ", "", "only a number has limits"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_its_line(old: str, new: str, said: str) -> None:
    start = 'effective_at: "2026-01-01"'
    assert old in PLAN
    with pytest.raises(InputError, match=r"c\.yaml:\d+") as error:
        parse_contract(TEXT.replace(start, f"{start}{PLAN.replace(old, new).rstrip()}"), "c.yaml")
    assert said in str(error.value)
