"""The roster: who is behind a name, quiet hours, and what a wrong file is told."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from facility.errors import InputError
from facility.registry import Registry
from ticketing.roster import Quiet, Roster
from ticketing.roster_file import parse_roster

TEXT = (Path(__file__).parents[1] / "data/ticketing/roster.yaml").read_text(encoding="utf-8")
SECRETS = {
    "WANG": "json://a",
    "LI": "json://b",
    "CHEN": "json://c",
    "ERP": "http://e",
    "ERP_SECRET": "0123456789abcdef",
}
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def roster(registry: Registry) -> Roster:
    return parse_roster(TEXT, "roster.yaml", SECRETS, registry)


def names(roster: Roster, name: str, day: int = 3) -> list[str]:
    return [person.id for person in roster.resolve(name, datetime(2026, 3, day, 4, tzinfo=UTC))]


def test_a_name_is_a_person_a_team_or_a_role(roster: Roster) -> None:
    assert names(roster, "wang") == names(roster, "王伟") == ["wang"]
    assert names(roster, "technician") == ["wang", "li"]
    assert names(roster, "lifts") == ["wang", "chen"]
    assert names(roster, "nobody") == []


def test_of_a_team_only_who_is_on_call_is_meant_while_a_turn_is_on(roster: Roster) -> None:
    assert names(roster, "lifts", day=7) == ["chen"]
    assert names(roster, "lifts", day=9) == ["wang", "chen"]


@pytest.mark.parametrize(
    ("local", "until"),
    [("2026-03-02 21:59", None), ("2026-03-02 22:00", "2026-03-03 07:00"), ("2026-03-03 06:59", "2026-03-03 07:00"),
     ("2026-03-03 07:00", None)],
)  # fmt: skip
def test_quiet_hours_run_over_midnight(local: str, until: str | None) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=SHANGHAI).astimezone(UTC)
    ends = Quiet(time(22), time(7)).ends_at(at, SHANGHAI)
    assert (ends and f"{ends.astimezone(SHANGHAI):%Y-%m-%d %H:%M}") == until


def test_secrets_come_from_the_environment_and_are_not_shown(roster: Roster) -> None:
    assert roster.people["wang"].channels[0].address == "json://a"
    assert "json://" not in repr(roster.people["wang"])
    assert "0123456789abcdef" not in repr(roster.webhooks)


def test_travel_is_none_within_a_building_and_the_default_between_unknown_ones(roster: Roster) -> None:
    assert roster.travel_between("tower", "tower") == timedelta(0)
    assert roster.travel_between("tower", "annex") == timedelta(minutes=20)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("shift: day\n    home", "shift: dya\n    home", "'dya' is not a known shift; did you mean 'day'?"),
        ("home: tower\n", "home: twr\n", "'twr' is not a known building"),
        ("lifts: [wang, chen]", "lifts: [wong]", "'wong' is not a known person"),
        ("to: assignee", "to: asignee", "'asignee' is not a known person, team or role; did you mean 'assignee'?"),
        ("env:ERP_SECRET", "short", "the secret is shorter than 16 characters"),
        ("env:WANG", "env:WONG", "the environment has no WONG"),
        ('starts: "22:00"', 'starts: "25:00"', "'25:00' is no time of day"),
        ("until: 2026-03-09", "until: 2026-03-07", "lasts no time"),
        ("event: opened", "event: open", "event"),
        ("id: li,", "id: wang,", "two people have the same id"),
    ],
)
def test_a_wrong_roster_is_refused_with_line_and_advice(registry: Registry, old: str, new: str, says: str) -> None:
    assert old in TEXT
    with pytest.raises(InputError) as caught:
        parse_roster(TEXT.replace(old, new, 1), "roster.yaml", SECRETS, registry)
    assert any(says in str(problem) and problem.line for problem in caught.value.problems), str(caught.value)
