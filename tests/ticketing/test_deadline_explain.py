"""A deadline in words: every hour counted, day skipped and pause removed, in the calendar's zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ticketing.calendar import Calendar
from ticketing.calendar_days import DayRules
from ticketing.calendar_holidays import CountryHolidays
from ticketing.contract import RESOLUTION_PAUSES, PauseReason, Promise
from ticketing.deadline import Pause, decide_deadline
from ticketing.deadline_explain import explain_deadline
from ticketing.limit import parse_limit

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOURS = dict.fromkeys(range(5), ((480, 720), (780, 1080)))
OFFICE = Calendar("office", SHANGHAI, DayRules(HOURS, CountryHolidays("CN")))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def explained(limit: str, start: str, now: str, pauses: list[Pause], *, clause: str = "5.1") -> list[str]:
    promise = Promise(parse_limit(limit), RESOLUTION_PAUSES)
    return explain_deadline(decide_deadline(promise, OFFICE, at(start), now=at(now), pauses=pauses, clause=clause))


def test_open_hours_over_a_holiday_and_a_make_up_day() -> None:
    assert explained("20 open hours", "2026-09-24T16:30", "2026-09-24T17:00", []) == [
        "Limit: 20 open hours (clause 5.1), counted on calendar office; times are in Asia/Shanghai.",
        "The clock starts Thu 2026-09-24 16:30 +08:00.",
        "Thu 2026-09-24: 16:30-18:00 is 1 h 30 min, together 1 h 30 min.",
        "Fri 2026-09-25: skipped, holiday (Mid-Autumn Festival).",
        "Sat 2026-09-26: skipped, no hours on this weekday.",
        "Sun 2026-09-27: skipped, no hours on this weekday.",
        "Mon 2026-09-28: 08:00-12:00, 13:00-18:00 is 9 h, together 10 h 30 min.",
        "Tue 2026-09-29: 08:00-12:00, 13:00-18:00 is 9 h, together 19 h 30 min.",
        "Wed 2026-09-30: 08:00-08:30 is 30 min, together 20 h.",
        "Deadline: Wed 2026-09-30 08:30 +08:00.",
    ]
    assert "Sun 2026-09-20 (make-up working day): 08:00-12:00, 13:00-18:00 is 9 h, together 10 h." in explained(
        "12 open hours", "2026-09-18T17:00", "2026-09-18T17:00", []
    )


def test_open_days_are_counted_one_by_one() -> None:
    assert explained("2 open days, end of day", "2026-09-30T10:00", "2026-09-30T10:00", [])[-4:] == [
        "Wed 2026-10-07: skipped, holiday (Day off (substituted from 10/10/2026)).",
        "Thu 2026-10-08: open day 1.",
        "Fri 2026-10-09: open day 2.",
        "Deadline: Fri 2026-10-09 18:00 +08:00.",
    ]


def test_pauses_are_shown_with_what_they_remove() -> None:
    pauses = [
        Pause(at("2026-11-23T10:00"), at("2026-11-23T14:00"), PauseReason.PARTS),
        Pause(at("2026-11-23T11:00"), at("2026-11-23T15:00"), PauseReason.THIRD_PARTY),
        Pause(at("2026-11-25T15:00"), at("2026-11-25T16:00"), PauseReason.ACCESS),
    ]
    lines = explained("3 open hours", "2026-11-23T09:00", "2026-11-24T09:00", pauses)
    assert lines[2:] == [
        "Pause for parts, Mon 2026-11-23 10:00 +08:00 to Mon 2026-11-23 14:00 +08:00: 3 h of open time removed.",
        (
            "Pause for third party, Mon 2026-11-23 11:00 +08:00 to Mon 2026-11-23 15:00 +08:00: "
            "1 h of open time removed (the rest is in the pause before)."
        ),
        (
            "Pause for access, Wed 2026-11-25 15:00 +08:00 to Wed 2026-11-25 16:00 +08:00: "
            "begins after the deadline, changes nothing."
        ),
        "Mon 2026-11-23: 09:00-10:00, 15:00-17:00 is 3 h, together 3 h.",
        "Deadline: Mon 2026-11-23 17:00 +08:00.",
    ]


def test_a_paused_clock_says_what_is_left() -> None:
    pauses = [Pause(at("2026-11-23T10:00"), None, PauseReason.FORCE_MAJEURE)]
    lines = explained("3 h", "2026-11-23T09:00", "2026-11-23T12:30", pauses, clause="")
    assert lines == [
        "Limit: 3 h, counted around the clock; times are in Asia/Shanghai.",
        "The clock starts Mon 2026-11-23 09:00 +08:00.",
        "Pause for force majeure, Mon 2026-11-23 10:00 +08:00 to now, Mon 2026-11-23 12:30 +08:00: 2 h 30 min removed.",
        (
            "Paused (force majeure), 2 h left: resumed now, Mon 2026-11-23 12:30 +08:00, "
            "the deadline is Mon 2026-11-23 14:30 +08:00."
        ),
    ]


def test_a_long_deadline_is_shortened_in_the_middle_and_provisional_years_are_marked() -> None:
    lines = explained("90 open days", "2030-01-10T10:00", "2030-01-10T10:00", [])
    assert len(lines) < 60
    assert sum(line.startswith("...") for line in lines) == 1
    assert any("provisional" in line for line in lines)
    assert any(line.endswith("open day 90 (provisional: the year's official notice is not known).") for line in lines)
