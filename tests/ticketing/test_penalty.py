"""Escalations, penalties and who pays: pure functions of clocks, terms and dates, worked out by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.asset import Asset, Criticality
from facility.catalogue import equipment_classes
from facility.finding import Severity
from ticketing.calendar import Calendar
from ticketing.calendar_days import DayRules
from ticketing.contract import PauseReason, Promise
from ticketing.contract_match import Match
from ticketing.deadline import Pause, decide_deadline
from ticketing.escalation import EscalationState, decide_escalations
from ticketing.level import LevelFacts
from ticketing.limit import parse_limit
from ticketing.order_clock import OrderClock
from ticketing.payer import PayerKind, decide_payer
from ticketing.penalty import Breach, decide_correctives, decide_penalties, find_breaches
from ticketing.terms import (
    CapPeriod,
    CostTerms,
    Escalation,
    EscalationUnit,
    PenaltyPer,
    PenaltyTerm,
    PenaltyTerms,
    Season,
    WarrantyTerm,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = Calendar("office", SHANGHAI, DayRules(hours=dict.fromkeys(range(5), ((480, 720), (780, 1080)))))
MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 09:00 in Shanghai
LIFT = LevelFacts(severity=Severity.CRITICAL, equipment_class="elevator", system=equipment_classes()["elevator"].system)


def clock(
    limit: str, now: datetime, *pauses: Pause, stopped_at: datetime | None = None, start: datetime = MONDAY
) -> OrderClock:
    promise = Promise(parse_limit(limit), frozenset(PauseReason))
    return OrderClock(decide_deadline(promise, OFFICE, start, now=stopped_at or now, pauses=pauses), stopped_at)


def at(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("unit", "percent", "offset", "expected"),
    [
        # 8 open hours from Monday 09:00 end at 18:00 (nine hours later, with the midday break)
        (EscalationUnit.PERCENT, 50, 0, at(5)),  # 3 h to noon, then 1 h from 13:00
        (EscalationUnit.PERCENT, 100, 0, at(9)),
        (EscalationUnit.PERCENT, 150, 0, datetime(2026, 3, 3, 4, tzinfo=UTC)),  # 4 h more: Tuesday noon
        (EscalationUnit.BEFORE, 0, 6, at(2)),
        (EscalationUnit.BEFORE, 0, 60, at(0)),
        (EscalationUnit.AFTER, 0, 1, datetime(2026, 3, 3, 1, tzinfo=UTC)),  # Tuesday 09:00
    ],
)
def test_an_escalation_lies_on_open_time(unit: EscalationUnit, percent: int, offset: int, expected: datetime) -> None:
    one = Escalation("e", "response", unit, ("manager",), Decimal(percent), timedelta(hours=offset))
    (found,) = decide_escalations("x", {"response": clock("8 open hours", at(0))}, [one], at(0))
    assert found.at == expected


def test_a_pause_moves_what_comes_after_it_and_nothing_before() -> None:
    ends = [Escalation(str(each), "r", EscalationUnit.PERCENT, ("m",), Decimal(each)) for each in (25, 75)]
    pause = Pause(at(3), at(5), PauseReason.PARTS)  # calendar time: 8 h from 09:00, two of them paused
    found = decide_escalations("x", {"r": clock("8 h", at(6), pause)}, ends, at(6))
    assert [(one.at, one.state) for one in found] == [
        (at(2), EscalationState.DUE), (at(8), EscalationState.UPCOMING)]  # fmt: skip


def test_what_had_not_come_when_the_clock_stopped_is_dropped() -> None:
    ends = [Escalation(str(each), "r", EscalationUnit.PERCENT, ("m",), Decimal(each)) for each in (25, 75)]
    found = decide_escalations("x", {"r": clock("8 h", at(99), stopped_at=at(4))}, ends, at(99))
    assert [one.state for one in found] == [EscalationState.DUE, EscalationState.DROPPED]


def test_an_escalation_of_another_level_or_clock_is_none() -> None:
    ends = [Escalation("a", "r", EscalationUnit.PERCENT, ("m",), Decimal(50), levels=frozenset({"other"}))]
    assert decide_escalations("x", {"r": clock("8 h", at(0))}, ends, at(0)) == []
    assert decide_escalations("other", {"q": clock("8 h", at(0))}, ends, at(0)) == []


@given(st.lists(st.integers(0, 300), min_size=2, max_size=5), st.integers(0, 40), st.integers(0, 20))
def test_more_percent_is_never_earlier(percents: list[int], begin: int, length: int) -> None:
    pause = Pause(at(begin), at(begin + length), PauseReason.PARTS)
    ends = [
        Escalation(f"{index:02d}", "r", EscalationUnit.PERCENT, ("m",), Decimal(each))
        for index, each in enumerate(sorted(percents))
    ]
    found = decide_escalations("x", {"r": clock("8 open hours", at(100), pause)}, ends, at(100))
    by_id = sorted(found, key=lambda one: one.escalation.id)
    assert [one.at for one in by_id] == sorted(one.at for one in by_id)


def breach(number: int, due: datetime, over_hours: float = 1, **changes: Any) -> Breach:  # noqa: ANN401 - any field
    values: dict[str, Any] = {
        "order_id": f"wo_{number}", "number": f"WO-{number:06d}", "level_id": "l", "clock": "response", "clause": "3.1",
        "due_at": due, "ended_at": due + timedelta(hours=over_hours), "over": timedelta(hours=over_hours),
        "waived": False, "facts": LIFT,
    }  # fmt: skip
    return Breach(**(values | changes))


HOURLY = PenaltyTerm("p", "8.1", amount=Decimal(100), per=PenaltyPer.STARTED_HOUR)
SHARE = PenaltyTerm("p", "8.2", percent=Decimal("0.5"))


@pytest.mark.parametrize(("hours", "amount"), [(0.01, 100), (1, 100), (1.01, 200), (3, 300)])
def test_every_started_hour_is_paid(hours: float, amount: int) -> None:
    (found,) = decide_penalties([breach(1, MONDAY, hours)], PenaltyTerms("CNY", terms=(HOURLY,)), SHANGHAI)
    assert found.amount == amount
    assert found.clause == "8.1"
    assert "WO-000001" in found.reason
    assert "Clause 8.1: response" in found.reason


def test_a_share_of_the_fee_up_to_the_cap_of_the_month_by_local_date() -> None:
    terms = PenaltyTerms("CNY", Decimal(48000), (SHARE,), cap_percent=Decimal(1))
    last = datetime(2026, 3, 31, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    due = [MONDAY, MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=2), last, last + timedelta(minutes=1)]
    found = decide_penalties([breach(n, one) for n, one in enumerate(due)], terms, SHANGHAI)
    assert [one.amount for one in found] == [240, 240, 0, 0, 240]
    assert [one.period for one in found] == ["2026-03"] * 4 + ["2026-04"]
    assert found[2].uncapped == 240
    assert "the cap of 480.00 CNY for 2026-03 leaves 0" in found[2].reason


def test_force_majeure_waives_and_spends_nothing_of_the_cap() -> None:
    terms = PenaltyTerms("CNY", terms=(HOURLY,), cap_amount=Decimal(100))
    first, second = decide_penalties([breach(1, MONDAY, waived=True), breach(2, at(1))], terms, SHANGHAI)
    assert [first.amount, first.uncapped, second.amount] == [0, 100, 100]
    assert "waived: force majeure" in first.reason


def test_a_term_is_for_its_clocks_and_its_match_only() -> None:
    narrow = PenaltyTerm(
        "p", "8.1", amount=Decimal(1), clocks=frozenset({"contain"}), match=Match(classes=frozenset({"pump"}))
    )
    assert decide_penalties([breach(1, MONDAY)], PenaltyTerms("CNY", terms=(narrow,)), SHANGHAI) == []


@pytest.mark.parametrize(
    ("period", "name"), [(CapPeriod.MONTH, "2026-03"), (CapPeriod.QUARTER, "2026-Q1"), (CapPeriod.YEAR, "2026")]
)
def test_the_cap_has_its_period(period: CapPeriod, name: str) -> None:
    terms = PenaltyTerms("CNY", terms=(HOURLY,), cap_amount=Decimal(1), cap_period=period)
    assert decide_penalties([breach(1, MONDAY)], terms, SHANGHAI)[0].period == name


def test_three_breaches_in_a_month_call_for_a_corrective_action() -> None:
    terms = PenaltyTerms("CNY", corrective_after=3)
    three = [breach(n, MONDAY) for n in range(3)]
    (found,) = decide_correctives(three, terms, SHANGHAI)
    assert (found.month, found.breaches) == ("2026-03", 3)
    assert decide_correctives([*three[:2], breach(3, MONDAY, waived=True)], terms, SHANGHAI) == []


def test_a_breach_is_found_once_with_its_overrun_in_the_time_of_the_clock() -> None:
    late = clock("8 open hours", at(0), stopped_at=at(26))  # due at 18:00, stopped on Tuesday 11:00
    met = clock("8 open hours", at(0), stopped_at=at(9))
    (found,) = find_breaches("wo_1", "WO-000001", "l", {"response": late, "resolution": met}, LIFT)
    assert (found.clock, found.over, found.waived) == ("response", timedelta(hours=3), False)
    pause = Pause(at(1), at(2), PauseReason.FORCE_MAJEURE)
    (waived,) = find_breaches(
        "wo_1", "WO-000001", "l", {"response": clock("8 open hours", at(0), pause, stopped_at=at(30))}, LIFT
    )
    assert waived.waived


def asset(accepted_on: date | None, warranty_until: date | None = None) -> Asset:
    return Asset(
        id="ahu-1", name="AHU", equipment_class=equipment_classes()["ahu"], building_id="b", space_id=None,
        criticality=Criticality.NORMAL, points={}, accepted_on=accepted_on, warranty_until=warranty_until,
    )  # fmt: skip


HEATING = Season("heating season", (11, 15), (3, 15))
AHU = LevelFacts(severity=Severity.LOW, equipment_class="ahu", system=equipment_classes()["ahu"].system)
SEASONS = WarrantyTerm("10.1", Match(systems=frozenset({equipment_classes()["ahu"].system})), seasons=2, season=HEATING)
YEARS = WarrantyTerm("10.2", Match(), months=24)


@pytest.mark.parametrize(
    ("accepted", "term", "until"),
    [
        (date(2026, 10, 1), SEASONS, date(2028, 3, 15)),
        (date(2026, 12, 1), SEASONS, date(2029, 3, 15)),  # the season had begun: it is not a whole one
        (date(2024, 2, 29), YEARS, date(2026, 2, 27)),
        (date(2026, 5, 10), YEARS, date(2028, 5, 9)),
    ],
)
def test_a_warranty_runs_from_acceptance(accepted: date, term: WarrantyTerm, until: date) -> None:
    costs = CostTerms("CNY", clause="9", warranty=(term,), installer="Harbour")
    inside = decide_payer(asset(accepted), AHU, until, costs)
    assert (inside.kind, inside.warranty_until, inside.clause) == (PayerKind.INSTALLER, until, term.clause)
    assert "Harbour pays" in inside.reason
    assert decide_payer(asset(accepted), AHU, until + timedelta(days=1), costs).kind is PayerKind.CUSTOMER
    assert decide_payer(asset(accepted), AHU, accepted - timedelta(days=1), costs).kind is PayerKind.CUSTOMER


def test_the_closer_warranty_term_wins_and_the_register_beats_both() -> None:
    costs = CostTerms("CNY", warranty=(YEARS, SEASONS), chargeable=False)
    assert decide_payer(asset(date(2026, 10, 1)), AHU, date(2027, 1, 1), costs).clause == "10.1"
    own = decide_payer(asset(date(2026, 10, 1), date(2027, 1, 31)), AHU, date(2027, 2, 1), costs)
    assert (own.kind, own.warranty_until) == (PayerKind.SUPPLIER, date(2027, 1, 31))
    assert decide_payer(asset(None), AHU, date(2027, 1, 1), costs).reason.startswith("No warranty is known.")


@pytest.mark.parametrize("changes", [{"amount": None}, {"percent": Decimal(1)}, {"amount": Decimal(0)}])
def test_a_penalty_that_is_none_does_not_exist(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs an amount or a percentage above zero"):
        replace(HOURLY, **changes)
