"""Verified by data, reopened, repeated: the life of an order on both databases."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from facility.finding import Finding, FindingState, OrderKind
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.lists import read_orders
from ticketing.repository import OrderQuery, find_order
from ticketing.transition import Act, carry_out
from ticketing.views import WorkOrderView
from ticketing.work_order import OVERRIDE, Refusal, Refused, Transition, Verb, Words

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
TO_COMPLETE = (Verb.ACKNOWLEDGE, Verb.ARRIVE, Verb.COMPLETE)
TO_CLOSE = (*TO_COMPLETE, Verb.ACCEPT, Verb.CLOSE)
TEXT = (Path(__file__).parents[1] / "data/ticketing/contract.yaml").read_text(encoding="utf-8")


def hours(count: float) -> datetime:
    return AT + timedelta(hours=count)


def book_with(terms: str) -> ContractBook:
    text = TEXT.replace('effective_at: "2026-01-01"', f'effective_at: "2026-01-01"\n    {terms}')
    return ContractBook([parse_contract(text, "contract.yaml")])


class Office:
    """A desk, its database and the people who act on its orders."""

    def __init__(self, database: Database, book: ContractBook, registry: Registry) -> None:
        self.database, self.book, self.desk = database, book, Desk(book, lambda: registry)

    def receive(self, *findings: Finding) -> None:
        with self.database.writing() as session:
            self.desk.receive(session, findings)

    def act(self, verb: Verb, at: datetime, words: Words | None = None, name: str = "1") -> Transition | Refused:
        with self.database.writing() as session:
            row = find_order(session, name, lock=True)
            assert row is not None
            return carry_out(session, self.book, row, Act(verb, "Li", at, words or Words("as it was", to="Wang")))

    def do(self, *verbs: Verb, at: datetime, name: str = "1") -> None:
        for verb in verbs:
            assert isinstance(self.act(verb, at, name=name), Transition), verb

    def orders(self, now: datetime = AT) -> list[WorkOrderView]:
        with self.database.reading() as session:
            found = read_orders(session, self.book, OrderQuery(limit=None), now)
        return sorted(found, key=lambda order: order.number)


def cleared(finding: Finding, at: datetime) -> Finding:
    return msgspec.structs.replace(finding, state=FindingState.CLEARED, cleared_us=to_us(at))


@pytest.fixture
def office(database: Database, book: ContractBook, registry: Registry) -> Office:
    return Office(database, book, registry)


@pytest.fixture(params=["reopen", "link"])
def action(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_fault_that_is_still_active_is_accepted_only_by_a_person_who_says_why(
    office: Office, finding: NewFinding
) -> None:
    office.receive(finding())
    office.do(*TO_COMPLETE, at=hours(1))
    refused = office.act(Verb.ACCEPT, hours(2))
    assert isinstance(refused, Refused)
    assert refused.why is Refusal.STILL_ACTIVE
    assert "still active by the data: Motor hot (lift-1)" in refused.what
    assert "`override`" in refused.hint
    assert isinstance(office.act(Verb.ACCEPT, hours(2), Words(override="sensor is broken")), Transition)
    (order,) = office.orders()
    assert order.status == "accepted"
    assert (order.history[-1].reason, order.history[-1].note) == (
        OVERRIDE, "Accepted while still active (Motor hot (lift-1)): sensor is broken")  # fmt: skip


def test_one_active_member_of_many_stands_against_acceptance(office: Office, finding: NewFinding) -> None:
    first, second = finding(cause_key="zone"), finding(asset="ahu-1", cause_key="zone")
    office.receive(first, second, cleared(first, hours(1)))
    office.do(*TO_COMPLETE, at=hours(1))
    refused = office.act(Verb.ACCEPT, hours(2))
    assert isinstance(refused, Refused)
    assert "ahu-1" in refused.what
    assert "lift-1" not in refused.what
    office.receive(cleared(second, hours(2)))
    office.do(Verb.ACCEPT, at=hours(3))


def test_a_preventive_order_needs_no_recovery(office: Office, finding: NewFinding) -> None:
    office.receive(finding(kind=OrderKind.PREVENTIVE))
    office.do(*TO_CLOSE, at=hours(1))


def test_when_the_data_recovered_first_the_order_says_so_and_asks_for_the_cause(
    office: Office, finding: NewFinding
) -> None:
    office.receive(finding())
    (order,) = office.orders()
    assert (order.telemetry.state, order.telemetry.first) == ("active", False)
    office.receive(cleared(finding(), hours(1)))
    (order,) = office.orders()
    assert (order.telemetry.state, order.telemetry.recovered_at) == ("recovered", hours(1))
    assert order.telemetry.first
    assert order.telemetry.asks_for_cause
    assert "say what the cause was" in order.history[-1].note
    office.do(Verb.ACKNOWLEDGE, Verb.ARRIVE, Verb.DIAGNOSE, Verb.COMPLETE, at=hours(2))
    assert not office.orders()[0].telemetry.asks_for_cause


def test_a_recovery_after_the_work_asks_nothing(office: Office, finding: NewFinding) -> None:
    office.receive(finding())
    office.do(*TO_COMPLETE, at=hours(1))
    office.receive(cleared(finding(), hours(2)))
    (order,) = office.orders()
    assert (order.telemetry.state, order.telemetry.first, order.telemetry.asks_for_cause) == ("recovered", False, False)


def test_steps_add_lines_and_leave_the_state(office: Office, finding: NewFinding) -> None:
    office.receive(finding())
    office.do(Verb.REASSIGN, Verb.ACKNOWLEDGE, Verb.ARRIVE, at=hours(1))
    office.do(Verb.CONTAIN, Verb.DIAGNOSE, Verb.REPAIR, Verb.TEST, at=hours(2))
    (order,) = office.orders()
    assert (order.status, order.assignee, order.version) == ("arrived", "Wang", 8)
    assert [line.verb for line in order.history][-4:] == ["contain", "diagnose", "repair", "test"]


@pytest.mark.parametrize("verb", [Verb.DIAGNOSE, Verb.REPAIR, Verb.TEST, Verb.REASSIGN])
def test_what_says_nothing_without_words_is_refused_without(office: Office, finding: NewFinding, verb: Verb) -> None:
    office.receive(finding())
    office.do(Verb.ACKNOWLEDGE, Verb.ARRIVE, at=hours(1))
    refused = office.act(verb, hours(1), Words())
    assert isinstance(refused, Refused)
    assert refused.why is Refusal.NO_REASON
    assert "`note`" in refused.hint or "`to`" in refused.hint


def test_a_reopened_order_resumes_its_resolution_and_keeps_its_response(office: Office, finding: NewFinding) -> None:
    office.receive(finding())
    office.do(Verb.ACKNOWLEDGE, Verb.ARRIVE, at=hours(1))
    office.do(Verb.COMPLETE, at=hours(4))
    before = office.orders()[0]
    office.do(Verb.REOPEN, at=hours(14))
    (order,) = office.orders()
    assert (order.status, order.reopened_at, order.completed_at) == ("open", hours(14), None)
    assert order.resolution_due_at == hours(24 + 10)
    assert order.response_due_at == before.response_due_at
    office.do(*TO_COMPLETE, at=hours(15))
    (order,) = office.orders()
    assert (order.arrived_at, order.completed_at) == (hours(1), hours(15))
    assert order.resolution_due_at == hours(34)


def test_a_person_cannot_reopen_an_order_whose_cause_has_another(office: Office, finding: NewFinding) -> None:
    first = finding()
    office.receive(first, cleared(first, hours(1)))
    office.do(*TO_CLOSE, at=hours(2))
    office.receive(finding(at=hours(5)))
    refused = office.act(Verb.REOPEN, hours(6))
    assert isinstance(refused, Refused)
    assert refused.why is Refusal.CAUSE_TAKEN
    assert "WO-000002" in refused.what


def returned(database: Database, registry: Registry, finding: NewFinding, terms: str, *, after: float) -> Office:
    """An office in which the cause returned so many hours after its order was closed (at hour 2)."""
    office = Office(database, book_with(terms), registry)
    first = finding()
    office.receive(first, cleared(first, hours(1)))
    office.do(*TO_CLOSE, at=hours(2))
    again = finding(at=hours(2 + after))
    office.receive(again)
    office.receive(first, cleared(first, hours(1)), again)  # the same again changes nothing
    return office


def test_a_cause_that_returns_inside_the_window_is_a_repeat(
    database: Database, registry: Registry, finding: NewFinding, action: str
) -> None:
    terms = f'repeat_window: "7 days"\n    on_repeat: {action}'
    found = returned(database, registry, finding, terms, after=48).orders()
    assert "came back 2 d after WO-000001 was closed, inside the window of 7 d" in found[-1].history[-1].note
    if action == "reopen":
        (order,) = found
        assert (order.status, order.repeats, len(order.findings), order.version) == ("open", 1, 2, 7)
        assert (order.reopened_at, order.telemetry.state) == (hours(50), "active")
    else:
        first, second = found
        assert (first.status, second.status, second.repeat_of, second.repeats) == ("closed", "open", first.id, 1)


@pytest.mark.parametrize("terms", ['repeat_window: "2 days"', "on_repeat: reopen"])
def test_outside_the_window_or_without_one_it_is_a_new_order(
    database: Database, registry: Registry, finding: NewFinding, terms: str
) -> None:
    _, second = returned(database, registry, finding, terms, after=48.1).orders()
    assert (second.status, second.repeat_of, second.repeats) == ("open", None, 0)


def test_before_it_is_closed_the_return_reopens_what_is_done(
    database: Database, registry: Registry, finding: NewFinding, action: str
) -> None:
    office = Office(database, book_with(f'repeat_window: "7 days"\n    on_repeat: {action}'), registry)
    first = finding()
    office.receive(first, cleared(first, hours(1)))
    office.do(*TO_COMPLETE, at=hours(2))
    office.receive(finding(at=hours(1.5)))  # older than the work: no repeat
    assert office.orders()[0].status == "completed"
    office.receive(finding(at=hours(3)))
    (order,) = office.orders()
    assert (order.status, order.repeats, len(order.findings)) == ("open", 1, 3)


def test_two_returns_are_two_repeats(database: Database, registry: Registry, finding: NewFinding) -> None:
    office = returned(database, registry, finding, 'repeat_window: "7 days"', after=1)
    office.receive(cleared(finding(at=hours(3)), hours(4)))
    office.do(*TO_CLOSE, at=hours(5))
    office.receive(finding(at=hours(6)))
    (order,) = office.orders()
    assert (order.repeats, order.status) == (2, "open")


def merged(database: Database, registry: Registry, finding: NewFinding, action: str) -> Office:
    """Causes a and c were merged into the order of b, which was closed at hour 2."""
    office = Office(database, book_with(f'repeat_window: "7 days"\n    on_repeat: {action}'), registry)
    first, *others = (finding(rule=name, cause_key=name) for name in "bac")
    office.receive(first, *others)
    for name in ("2", "3"):
        assert isinstance(office.act(Verb.MERGE, hours(0.5), Words(to="1"), name), Transition)
    office.receive(*(cleared(one, hours(1)) for one in (first, *others)))
    office.do(*TO_CLOSE, at=hours(2))
    return office


def test_a_cause_that_was_merged_returns_to_the_order_that_took_it_over(
    database: Database, registry: Registry, finding: NewFinding, action: str
) -> None:
    office = merged(database, registry, finding, action)
    office.receive(finding(rule="a", cause_key="a", at=hours(30)), finding(rule="c", cause_key="c", at=hours(31)))
    orders = office.orders()
    if action == "reopen":
        assert [(one.status, one.repeats) for one in orders] == [("open", 1), ("cancelled", 0), ("cancelled", 0)]
        assert len(orders[0].findings) == 5
    else:
        assert [(one.status, one.repeat_of, one.repeats) for one in orders[3:]] == [
            ("open", orders[0].id, 1), ("open", orders[0].id, 1)]  # fmt: skip


def test_it_is_a_new_order_while_the_cause_of_the_other_has_one_again(
    database: Database, registry: Registry, finding: NewFinding
) -> None:
    office = merged(database, registry, finding, "link")
    office.receive(finding(rule="b", cause_key="b", at=hours(29)))
    office.book = book_with('repeat_window: "7 days"\n    on_repeat: reopen')
    office.desk = Desk(office.book, lambda: registry)
    office.receive(finding(rule="a", cause_key="a", at=hours(30)))
    orders = office.orders()
    assert [one.status for one in orders] == ["closed", "cancelled", "cancelled", "open", "open"]
    assert [one.repeat_of for one in orders[3:]] == [orders[0].id, orders[0].id]
