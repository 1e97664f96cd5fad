"""Two contracts over the same orders: levels, breaches, penalties side by side; and a change of level in one order."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from facility.errors import InputError
from facility.finding import Finding, OrderKind, Severity
from facility.registry import Registry
from plantroom.database import Database
from ticketing.contract import Contract
from ticketing.contract_book import ContractBook
from ticketing.contract_compare import Case, Habit, differences, judge_contract, side_by_side
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.lists import read_orders
from ticketing.repository import OrderQuery, find_order
from ticketing.transition import Act, carry_out
from ticketing.work_order import Change, Refused, Status, Verb, Words

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
TEXT = (Path(__file__).parents[1] / "data/ticketing/contract.yaml").read_text(encoding="utf-8")
TERMS = """
    penalties:
      currency: CNY
      corrective_after: 2
      terms:
        - {id: late, clause: "8.1", amount: 100, per: started_hour, clocks: [response]}
"""
START = 'effective_at: "2026-01-01"'


def contract(*changes: tuple[str, str], terms: str = "") -> Contract:
    text = TEXT.replace(START, f"{START}{terms.rstrip()}")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_contract(text, "c.yaml")


def case(number: int, *lines: Change, asset: str = "lift-1") -> Case:
    opened = Change(1, AT, "open", "desk", Status.OPEN)
    return Case(
        f"wo_{number}", f"WO-{number:06d}", "Motor hot", asset, "tower", "motor-hot", OrderKind.FAULT, Severity.HIGH,
        AT, (opened, *lines),
    )  # fmt: skip


def recovered(after: float) -> Change:
    return Change(1, AT + timedelta(hours=after), "recover", "desk", Status.OPEN, Status.OPEN)


def test_untouched_orders_are_judged_by_the_habit_or_by_their_recovery(registry: Registry) -> None:
    cases, later = [case(1), case(2, recovered(1))], AT + timedelta(days=9)
    plain = judge_contract(contract(terms=TERMS), cases, registry, later)
    assert [[breach.clock for breach in one.breaches] for one in plain.judged] == [["response", "resolution"], []]
    habit = Habit(timedelta(hours=3), timedelta(hours=5))  # an hour late to both
    late = judge_contract(contract(terms=TERMS), cases, registry, later, habit)
    assert [one.amount for one in late.penalties] == [100, 100]
    assert (late.total, [one.month for one in late.correctives]) == (Decimal(200), ["2026-03"])


def test_two_contracts_side_by_side(registry: Registry) -> None:
    one = contract(terms=TERMS)
    other = contract(('response: "2 h"', 'response: "4 h"'), ("demo-2026", "soft-2026"), terms=TERMS)
    cases, habit = [case(1), case(2, asset="ahu-1")], Habit(timedelta(hours=3), timedelta(hours=6))
    first, second = (judge_contract(each, cases, registry, AT + timedelta(days=9), habit) for each in (one, other))
    rows = {name: (left, right) for name, left, right in side_by_side(first, second)}
    assert rows["orders"] == ("2", "2")
    assert rows["breaches"] == ("1", "0")
    assert rows["breaches of response"] == ("1", "-")
    assert rows["penalties"] == ("100 CNY", "0 CNY")
    assert rows["level lift"] == rows["at the default level"] == ("1", "1")
    assert [found[0].number for found in differences(first, second)] == ["WO-000001"]


def test_a_worked_order_keeps_its_own_history(registry: Registry) -> None:
    there = Change(2, AT + timedelta(minutes=5), "arrive", "Li", Status.ARRIVED, Status.ACKNOWLEDGED)
    done = Change(3, AT + timedelta(hours=1), "complete", "Li", Status.COMPLETED, Status.ARRIVED)
    outcome = judge_contract(
        contract(), [case(1, there, done)], registry, AT + timedelta(days=9), Habit(timedelta(days=3))
    )
    assert outcome.judged[0].breaches == ()
    assert outcome.total == 0
    assert not outcome.currency


@pytest.mark.parametrize("counts", ["from_start", "from_change"])
def test_a_change_of_level_counts_as_the_contract_says(
    database: Database, registry: Registry, finding: NewFinding, counts: str
) -> None:
    book = ContractBook([contract(terms=f"\n    priority_change: {counts}")])
    with database.writing() as session:
        Desk(book, lambda: registry).receive(session, [finding()])

    def act(level: str, note: str = "people are waiting") -> object:
        with database.writing() as session:
            row = find_order(session, "1", lock=True)
            assert row is not None
            words = Words(note, to=level)
            return carry_out(session, book, row, Act(Verb.RELEVEL, "Li", AT + timedelta(hours=1), words))

    refused = act("entrapmnt")
    assert isinstance(refused, Refused)
    assert "did you mean 'entrapment'?" in refused.what
    assert isinstance(act("entrapment", ""), Refused)
    assert isinstance(act("lift"), Refused)
    assert not isinstance(act("entrapment"), Refused)  # 30 min and 4 h; it was 2 h and 24 h
    with database.reading() as session:
        (order,) = read_orders(session, book, OrderQuery(), AT + timedelta(hours=1))
    start = AT if counts == "from_start" else AT + timedelta(hours=1)
    assert order.response_due_at == start + timedelta(minutes=30)
    assert order.resolution_due_at == start + timedelta(hours=4)
    assert (order.service_level, order.priority, order.history[-1].reason) == ("entrapment", 1, "lift>entrapment")
    assert "From level lift to entrapment. people are waiting" in order.history[-1].note


def test_a_clock_that_had_stopped_keeps_the_limit_of_its_own_level(
    database: Database, registry: Registry, finding: NewFinding
) -> None:
    book = ContractBook([contract()])
    with database.writing() as session:
        Desk(book, lambda: registry).receive(session, [finding()])
        row = find_order(session, "1", lock=True)
        assert row is not None
        for verb, minutes in ((Verb.ACKNOWLEDGE, 10), (Verb.ARRIVE, 60), (Verb.RELEVEL, 90)):
            words = Words("worse", to="entrapment")
            done = carry_out(session, book, row, Act(verb, "Li", AT + timedelta(minutes=minutes), words))
            assert not isinstance(done, Refused)
        assert row.response_due_at == AT + timedelta(hours=2)
        assert row.resolution_due_at == AT + timedelta(hours=4)


BAD = [
    ("modifiers:\n      - {id: m, kind: weather, factor: 1.5}", "names in `warning` what was warned of"),
    ("modifiers:\n      - {id: m, kind: key_equipment}", "it changes nothing; give a factor"),
    ("modifiers:\n      - {id: m, kind: off_peak, outside: ofice, factor: 2}", "did you mean 'office'?"),
    ("modifiers:\n      - {id: m, kind: key_equipment, factor: 2, clocks: [respons]}", "did you mean 'response'?"),
    ("modifiers:\n      - {id: m, kind: key_equipment, factor: 0}", "greater than or equal to 0.01"),
    ("escalations:\n      - {id: e, clock: response, at: soon, to: [m]}", "write '75 %', '1 h before'"),
    ("escalations:\n      - {id: e, clock: answer, at: 50 %, to: [m]}", "'answer' is not a known clock"),
    ("penalties: {currency: CNY, terms: [{id: p, clause: '1', percent: 2}]}", "a percentage needs `monthly_fee`"),
    ("penalties: {currency: CNY, terms: [{id: p, clause: '1'}]}", "an amount or a percentage of the monthly fee"),
    ("penalties: {currency: yuan}", "should match pattern"),
    ("penalties: {currency: CNY, monthly_fee: lots}", "'lots' is no amount"),
    ("costs: {currency: CNY, warranty: [{match: {}, years: 2, months: 3}]}", "give one of the three"),
    ("costs: {currency: CNY, warranty: [{match: {}, seasons: 2}]}", "go together"),
    ("repeat_window: 0 s", "holds nothing; write a time such as"),
    ("repeat_window: 7", "holds nothing; write a time such as"),
    ("on_repeat: ignore", "Input should be 'reopen' or 'link'"),
]


@pytest.mark.parametrize(("terms", "said"), BAD)
def test_a_term_that_means_nothing_is_refused_with_its_line(terms: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        contract(terms=f"\n    {terms}")
    assert said in str(error.value)
    assert "c.yaml:" in str(error.value)


@pytest.mark.parametrize(
    ("clock", "said"),
    [
        ("response: {limit: 3 min, stops: arrive}", "'response' stands on the level itself"),
        ("answer: {limit: 3 min, starts: arrive, stops: arrive}", "it would never run"),
        ("answer: {limit: 3 min, stops: answer}", "Input should be 'acknowledge'"),
        ("answer: {limit: 3 min, stops: arrive, pauses: [sleep]}", "'sleep' is not a known pause reason"),
    ],
)
def test_a_clock_that_could_not_run_is_refused(clock: str, said: str) -> None:
    with pytest.raises(InputError, match=r"c\.yaml:") as error:
        contract(('resolution: {limit: "4 h", pauses: []}', f'resolution: "4 h"\n        clocks: {{{clock}}}'))
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("{kind: weather, from: 2026-07-20}", "declared weather names its `warning`"),
        ("{kind: force_majeure, from: yesterday}", "yesterday"),
        ("{kind: force_majeure, from: 2026-07-20, until: 2026-07-19}", "lasts no time"),
    ],
)
def test_a_declaration_of_nothing_is_refused(declared: str, said: str) -> None:
    with pytest.raises(InputError, match=r"c\.yaml:") as error:
        parse_contract(f"{TEXT}\ndeclared:\n  - {declared}\n", "c.yaml")
    assert said in str(error.value)
