"""What a calendar says about dates and instants, one rule a test. Local times in the comments."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from facility.instant import from_us, to_us
from ticketing.calendar import Calendar, CalendarError
from ticketing.calendar_days import Closure, DayKind, DayRules, YearlyClosure
from ticketing.calendar_holidays import CountryHolidays

SHANGHAI, BERLIN, LA = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/Los_Angeles")
OFFICE = ((480, 720), (780, 1080))  # 08:00-12:00, 13:00-18:00
WEEK = dict.fromkeys(range(5), OFFICE)
HOUR = timedelta(hours=1)


def at(text: str, zone: ZoneInfo = SHANGHAI, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def office(zone: ZoneInfo = SHANGHAI, **rules: object) -> Calendar:
    return Calendar("office", zone, DayRules(hours=WEEK, **rules))  # type: ignore[arg-type]  # tests name the parts


def test_several_intervals_a_day_leave_lunch_out() -> None:
    assert office().advance(at("2026-11-23T11:30"), 2 * HOUR) == at("2026-11-23T14:30")


def test_a_duration_that_ends_at_closing_ends_at_the_closing() -> None:
    assert office().advance(at("2026-11-23T17:00"), HOUR) == at("2026-11-23T18:00")


def test_a_microsecond_more_ends_after_the_next_opening() -> None:
    late = HOUR + timedelta(microseconds=1)
    assert office().advance(at("2026-11-27T17:00"), late) == at("2026-11-30T08:00:00.000001")


def test_zero_gives_the_next_opening_and_stays_when_open() -> None:
    assert office().advance(at("2026-11-28T09:00"), timedelta(0)) == at("2026-11-30T08:00")
    assert office().advance(at("2026-11-30T09:00"), timedelta(0)) == at("2026-11-30T09:00")


def test_the_closing_instant_is_closed_and_the_opening_is_open() -> None:
    assert office().is_open(at("2026-11-23T08:00"))
    assert not office().is_open(at("2026-11-23T12:00"))


def test_backward_gives_the_latest_start() -> None:
    assert office().retreat(at("2026-11-23T09:00"), 2 * HOUR) == at("2026-11-20T17:00")
    assert office().retreat(at("2026-11-23T09:00"), HOUR) == at("2026-11-23T08:00")


def test_backward_over_new_year() -> None:
    assert office().retreat(at("2026-01-01T08:30"), HOUR) == at("2025-12-31T17:30")


def test_elapsed_is_zero_when_the_end_is_not_later() -> None:
    assert office().elapsed(at("2026-11-24T09:00"), at("2026-11-23T09:00")) == timedelta(0)


def test_an_overnight_interval_belongs_to_the_day_it_begins() -> None:
    night = Calendar("night", SHANGHAI, DayRules({4: ((1320, 1800),)}))  # Friday 22:00-06:00
    assert list(night.intervals(at("2026-11-27T00:00"), at("2026-11-29T00:00"))) == [
        (at("2026-11-27T22:00"), at("2026-11-28T06:00"))
    ]
    assert night.advance(at("2026-12-31T00:00"), 9 * HOUR) == at("2027-01-08T23:00")


def test_a_closed_date_ends_the_night_before_at_midnight() -> None:
    rules = DayRules(
        dict.fromkeys(range(7), ((1320, 1800),)), closures=(Closure(date(2026, 11, 28), date(2026, 11, 28)),)
    )
    night = Calendar("night", SHANGHAI, rules)
    assert list(night.intervals(at("2026-11-27T12:00"), at("2026-11-29T12:00"))) == [
        (at("2026-11-27T22:00"), at("2026-11-28T00:00"))
    ]


def test_dated_hours_beat_weekday_closure_and_holiday() -> None:
    on = date(2026, 10, 1)
    calendar = office(country=CountryHolidays("CN"), closures=(Closure(on, on),), dates={on: ((540, 600),)})
    assert calendar.day(on).spans == ((540, 600),)
    assert calendar.day(on).kind is DayKind.DATED


def test_dated_hours_without_hours_close_the_date() -> None:
    assert office(dates={date(2026, 11, 23): ()}).next_open(at("2026-11-23T09:00")) == at("2026-11-24T08:00")


def test_a_break_closes_part_of_a_date_and_may_cover_it_all() -> None:
    partial = office(breaks={date(2026, 11, 23): ((600, 660), (630, 720))})
    assert partial.day(date(2026, 11, 23)).spans == ((480, 600), (780, 1080))
    whole = office(breaks={date(2026, 11, 23): ((0, 1440),)})
    assert whole.next_open(at("2026-11-23T09:00")) == at("2026-11-24T08:00")


def test_a_break_after_midnight_cuts_the_night_that_began_before() -> None:
    rules = DayRules({4: ((1320, 1800),)}, breaks={date(2026, 11, 28): ((60, 120),)})
    assert Calendar("night", SHANGHAI, rules).day(date(2026, 11, 27)).spans == ((1320, 1500), (1560, 1800))


def test_a_yearly_range_runs_over_new_year_and_holidays_may_overlap() -> None:
    calendar = office(closures=(YearlyClosure((12, 24), (1, 2)), YearlyClosure((12, 31), (12, 31))))
    assert calendar.advance(at("2026-12-23T17:30"), HOUR) == at("2027-01-04T08:30")


def test_a_holiday_on_29_february_is_kept_in_leap_years_only() -> None:
    calendar = office(closures=(YearlyClosure((2, 29), (2, 29)),))
    assert not calendar.day(date(2028, 2, 29)).spans
    assert calendar.day(date(2028, 2, 28)).spans


@pytest.mark.parametrize(
    ("year", "worked", "off"),
    [
        (
            2024,
            ("02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12"),
            ("02-12", "04-05", "05-03", "10-07"),
        ),
        (2025, ("01-26", "02-08", "04-27", "09-28", "10-11"), ("01-28", "02-04", "05-05", "10-08")),
        (2026, ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10"), ("01-02", "02-23", "05-05", "10-07")),
    ],
)
def test_chinese_make_up_days_are_worked_and_days_off_are_not(
    year: int, worked: tuple[str, ...], off: tuple[str, ...]
) -> None:
    # State Council notices for 2024, 2025 and 2026.
    calendar = office(country=CountryHolidays("CN"))
    weekends = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
    found = {f"{on:%m-%d}" for on in weekends if on.year == year and on.weekday() > 4 and calendar.day(on).spans}
    assert found == set(worked)
    for day in worked:
        on = date.fromisoformat(f"{year}-{day}")
        assert calendar.day(on).kind is DayKind.MAKE_UP
        opens = at(f"{on}T08:00")
        assert calendar.elapsed(opens, opens + timedelta(hours=16)) == 9 * HOUR
    for day in off:
        assert calendar.day(date.fromisoformat(f"{year}-{day}")).kind is DayKind.HOLIDAY


def test_make_up_days_may_have_their_own_hours_or_not_be_worked() -> None:
    on = date(2026, 10, 10)
    assert office(country=CountryHolidays("CN"), make_up_hours=((540, 900),)).day(on).spans == ((540, 900),)
    assert not office(country=CountryHolidays("CN", make_up_days=False)).day(on).spans


def test_a_year_without_a_notice_is_marked_provisional() -> None:
    calendar = office(country=CountryHolidays("CN"))
    assert not calendar.day(date(2026, 10, 8)).provisional
    assert calendar.day(date(2030, 10, 1)).provisional


def test_an_unknown_country_or_subdivision_is_refused() -> None:
    with pytest.raises(ValueError, match="'Atlantis' are not known"):
        CountryHolidays("Atlantis")
    with pytest.raises(ValueError, match="'XX' is not a known subdivision of DE"):
        CountryHolidays("DE", "XX")


def test_the_hour_that_spring_skips_is_never_open() -> None:
    early = Calendar("early", BERLIN, DayRules({6: ((60, 240),)}))  # Sunday 01:00-04:00
    assert early.elapsed(at("2026-03-29T00:00", BERLIN), at("2026-03-29T12:00", BERLIN)) == 2 * HOUR
    closing = Calendar("closing", BERLIN, DayRules({6: ((60, 150),)}))  # Sunday 01:00-02:30
    assert closing.elapsed(at("2026-03-29T00:00", BERLIN), at("2026-03-29T12:00", BERLIN)) == HOUR
    opening = Calendar("opening", BERLIN, DayRules({6: ((150, 240),)}))  # Sunday 02:30-04:00
    assert opening.next_open(at("2026-03-29T00:00", BERLIN)) == at("2026-03-29T03:30", BERLIN)


def test_the_hour_that_autumn_repeats_counts_twice() -> None:
    early = Calendar("early", BERLIN, DayRules({6: ((120, 180),)}))  # Sunday 02:00-03:00
    assert early.elapsed(at("2026-10-25T00:00", BERLIN), at("2026-10-25T12:00", BERLIN)) == 2 * HOUR
    assert early.advance(at("2026-10-25T00:00", BERLIN), 1.5 * HOUR) == at("2026-10-25T02:30", BERLIN, fold=1)
    half = Calendar("half", BERLIN, DayRules({6: ((135, 165),)}))  # Sunday 02:15-02:45, both times
    assert list(half.intervals(at("2026-10-25T00:00", BERLIN), at("2026-10-25T12:00", BERLIN))) == [
        (at("2026-10-25T02:15", BERLIN), at("2026-10-25T02:45", BERLIN)),
        (at("2026-10-25T02:15", BERLIN, fold=1), at("2026-10-25T02:45", BERLIN, fold=1)),
    ]


def test_the_same_clock_time_after_a_dst_change() -> None:
    always = Calendar.always(LA)
    due_us = always.add_open_days_us(to_us(at("2026-03-07T02:30", LA)), 1)
    assert from_us(due_us) == at("2026-03-08T03:30", LA)  # 02:30 does not exist that day


def test_open_days_skip_what_has_no_hours_both_ways() -> None:
    calendar = office(country=CountryHolidays("CN"))
    start = to_us(at("2026-09-30T10:00"))
    assert calendar.add_open_days_us(start, 1) == to_us(at("2026-10-08T10:00"))
    assert calendar.add_open_days_us(start, 3) == to_us(at("2026-10-10T10:00"))
    assert calendar.add_open_days_us(start, -9) == to_us(at("2026-09-17T10:00"))


def test_a_calendar_that_never_opens_is_an_error_and_no_endless_loop() -> None:
    never = Calendar("never", SHANGHAI, DayRules({}))
    with pytest.raises(CalendarError, match="'never' does not open enough within 60 years"):
        never.next_open(at("2026-11-23T09:00"))
    with pytest.raises(CalendarError, match="'never'"):
        never.retreat(at("2026-11-23T09:00"), HOUR)
    with pytest.raises(CalendarError, match="'never'"):
        never.add_open_days_us(0, 2)


def test_hours_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="are no hours of a day"):
        DayRules({0: ((600, 600),)})
    with pytest.raises(ValueError, match="holds no day"):
        Closure(date(2026, 2, 2), date(2026, 2, 1))
    with pytest.raises(ValueError, match="day is out of range"):
        YearlyClosure((2, 30), (3, 1))


def test_intervals_touching_at_midnight_are_one_over_new_year() -> None:
    always = Calendar.always(SHANGHAI)
    low, high = at("2025-06-01T00:00"), at("2027-06-01T00:00")
    assert list(always.intervals(low, high)) == [(low, high)]
