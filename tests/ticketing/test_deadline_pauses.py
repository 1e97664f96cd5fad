"""Pauses, and a paused clock: it keeps its deadline and says what is left."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facility.instant import from_us, to_us
from ticketing.calendar import Calendar
from ticketing.calendar_days import DayRules
from ticketing.contract import RESOLUTION_PAUSES, PauseReason, Promise
from ticketing.deadline import Deadline, Pause, decide_deadline, due_at_us, elapsed_us
from ticketing.limit import Limit, LimitUnit, parse_limit

CALM = settings(deadline=None)  # the first example builds tables, on a machine that may be busy

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = Calendar("office", SHANGHAI, DayRules(dict.fromkeys(range(5), ((480, 720), (780, 1080)))))
PARTS, ACCESS = PauseReason.PARTS, PauseReason.ACCESS


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def promise(limit: str, *reasons: PauseReason) -> Promise:
    return Promise(parse_limit(limit), frozenset(reasons or RESOLUTION_PAUSES))


def decide(clock: Promise, start: str, now: str, pauses: list[Pause]) -> Deadline:
    return decide_deadline(clock, OFFICE, at(start), now=at(now), pauses=pauses)


def test_a_pause_over_a_weekend_removes_only_its_open_time() -> None:
    pauses = [Pause(at("2026-11-27T17:00"), at("2026-11-30T09:00"), PARTS)]  # Friday to Monday: 2 h open
    due = decide(promise("4 open hours"), "2026-11-27T16:00", "2026-12-01T00:00", pauses)
    assert due.due_at == at("2026-11-30T12:00")
    assert due.is_breached()


def test_a_pause_of_calendar_time_removes_the_wall_clock() -> None:
    pauses = [Pause(at("2026-11-27T17:00"), at("2026-11-30T09:00"), PARTS)]
    due = decide(promise("4 h"), "2026-11-27T16:00", "2026-11-27T16:30", pauses)
    assert due.due_at == at("2026-11-30T12:00")


def test_overlapping_pauses_unite() -> None:
    one = Pause(at("2026-11-23T09:00"), at("2026-11-23T11:00"), PARTS)
    other = Pause(at("2026-11-23T10:00"), at("2026-11-23T12:00"), ACCESS)
    due = decide(promise("2 open hours"), "2026-11-23T08:00", "2026-11-23T08:00", [other, one])
    assert due.due_at == at("2026-11-23T14:00")


def test_a_reason_that_does_not_pause_this_clock_changes_nothing() -> None:
    pauses = [Pause(at("2026-11-23T09:00"), None, PARTS)]
    due = decide(promise("2 open hours", ACCESS), "2026-11-23T08:00", "2026-11-23T09:30", pauses)
    assert due.due_at == at("2026-11-23T10:00")
    assert not due.is_paused
    assert due.left == timedelta(minutes=30)


def test_a_forbidden_pause_never_stops_an_entrapment() -> None:
    pauses = [Pause(at("2026-11-23T09:00"), None, reason) for reason in PauseReason]
    never = Promise(parse_limit("30 min"), frozenset())
    due = decide(never, "2026-11-23T09:00", "2026-11-23T12:00", pauses)
    assert due.due_at == at("2026-11-23T09:30")
    assert not due.is_paused


def test_an_open_pause_shows_what_is_left_and_the_deadline_if_resumed_now() -> None:
    pauses = [Pause(at("2026-11-23T09:30"), None, PARTS)]
    seen = [
        decide(promise("4 open hours"), "2026-11-23T09:00", now, pauses)
        for now in ("2026-11-23T10:00", "2026-11-23T17:00", "2026-11-24T03:00")
    ]
    assert [one.due_at for one in seen] == [at("2026-11-23T14:30"), at("2026-11-24T10:30"), at("2026-11-24T11:30")]
    assert {one.left for one in seen} == {timedelta(hours=3, minutes=30)}
    assert all(one.is_paused and not one.is_breached() for one in seen)


def test_a_pause_after_the_deadline_does_not_unbreach_it() -> None:
    pauses = [Pause(at("2026-11-23T12:00"), None, PARTS)]
    due = decide(promise("2 open hours"), "2026-11-23T09:00", "2026-11-23T15:00", pauses)
    assert due.due_at == at("2026-11-23T11:00")
    assert not due.is_paused
    assert due.is_breached()
    assert not due.is_breached(at("2026-11-23T11:00"))


def test_a_pause_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        Pause(at("2026-11-23T12:00"), at("2026-11-23T11:00"), PARTS)


def test_open_days_then_pauses_in_open_time() -> None:
    pauses = [Pause(at("2026-11-24T16:00"), at("2026-11-25T10:00"), PARTS)]  # 4 h open
    due = decide(promise("2 open days, end of day"), "2026-11-23T10:00", "2026-11-23T10:00", pauses)
    assert due.due_at == at("2026-11-26T12:00")


def test_a_paused_clock_is_not_breached_by_a_deadline_that_falls_into_closed_hours() -> None:
    pauses = [Pause(at("2026-11-09T19:00"), None, PARTS)]  # after closing, five hours before the deadline at midnight
    due = decide(promise("2 open days"), "2026-11-07T00:00", "2026-11-10T12:30", pauses)
    assert due.is_paused
    assert not due.is_breached()
    assert due.due_at == at("2026-11-10T12:30")


seconds = st.integers(0, 30 * 86400).map(lambda value: value * 10**6)
START = to_us(at("2026-11-01T00:00"))
intervals = st.lists(st.tuples(seconds, seconds).map(lambda pair: (START + min(pair), START + max(pair))), max_size=5)
open_limits = st.integers(1, 100 * 3600).map(lambda value: Limit(LimitUnit.OPEN, timedelta(seconds=value)))


@CALM
@given(seconds, open_limits, intervals)
def test_a_pause_removes_exactly_its_open_time(offset: int, limit: Limit, pauses: list[tuple[int, int]]) -> None:
    start = START + offset
    due = due_at_us(limit, OFFICE, start, pauses)
    assert elapsed_us(OFFICE, start, due, pauses) == limit.duration // timedelta(microseconds=1)
    assert due >= due_at_us(limit, OFFICE, start)


@CALM
@given(seconds, open_limits, intervals)
def test_order_and_repetition_of_pauses_do_not_matter(offset: int, limit: Limit, pauses: list[tuple[int, int]]) -> None:
    again = [*reversed(pauses), *pauses]
    assert due_at_us(limit, OFFICE, START + offset, again) == due_at_us(limit, OFFICE, START + offset, pauses)


@CALM
@given(seconds, st.sampled_from(["3 open hours", "3 h", "2 open days", "2 open days, next open"]), intervals, seconds)
def test_recomputing_with_an_open_pause_agrees(
    offset: int, limit: str, pauses: list[tuple[int, int]], passed: int
) -> None:
    start, now = from_us(START + offset), from_us(START + offset + passed)
    closed = [Pause(from_us(low), from_us(high), PARTS) for low, high in pauses]
    opened = [*closed, Pause(from_us(START + offset + passed // 2), None, ACCESS)]
    first = decide_deadline(promise(limit), OFFICE, start, now=now, pauses=opened)
    assert decide_deadline(promise(limit), OFFICE, start, now=now, pauses=list(reversed(opened))).due_at == first.due_at
    assert first.left >= timedelta(0)
    if first.is_paused:
        assert first.due_at >= now
