"""Limits as a contract writes them."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketing.limit import Limit, LimitUnit, format_hours, format_limit, parse_limit

CALM = settings(deadline=None)  # the first example builds tables, on a machine that may be busy


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("30 min", Limit(LimitUnit.CALENDAR, timedelta(minutes=30))),
        ("24 h", Limit(LimitUnit.CALENDAR, timedelta(hours=24))),
        ("1 h 30 min", Limit(LimitUnit.CALENDAR, timedelta(minutes=90))),
        ("2 days", Limit(LimitUnit.CALENDAR, timedelta(hours=48))),
        ("4 open hours", Limit(LimitUnit.OPEN, timedelta(hours=4))),
        ("1 open hour", Limit(LimitUnit.OPEN, timedelta(hours=1))),
        ("90 open min", Limit(LimitUnit.OPEN, timedelta(minutes=90))),
        ("2 open days", Limit(LimitUnit.DAYS, days=2)),
        ("1 Open Day", Limit(LimitUnit.DAYS, days=1)),
        ("2 open days, next open", Limit(LimitUnit.DAYS_NEXT_OPEN, days=2)),
        (" 2 open  days ,end of day ", Limit(LimitUnit.DAYS_END, days=2)),
    ],
)
def test_a_limit_names_its_unit(text: str, limit: Limit) -> None:
    assert parse_limit(text) == limit


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (30, "it needs an amount and a unit"),
        (None, "it needs an amount and a unit"),
        ("", "is not a limit"),
        ("soon", "is not a limit"),
        ("-4 h", "is not a limit"),
        ("0 min", "promises no time at all"),
        ("0 open days", "expected 1 to 3660 whole days"),
        ("1.5 open days", "open days are whole"),
        ("2 open days 3 h", "open days are whole"),
        ("2 open weeks", "open days are whole"),
        ("2 open days, at noon", "open days are whole"),
        ("4 h, next open", "is not a limit"),
        ("4 open open hours", "is not a limit"),
        ("9000 days", "expected a time of 0 to ten years"),
    ],
)
def test_what_is_no_limit_is_refused_with_the_forms_there_are(text: object, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        parse_limit(text)
    assert "write it like '30 min', '4 open hours', '2 open days'" in str(refused.value)


units = st.sampled_from([LimitUnit.DAYS, LimitUnit.DAYS_NEXT_OPEN, LimitUnit.DAYS_END])
timed = st.builds(
    Limit,
    st.sampled_from([LimitUnit.CALENDAR, LimitUnit.OPEN]),
    st.integers(1, 300 * 86400).map(lambda seconds: timedelta(seconds=seconds)),
)
limits = st.one_of(timed, st.builds(Limit, units, days=st.integers(1, 3660)))


@CALM
@given(limits)
def test_parse_and_format_are_inverses(limit: Limit) -> None:
    assert parse_limit(format_limit(limit)) == limit


def test_hours_do_not_become_days() -> None:
    assert format_hours(timedelta(hours=45, minutes=30)) == "45 h 30 min"
    assert format_hours(timedelta(hours=24)) == "24 h"
    assert format_hours(timedelta(0)) == "0 s"


def test_a_limit_with_both_or_neither_amount_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a time"):
        Limit(LimitUnit.OPEN, timedelta(hours=1), days=1)
    with pytest.raises(ValueError, match="expected 1 to 3660 whole days"):
        Limit(LimitUnit.DAYS)
