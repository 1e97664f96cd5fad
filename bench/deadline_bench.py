"""What a deadline costs: a month-long one with and without pauses, and the table of a calendar's year.

Run: python bench/deadline_bench.py. Goals: under 50 us a deadline once the table is built, under 50 ms a table.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

from facility.instant import to_us
from ticketing.calendar import Calendar
from ticketing.calendar_days import DayRules
from ticketing.calendar_holidays import CountryHolidays, holiday_year
from ticketing.contract import RESOLUTION_PAUSES, PauseReason, Promise
from ticketing.deadline import Pause, decide_deadline, due_at_us
from ticketing.deadline_explain import explain_deadline
from ticketing.limit import parse_limit

START = datetime(2026, 9, 18, 2, tzinfo=UTC)
LIMITS = ("720 h", "180 open hours", "20 open days, end of day")


def office() -> Calendar:
    """A Chinese office: two intervals a day, holidays, make-up working days."""
    hours = dict.fromkeys(range(5), ((480, 720), (780, 1080)))
    return Calendar("office", ZoneInfo("Asia/Shanghai"), DayRules(hours, CountryHolidays("CN")))


def best(action: Callable[[], object], times: int, rounds: int = 5) -> float:
    """Seconds a call, the best of some rounds."""
    found = []
    for _ in range(rounds):
        started = perf_counter()
        for _ in range(times):
            action()
        found.append((perf_counter() - started) / times)
    return min(found)


def build_year() -> None:
    """Holidays and table of one year from nothing."""
    holiday_year.cache_clear()
    office().elapsed(START, START + timedelta(hours=1))


def main() -> None:
    """Print the figures."""
    calendar, start_us = office(), to_us(START)
    begins = [START + timedelta(days=day) for day in (2, 6, 9)]
    pauses = [Pause(begin, begin + timedelta(hours=30), PauseReason.PARTS) for begin in begins]
    intervals = [(to_us(pause.from_at), to_us(pause.until_at)) for pause in pauses if pause.until_at is not None]
    print(f"table of a year, holidays of CN included: {best(build_year, 5) * 1e3:8.2f} ms")
    for text in LIMITS:
        limit = parse_limit(text)
        promise = Promise(limit, RESOLUTION_PAUSES)
        deadline = decide_deadline(promise, calendar, START, now=START, pauses=pauses)
        plain = best(lambda: due_at_us(limit, calendar, start_us), 5000)  # noqa: B023 - called at once
        paused = best(lambda: due_at_us(limit, calendar, start_us, intervals), 5000)  # noqa: B023 - called at once
        whole = best(lambda: decide_deadline(promise, calendar, START, now=START, pauses=pauses), 2000)  # noqa: B023 - called at once
        words = best(lambda: explain_deadline(deadline), 50)  # noqa: B023 - called at once
        print(
            f"{text:28} due {plain * 1e6:6.1f} us, with three pauses {paused * 1e6:6.1f} us, "
            f"as a value {whole * 1e6:6.1f} us, in words {words * 1e6:8.1f} us"
        )


if __name__ == "__main__":
    main()
