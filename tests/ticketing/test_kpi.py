"""Key figures by hand: a quarter of four orders, and what each figure says of nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ticketing.kpi import DEFINITIONS, By, figures, figures_by
from ticketing.kpi_facts import AssetFact, ComplaintFact, MoneyFact, OrderFact, Scope, SurveyFact
from ticketing.kpi_period import Period, parse_period

ZONE = ZoneInfo("Asia/Shanghai")
Q1 = parse_period("2026-Q1")
BOUNDS = {"tower": Q1.bounds(ZONE), "annex": Q1.bounds(ZONE)}
LATER = datetime(2026, 6, 1, tzinfo=UTC)


def at(day: int, hour: int, minute: int = 0, month: int = 2) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def order(number: int, opened: datetime, **changes: Any) -> OrderFact:  # noqa: ANN401 - any field of a fact
    """A fault order of lift-1 due 2 h after its opening (response) and 24 h after it."""
    fact = OrderFact(
        f"wo{number}", number, True, "tower", "lift-1", "elevator", "Alpha", opened, opened + timedelta(hours=2),
        opened + timedelta(hours=24), None, None, None, None,
    )  # fmt: skip
    return fact._replace(**changes)


KEPT = order(1, at(2, 9), arrived_at=at(2, 10), completed_at=at(2, 13), arrivals=1, followed_up=True, filled=6, asked=6)
LATE = order(2, at(5, 9), arrived_at=at(5, 12), completed_at=at(7, 9), arrivals=2, filled=3, asked=6)
BACK = order(
    3, at(9, 9), arrived_at=at(9, 11), completed_at=at(10, 9), arrivals=1, returned_at=(at(9, 9),), filled=6, asked=6
)  # opened as a repeat of another; both promises kept to the minute
WAITING = order(4, at(30, 0, month=3), asset_id="lift-2", building_id="annex", supplier="Beta")
SCOPE = Scope(
    BOUNDS, LATER, (KEPT, LATE, BACK, WAITING),
    (AssetFact("lift-1", "tower", "elevator", "Alpha"), AssetFact("lift-2", "annex", "elevator", "Beta", at(2, 0))),
)  # fmt: skip


def value(scope: Scope, name: str) -> float | None:
    return figures(scope)[name].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("faults", 4),
        ("response_compliance", 50.0),  # KEPT and BACK kept, LATE and WAITING (due 30 March 02:00) not
        ("resolution_compliance", 50.0),  # WAITING was due on 31 March
        ("mean_response", 120.0),  # 60, 180 and 120 minutes
        ("mttr", (4 + 48 + 24) / 3),
        ("first_time_fix", 200 / 3),  # LATE needed two visits
        ("repeat_faults", 1),
        ("repeat_share", 25.0),
        ("backlog", 1),
        ("backlog_age", 2.0),
        ("backlog_oldest", 2.0),
        ("backlog_overdue", 1),
        ("record_completeness", 100 * 15 / 18),
        ("follow_up_rate", 100 / 3),
        # lift-1 90 days, lift-2 from 2 February on 58; down 4 + 48 + 24 + 48 h; four failures
        ("mtbf", (148 * 24 - 124) / 4),
    ],
)
def test_a_figure_worked_out_by_hand(name: str, expected: float) -> None:
    assert value(SCOPE, name) == pytest.approx(expected)


def test_of_nothing_a_share_is_nothing_and_not_a_hundred_percent() -> None:
    found = figures(Scope(BOUNDS, LATER))
    counts = {"faults", "repeat_faults", "backlog", "backlog_overdue", "complaints", "repeat_complaints"}
    for definition in DEFINITIONS:
        expected = 0 if definition.id in counts | {"penalties", "costs"} else None
        assert found[definition.id].value == expected, definition.id


def test_an_order_without_a_deadline_counts_as_neither_kept_nor_broken() -> None:
    free = KEPT._replace(response_due_at=None, resolution_due_at=None)
    assert value(replace(SCOPE, orders=(free,)), "response_compliance") is None


def test_visits_of_the_plan_do_not_make_the_repair_time() -> None:
    visit = KEPT._replace(is_fault=False, planned_due_at=at(3, 0), completed_at=at(2, 9, 1))
    scope = replace(SCOPE, orders=(KEPT, visit))
    assert value(scope, "mttr") == 4
    assert value(scope, "preventive_compliance") == 100


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"completed_at": at(2, 23)}, 100.0),
        ({"completed_at": at(3, 1)}, 0.0),
        ({"cancelled_at": at(1, 9)}, 0.0),  # what was skipped was not done
        ({}, 0.0),
        (
            {"planned_due_at": at(1, 0, month=4), "completed_at": at(31, 9, month=3)},
            100.0,
        ),  # early, so decided in March
        ({"planned_due_at": at(1, 0, month=7)}, None),  # its day has not come
    ],
)
def test_a_visit_is_kept_by_the_end_of_its_day(changes: dict[str, Any], expected: float | None) -> None:
    visit = order(9, at(1, 9), is_fault=False, planned_due_at=at(3, 0))._replace(**changes)
    assert value(replace(SCOPE, orders=(visit,)), "preventive_compliance") == expected


def test_a_promise_counts_in_the_period_in_which_it_was_decided() -> None:
    over_the_end = order(5, at(31, 23, month=3))  # due on 1 April at 01:00
    assert value(replace(SCOPE, orders=(over_the_end,)), "response_compliance") is None
    next_one = {name: parse_period("2026-Q2").bounds(ZONE) for name in BOUNDS}
    assert value(replace(SCOPE, bounds=next_one, orders=(over_the_end,)), "response_compliance") == 0


def test_a_deadline_that_has_not_come_is_not_broken_while_the_period_runs() -> None:
    now = at(30, 1, month=3)
    assert value(replace(SCOPE, now=now, orders=(WAITING,)), "response_compliance") is None
    assert value(replace(SCOPE, now=at(30, 3, month=3), orders=(WAITING,)), "response_compliance") == 0


def test_cancelled_orders_are_no_faults() -> None:
    scope = replace(SCOPE, orders=(KEPT._replace(cancelled_at=at(2, 9, 5), completed_at=None, arrived_at=None),))
    found = figures(scope)
    assert (found["faults"].value, found["response_compliance"].value, found["backlog"].value) == (0, None, 0)


def test_two_orders_of_an_asset_at_once_are_one_time_down() -> None:
    both = (order(1, at(2, 0), completed_at=at(3, 0)), order(2, at(2, 12), completed_at=at(4, 0)))
    scope = replace(SCOPE, orders=both, assets=SCOPE.assets[:1])
    assert value(scope, "mtbf") == pytest.approx((90 * 24 - 48) / 2)


def test_a_reopening_by_the_desk_is_a_repeat_and_a_failure() -> None:
    reopened = KEPT._replace(returned_at=(at(20, 9),), reopenings=1, arrivals=2, completed_at=at(20, 12))
    scope = replace(SCOPE, orders=(reopened,), assets=SCOPE.assets[:1])
    found = figures(scope)
    assert (found["repeat_faults"].value, found["repeat_share"].value, found["mtbf"].base) == (1, 50.0, 2)
    assert found["first_time_fix"].value == 0


def test_groups_hold_only_their_own() -> None:
    found = figures_by(SCOPE, By.SUPPLIER)
    assert {name: each["faults"].value for name, each in found.items()} == {"Alpha": 3, "Beta": 1}
    by_building = figures_by(SCOPE, By.BUILDING)
    assert by_building["annex"]["backlog"].value == 1
    assert by_building["tower"]["mtbf"].value == pytest.approx((90 * 24 - 76) / 3)
    assert list(figures_by(SCOPE, By.CLASS)) == ["elevator"]


def test_complaints_surveys_and_money() -> None:
    complaints = (
        ComplaintFact("tower", "", "Alpha", at(2, 9), at(5, 9), at(4, 9), False),
        ComplaintFact("tower", "", "Alpha", at(3, 9), at(6, 9), at(7, 9), True),
        ComplaintFact("annex", "", "Beta", at(4, 9), at(7, 9), None, False),
        ComplaintFact("annex", "", "Beta", at(4, 9, month=5), None, None, False),
    )
    scores = (("8.5", 10), ("4", 6), ("10", 9), (None, 7))
    surveys = tuple(
        SurveyFact("tower", "", "Alpha", at(2, 9), at(3, 9), Decimal(score) if score else None, nps)
        for score, nps in scores
    )
    unanswered = SurveyFact("tower", "", "Alpha", at(2, 9), None, None, None)
    money = (
        MoneyFact("tower", "elevator", "Alpha", at(2, 9), Decimal("500.50"), "CNY"),
        MoneyFact("annex", "ahu", "Beta", at(3, 9), Decimal(20), "CNY"),
        MoneyFact("annex", "ahu", "Beta", at(3, 9), Decimal(7), "EUR"),
        MoneyFact("annex", "ahu", "Beta", at(3, 9, month=5), Decimal(999), "EUR"),
    )
    scope = replace(SCOPE, complaints=complaints, surveys=(*surveys, unanswered), costs=money, penalties=money[:1])
    found = figures(scope)
    assert [found[name].value for name in ("complaints", "repeat_complaints")] == [3, 1]
    assert found["complaint_compliance"].value == pytest.approx(100 / 3)
    assert found["satisfaction"].value == 7.5
    assert found["nps"].value == 25.0  # two promoters, one detractor, of four
    assert found["answer_rate"].value == 80.0
    assert found["costs"].money == {"CNY": Decimal("520.50"), "EUR": Decimal(7)}
    assert found["costs"].value is None  # two currencies have no sum
    assert found["penalties"].value == 500.5


@pytest.mark.parametrize("text", ["2026-13", "2026-Q5", "26", "last month", "2026-1", "0000", "2026-03-01"])
def test_what_is_no_period_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match=r"write a month \(2026-03\), a quarter \(2026-Q1\) or a year \(2026\)"):
        parse_period(text)


@pytest.mark.parametrize(("text", "before"), [("2026-01", "2025-12"), ("2026-Q1", "2025-Q4"), ("2026", "2025")])
def test_a_period_knows_the_one_before(text: str, before: str) -> None:
    assert str(parse_period(text)) == text
    assert str(parse_period(text).before) == before


def test_a_period_begins_at_local_midnight_and_a_spring_month_is_an_hour_short() -> None:
    bounds = parse_period("2026-03").bounds(ZoneInfo("Europe/Berlin"))
    assert bounds.from_at == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert bounds.until_at - bounds.from_at == timedelta(days=31) - timedelta(hours=1)


def test_a_period_is_a_whole_month_quarter_or_year() -> None:
    with pytest.raises(ValueError, match="is no month, quarter or year"):
        Period(datetime(2026, 2, 1, tzinfo=UTC).date(), 3)
