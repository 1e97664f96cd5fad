"""Key figures out of the tables, on both kinds of database: what people did becomes figures and penalties."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from asking import Client, bare_app

from facility.clock import JournalClock
from facility.finding import Finding
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing import repository
from ticketing.contract import PauseReason
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.kpi import DEFINITIONS, By
from ticketing.kpi_api import build_router
from ticketing.kpi_period import parse_period
from ticketing.kpi_read import Reading, read_period
from ticketing.kpi_views import kpi_view
from ticketing.transition import Act, carry_out
from ticketing.work_order import Refused, Verb, Words

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)  # Monday, 09:00 in Shanghai
PENALTIES = """    repeat_window: "7 days"
    penalties:
      currency: CNY
      monthly_fee: 10000
      cap: {amount: 1300, per: quarter}
      corrective_after: 2
      terms: [{id: late, clause: "5.1", amount: 500, clocks: [response]},
              {id: slow, clause: "5.2", percent: "1 %", per: started_hour, clocks: [resolution]}]
"""
LIFE = (Verb.ACKNOWLEDGE, Verb.ARRIVE, Verb.DIAGNOSE, Verb.REPAIR, Verb.TEST, Verb.COMPLETE)


@pytest.fixture(scope="module")
def book() -> ContractBook:
    path = Path(__file__).parents[1] / "data/ticketing/contract.yaml"
    text = path.read_text(encoding="utf-8").replace(
        '    effective_at: "2026-01-01"\n', '    effective_at: "2026-01-01"\n' + PENALTIES
    )
    return ContractBook([parse_contract(text, "contract.yaml")])


class House:
    """A database, a desk, and people who work."""

    def __init__(self, database: Database, book: ContractBook, registry: Registry, finding: NewFinding) -> None:
        self.database, self.book, self.registry, self.finding = database, book, registry, finding
        self.desk = Desk(book, lambda: registry)

    def opened(self, at: datetime, **changes: Any) -> str:  # noqa: ANN401 - any field of a finding
        with self.database.writing() as session:
            received = self.desk.receive(session, [self.finding(at=at, **changes)])
        (order,) = (*received.opened, *received.reopened)
        return order

    def act(self, order: str, at: datetime, verb: Verb, words: Words = Words("as said")) -> None:
        with self.database.writing() as session:
            row = repository.find_order(session, order, lock=True)
            assert row is not None
            decision = carry_out(session, self.book, row, Act(verb, "Li", at, words))
            assert not isinstance(decision, Refused), decision

    def work(self, order: str, arrives: datetime, completes: datetime) -> None:
        for verb in LIFE:
            self.act(order, completes if verb is Verb.COMPLETE else arrives, verb)

    def read(self, period: str, now: datetime) -> Reading:
        with self.database.reading() as session:
            return read_period(session, self.book, self.registry, parse_period(period), now)

    def figures(self, period: str, now: datetime, by: By = By.ALL) -> dict[str, dict[str, Any]]:
        view = kpi_view(self.read(period, now), by)
        return {group: {name: one.value for name, one in each.items()} for group, each in view.groups.items()}


@pytest.fixture
def house(database: Database, book: ContractBook, registry: Registry, finding: NewFinding) -> House:
    return House(database, book, registry, finding)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def test_a_quarter_of_three_orders(house: House) -> None:
    good = house.opened(AT)
    house.work(good, AT + hours(1), AT + hours(5))
    house.act(good, AT + hours(6), Verb.FOLLOW_UP)
    late = house.opened(AT + hours(48), rule="door-stuck")  # limits of a lift: 2 h and 24 h
    house.work(late, AT + hours(51), AT + hours(48 + 25.5))
    house.opened(AT + hours(72), rule="brake", asset="ahu-1")
    now = AT + timedelta(days=60)
    found = house.figures("2026-Q1", now)["all"]
    assert found["faults"] == 3
    assert found["response_compliance"] == pytest.approx(100 / 3)
    assert found["resolution_compliance"] == pytest.approx(100 / 3)
    assert found["mean_response"] == 120.0
    assert found["mttr"] == pytest.approx((5 + 25.5) / 2)
    assert found["backlog"] == 1
    assert found["follow_up_rate"] == 50.0
    assert found["record_completeness"] == pytest.approx(100 * 8 / 12)  # neither accepted nor with a cost
    by_class = house.figures("2026-03", now, By.CLASS)
    assert (by_class["elevator"]["faults"], by_class["ahu"]["faults"]) == (2, 1)
    assert house.figures("2026-04", now)["all"]["faults"] == 0
    assert house.figures("2026-04", now)["all"]["backlog"] == 1  # opened before, still there


def test_penalties_name_their_clause_and_stop_at_the_cap_of_the_quarter(house: House) -> None:
    for day, month_start in enumerate((AT, AT + timedelta(days=7))):
        order = house.opened(month_start, rule=f"door-{day}")
        house.work(order, month_start + hours(3), month_start + hours(26.5))  # 1 h over, 2.5 h over
    reading = house.read("2026-03", AT + timedelta(days=40))
    assert [(one.clause, one.amount) for one in reading.penalties] == [
        ("5.1", Decimal(500)),
        ("5.2", Decimal(300)),  # three started hours of 1 %
        ("5.1", Decimal(500)),
        ("5.2", Decimal(0)),
    ]
    assert "the cap of 1300 CNY for 2026-Q1 leaves 0" in reading.penalties[3].reason
    assert [(one.month, one.breaches) for one in reading.correctives] == [("2026-03", 4)]
    view = kpi_view(reading, By.BUILDING)
    assert view.groups["tower"]["penalties"].money == {"CNY": Decimal(1300)}
    assert house.figures("2026-02", AT + timedelta(days=40))["all"]["penalties"] == 0


def test_a_held_order_is_not_late_while_its_pause_holds(house: House) -> None:
    order = house.opened(AT)
    house.act(order, AT + hours(1), Verb.ACKNOWLEDGE)
    house.act(order, AT + hours(1), Verb.ARRIVE)
    house.act(order, AT + hours(2), Verb.HOLD, Words("no bearing", PauseReason.PARTS))
    month = AT + timedelta(days=20)
    assert house.figures("2026-03", month)["all"]["resolution_compliance"] is None
    assert house.figures("2026-03", month)["all"]["backlog_overdue"] == 0
    house.act(order, month, Verb.RESUME)
    done = month + hours(21)
    house.act(order, done, Verb.COMPLETE)
    assert house.figures("2026-03", done + hours(1))["all"]["resolution_compliance"] == 100.0


def test_a_fault_that_comes_back_is_a_repeat_and_was_not_fixed_the_first_time(house: House) -> None:
    order = house.opened(AT)
    house.work(order, AT + hours(1), AT + hours(2))
    house.act(order, AT + hours(3), Verb.ACCEPT, Words("as said", override="it looks good"))
    house.act(order, AT + hours(3), Verb.CLOSE)
    assert house.figures("2026-03", AT + hours(4))["all"]["first_time_fix"] == 100.0
    again = house.opened(AT + timedelta(days=2))
    assert again == order
    house.work(order, AT + timedelta(days=2, hours=1), AT + timedelta(days=2, hours=3))
    found = house.figures("2026-03", AT + timedelta(days=3))["all"]
    assert (found["repeat_faults"], found["repeat_share"], found["first_time_fix"]) == (1, 50.0, 0.0)


def test_an_order_of_last_year_is_found_while_it_waits(house: House) -> None:
    house.opened(AT - timedelta(days=100))
    found = house.figures("2026-Q1", AT)["all"]
    assert (found["backlog"], found["backlog_oldest"], found["faults"]) == (1, 100.0, 0)


@pytest.fixture
def client(house: House) -> Client:
    order = house.opened(AT)
    house.work(order, AT + hours(3), AT + hours(5))
    app = bare_app()
    clock = JournalClock(to_us(AT + timedelta(days=60)))
    app.include_router(build_router(house.database, clock, house.book, lambda: house.registry))
    return Client(app)


def test_the_route_gives_every_figure_with_its_definition(client: Client) -> None:
    answer = client.get("/api/kpi", params={"period": "2026-Q1", "by": "supplier"}).json()
    assert [one["id"] for one in answer["definitions"]] == [one.id for one in DEFINITIONS]
    assert all(one["definition"] and one["name_zh"] for one in answer["definitions"])
    assert answer["complete"] is True
    assert set(answer["groups"]) == {"S"}
    assert answer["groups"]["S"]["response_compliance"] == {"value": 0.0, "over": 0.0, "base": 1, "money": {}}
    (penalty,) = answer["penalties"]
    assert (penalty["clause"], penalty["amount"], penalty["number"]) == ("5.1", "500", "WO-000001")
    assert "5.1" in penalty["reason"]


@pytest.mark.parametrize("query", [{}, {"period": "2026-Q7"}, {"period": "2026", "by": "colour"}])
def test_the_route_refuses_with_what_where_and_what_to_do(client: Client, query: dict[str, str]) -> None:
    answer = client.get("/api/kpi", params=query)
    assert answer.status_code == 422
    assert all(answer.json()["detail"][part] for part in ("what", "where", "hint"))


def test_what_has_waited_since_before_is_backlog_until_something_is_decided_about_it(house: House) -> None:
    long_ago = AT - timedelta(days=100)
    house.opened(long_ago)  # late since November; the cap of the quarter is filled from January on
    assert house.read("2026-03", AT).scope.waiting
    found = house.figures("2026-03", AT)["all"]
    assert (found["backlog"], found["backlog_oldest"], found["backlog_overdue"]) == (1, 100.0, 1)
    assert found["response_compliance"] is None  # that was decided in November
    assert house.figures("2025-11", AT)["all"]["response_compliance"] == 0.0
    order = house.opened(long_ago, rule="other")
    house.work(order, AT + hours(1), AT + hours(2))
    assert house.figures("2026-03", AT + hours(3))["all"]["mttr"] == pytest.approx(100 * 24 + 2)
    assert house.figures("2026-03", AT + hours(3), By.BUILDING)["tower"]["backlog"] == 1
    down = house.figures("2026-03", AT + hours(3), By.CLASS)["elevator"]["mtbf"]
    assert down is None  # no fault was opened in March
