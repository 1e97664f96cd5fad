"""The 88 published working-time cases, and any other file of the same form named by PLANTROOM_DEADLINE_CASES."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from facility.instant import from_us, to_us
from ticketing.calendar import Calendar
from ticketing.calendar_days import Closure, DayRules, YearlyClosure
from ticketing.calendar_table import Interval
from ticketing.contract_file import Span
from ticketing.deadline import due_at_us, elapsed_us, open_days_us
from ticketing.limit import Limit, LimitUnit

FILE = Path(os.environ.get("PLANTROOM_DEADLINE_CASES") or Path(__file__).parents[1] / "data" / "deadline_cases.json")
DOCUMENT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KNOWN_KEYS = {"tz", "hours", "holidays", "annual_holidays", "date_overrides", "date_breaks", "note"}
SPAN: TypeAdapter[Interval] = TypeAdapter(Span)
DAY_UNITS = {
    "deadline_days": LimitUnit.DAYS,
    "deadline_days_pauses": LimitUnit.DAYS,
    "deadline_days_next_open": LimitUnit.DAYS_NEXT_OPEN,
    "deadline_days_end_of_day": LimitUnit.DAYS_END,
}


def spans(pairs: list[list[str]]) -> tuple[Interval, ...]:
    return tuple(SPAN.validate_python("-".join(pair)) for pair in pairs)


def dated(entries: Mapping[str, list[list[str]]]) -> dict[date, tuple[Interval, ...]]:
    return {date.fromisoformat(day): spans(pairs) for day, pairs in entries.items()}


def calendar(name: str) -> Calendar:
    entry = DOCUMENT["calendars"][name]
    assert entry.keys() <= KNOWN_KEYS, f"the loader does not know {entry.keys() - KNOWN_KEYS}"
    closed = [Closure(date.fromisoformat(day), date.fromisoformat(day)) for day in entry.get("holidays", ())]
    yearly = [(int(day[:2]), int(day[3:])) for day in entry.get("annual_holidays", ())]
    rules = DayRules(
        hours={WEEKDAYS.index(day): spans(pairs) for day, pairs in entry["hours"].items()},
        closures=(*closed, *(YearlyClosure(day, day) for day in yearly)),
        dates=dated(entry.get("date_overrides", {})),
        breaks=dated(entry.get("date_breaks", {})),
    )
    return Calendar(name, ZoneInfo(entry["tz"]), rules)


class Case:
    """One case with its instants read in the zone it names."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.raw = case
        self.calendar = calendar(case["calendar"])
        self.zone = ZoneInfo(case["times_in"])
        self.start = self.instant(case["start"])
        self.pauses = [(self.instant(low), self.instant(high)) for low, high in case.get("pauses", ())]

    def instant(self, text: str) -> int:
        return to_us(datetime.fromisoformat(text).replace(tzinfo=self.zone).astimezone(UTC))

    def due(self, seconds: int) -> int:
        limit = Limit(LimitUnit.OPEN, timedelta(seconds=seconds))
        return due_at_us(limit, self.calendar, self.start, self.pauses)

    def check_escalation(self, step: Mapping[str, Any]) -> None:
        if "escalation_offset_s" in step:
            found = self.due(step["duration_s"] + step["escalation_offset_s"])
            assert from_us(found) == from_us(self.instant(step["expected_escalation"]))


def check(case: Case) -> None:
    raw, kind = case.raw, case.raw["kind"]
    if kind in ("deadline", "deadline_pauses"):
        assert from_us(case.due(raw["duration_s"])) == from_us(case.instant(raw["expected"]))
        case.check_escalation(raw)
    elif kind == "deadline_backward":
        found = case.calendar.advance_us(case.start, -raw["duration_s"] * 1_000_000)
        assert from_us(found) == from_us(case.instant(raw["expected"]))
    elif kind in DAY_UNITS and raw["days"] > 0:
        found = due_at_us(Limit(DAY_UNITS[kind], days=raw["days"]), case.calendar, case.start, case.pauses)
        assert from_us(found) == from_us(case.instant(raw["expected"]))
    elif kind in DAY_UNITS and not case.pauses:
        found = open_days_us(DAY_UNITS[kind], case.calendar, case.start, raw["days"])
        assert from_us(found) == from_us(case.instant(raw["expected"]))
    elif kind in ("elapsed", "elapsed_pauses"):
        end = case.instant(raw["end"])
        found = elapsed_us(case.calendar, case.start, end, case.pauses)
        assert abs(found - raw["expected_s"] * 1_000_000) <= raw.get("tolerance_s", 0) * 1_000_000
    elif kind == "reassign":
        for step in raw["steps"]:
            assert from_us(case.due(step["duration_s"])) == from_us(case.instant(step["expected"]))
            case.check_escalation(step)
    elif kind == "open_intervals":
        expected = [(case.instant(low), case.instant(high)) for low, high in raw["expected_intervals"]]
        found_all = list(case.calendar.intervals_us(case.start, expected[-1][1] + 1))
        assert found_all[: len(expected)] == expected
    else:
        pytest.fail(f"the loader does not know the kind {kind!r}")
    if "expected_paused_s" in raw:
        paused = sum(case.calendar.elapsed_us(low, high) for low, high in case.pauses)
        assert paused == raw["expected_paused_s"] * 1_000_000


@pytest.mark.parametrize("case_id", [case["id"] for case in DOCUMENT["cases"]])
def test_published_case(case_id: str) -> None:
    check(Case(next(case for case in DOCUMENT["cases"] if case["id"] == case_id)))


def test_the_file_holds_what_it_says() -> None:
    total = DOCUMENT.get("meta", {}).get("total", len(DOCUMENT["cases"]))
    assert len({case["id"] for case in DOCUMENT["cases"]}) == len(DOCUMENT["cases"]) == total > 0
