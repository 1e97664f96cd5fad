"""What must hold for every calendar, zone, instant and duration: checked against a count of single minutes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from facility.instant import to_us
from ticketing.calendar import Calendar
from ticketing.calendar_days import DayRules, YearlyClosure
from ticketing.calendar_holidays import CountryHolidays

CALM = settings(deadline=None)  # the first example builds tables, on a machine that may be busy

# Two zones of the north, one that changes at midnight, one of the south with half an hour, one that has no change.
ZONES = ("Europe/Berlin", "America/Los_Angeles", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Shanghai")
MINUTE = 60 * 10**6
HOUR = 60 * MINUTE
YEAR_2018 = to_us(datetime(2018, 1, 1, tzinfo=UTC))
CALENDARS = {
    zone: [
        Calendar("office", ZoneInfo(zone), DayRules(dict.fromkeys(range(5), ((480, 720), (780, 1080))))),
        Calendar("night", ZoneInfo(zone), DayRules(dict.fromkeys(range(7), ((1320, 1800),)))),
        Calendar("small hours", ZoneInfo(zone), DayRules(dict.fromkeys(range(7), ((45, 150), (165, 200))))),
        Calendar("always", ZoneInfo(zone), DayRules(dict.fromkeys(range(7), ((0, 1440),)))),
        Calendar(
            "holidays",
            ZoneInfo(zone),
            DayRules(
                dict.fromkeys(range(5), ((540, 1020),)), CountryHolidays("CN"), (YearlyClosure((12, 24), (1, 2)),)
            ),
        ),
    ]
    for zone in ZONES
}
calendars = st.sampled_from([one for several in CALENDARS.values() for one in several])
instants = st.integers(0, 3 * 365 * 24 * 60 * 60).map(lambda seconds: YEAR_2018 + seconds * 10**6)
durations = st.integers(1, 40 * 24 * 3600).map(lambda seconds: seconds * 10**6)


@CALM
@given(calendars, instants, durations)
def test_advance_uses_exactly_the_duration_and_retreat_undoes_it(calendar: Calendar, start: int, duration: int) -> None:
    due = calendar.advance_us(start, duration)
    assert calendar.elapsed_us(start, due) == duration
    assert calendar.elapsed_us(start, due - 1) == duration - 1
    latest = calendar.retreat_us(due, duration)
    assert latest >= start
    assert calendar.elapsed_us(latest, due) == duration


@CALM
@given(calendars, instants, durations, durations)
def test_advance_is_additive_over_splits(calendar: Calendar, start: int, first: int, second: int) -> None:
    assert calendar.advance_us(calendar.advance_us(start, first), second) == calendar.advance_us(start, first + second)


@CALM
@given(calendars, instants, durations, durations)
def test_advance_is_monotone_in_start_and_duration(calendar: Calendar, start: int, duration: int, more: int) -> None:
    assert calendar.advance_us(start, duration) < calendar.advance_us(start, duration + more)
    assert calendar.advance_us(start, duration) <= calendar.advance_us(start + more, duration)


@CALM
@given(calendars, instants, durations, durations)
def test_elapsed_is_additive_and_never_negative(calendar: Calendar, start: int, first: int, second: int) -> None:
    middle, end = start + first, start + first + second
    assert calendar.elapsed_us(start, middle) + calendar.elapsed_us(middle, end) == calendar.elapsed_us(start, end)
    assert 0 <= calendar.elapsed_us(start, middle) <= first
    assert calendar.elapsed_us(end, start) == 0


@CALM
@given(calendars, instants, durations)
def test_intervals_are_ascending_apart_and_add_up(calendar: Calendar, start: int, length: int) -> None:
    found = list(calendar.intervals_us(start, start + length))
    assert all(low < high for low, high in found)
    assert all(found[index][1] < found[index + 1][0] for index in range(len(found) - 1))
    assert sum(high - low for low, high in found) == calendar.elapsed_us(start, start + length)


@CALM
@given(calendars, instants, st.integers(1, 30))
def test_open_days_count_days_with_hours(calendar: Calendar, start: int, days: int) -> None:
    later = calendar.add_open_days_us(start, days)
    first = datetime.fromtimestamp(start / 1e6, calendar.zone).date()
    last = datetime.fromtimestamp(later / 1e6, calendar.zone).date()
    passed = [first + timedelta(days=number) for number in range(1, (last - first).days + 1)]
    assert sum(bool(calendar.day(on).spans) for on in passed) == days
    assert calendar.day(last).spans


def changes(zone: str) -> list[tuple[int, timedelta]]:
    """The DST changes of 2018 as (last hour before, shift), by walking the year's hours."""
    found = []
    for number in range(365 * 24):
        low = datetime.fromtimestamp((YEAR_2018 + number * HOUR) // 10**6, ZoneInfo(zone))
        high = datetime.fromtimestamp((YEAR_2018 + (number + 1) * HOUR) // 10**6, ZoneInfo(zone))
        before, after = low.utcoffset(), high.utcoffset()
        assert before is not None
        assert after is not None
        if before != after:
            found.append((YEAR_2018 + number * HOUR, after - before))
    return found


def test_both_dst_changes_in_five_zones_against_a_count_of_minutes() -> None:
    zones = ("Europe/Berlin", "America/Los_Angeles", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Tehran")
    for zone in zones:
        shifts = changes(zone)
        assert len(shifts) == 2
        assert sum((shift for _, shift in shifts), timedelta(0)) == timedelta(0)
        calendar = Calendar(
            "half-hours", ZoneInfo(zone), DayRules(dict.fromkeys(range(7), ((0, 90), (120, 210), (480, 1440))))
        )
        for change, _ in shifts:
            start, end = change - 24 * HOUR, change + 24 * HOUR
            counted = 0
            for minute in range(start, end, MINUTE):
                local = datetime.fromtimestamp(minute // 10**6, calendar.zone)
                clock = local.hour * 60 + local.minute
                counted += any(low <= clock < high for low, high in calendar.day(local.date()).spans)
            assert calendar.elapsed_us(start, end) == counted * MINUTE, f"{zone} {change}"


def test_a_day_of_24_hours_is_longer_or_shorter_on_the_days_of_change() -> None:
    always = Calendar.always(ZoneInfo("Europe/Berlin"))
    for on, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)):
        low = to_us(datetime(on.year, on.month, on.day, tzinfo=always.zone))
        following = on + timedelta(days=1)
        high = to_us(datetime(following.year, following.month, following.day, tzinfo=always.zone))
        assert always.elapsed_us(low, high) == hours * HOUR
