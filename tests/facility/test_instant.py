"""Instants and durations."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.instant import format_duration, format_instant, from_us, parse_duration, parse_instant, to_us

INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive by design of hypothesis


@given(INSTANTS)
def test_microseconds_and_text_are_exact_inverses(at: datetime) -> None:
    assert from_us(to_us(at)) == at
    assert parse_instant(format_instant(at)) == at


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90 s", 90),
        ("10 min", 600),
        ("1 h 30 min", 5400),
        ("2 days", 172800),
        ("0.5 h", 1800),
        (45, 45),
        ("500 ms", 0.5),
    ],
)
def test_durations_people_write(text: str | int, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "ten minutes", "-5 min", "5 parsec", "5 min later", -1, True, 1e12])
def test_what_is_no_duration_is_refused_with_advice(text: str | float) -> None:
    with pytest.raises(ValueError, match="write it like '90 s'"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["2026-11-21T09:00:00", "yesterday", "21.11.2026"])
def test_an_instant_without_zone_or_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="2026-11-21T09:00:00Z"):
        parse_instant(text)


def test_a_naive_instant_never_becomes_microseconds() -> None:
    with pytest.raises(ValueError, match="time zone"):
        to_us(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive instant is the case


@given(st.integers(0, 10_000_000))
def test_a_formatted_duration_reads_back(seconds: int) -> None:
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)
