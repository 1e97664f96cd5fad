"""What is usual for an asset is learnt from its own history, seen from both sides, and not taught by a fault."""

import json
import math
import random
from collections.abc import Callable

import pytest

from facility.finding import FindingState
from facility.reading import RuleSetActivated, Value
from rules.engine import Engine
from rules.rehearsal import Rehearsal

START_US = 1_772_416_800_000_000  # Monday, 2 March 2026, 02:00 UTC
HOUR = 3_600
DAY = 24 * HOUR
RULE = """
rules:
  - {id: odd, class: pump, name: {en: Odd}, severity: low, advice: Look, for: 2 h, when: 'CONDITION'}
"""


def plant(condition: str, **points: float) -> Rehearsal:
    """One pump that reports every hour, and one rule."""
    asset = {"id": "pump", "class": "pump", "points": {name: {"cadence": HOUR} for name in points or {"power": 0}}}
    site = {"site": {"id": "s", "zone": "UTC"}, "buildings": [{"id": "b", "assets": [asset]}]}
    rules = RULE.replace("CONDITION", condition)
    return Rehearsal(json.dumps(site), {"own.yaml": rules}, start_us=START_US, listening_gap_us=3 * HOUR * 10**6)


def run(engine: Rehearsal, days: int, value: Callable[[int], dict[str, Value]], first: int = 0) -> list[int]:
    """Feed whole days by the hour; the days on which something was raised."""
    raised = []
    for hour in range(first * 24, (first + days) * 24):
        changed = engine.scan(hour * HOUR, "pump", **value(hour))  # type: ignore[arg-type]  # values, not a quality
        raised += [hour // 24 for finding in changed if finding.state is FindingState.ACTIVE]
    return raised


def rhythm(hour: int, noise: float = 0.2, seed: int = 1) -> float:
    """10 by night and 20 by day, with noise that is the same for the same hour."""
    return 15 + 5 * math.sin(hour % 24 / 24 * 2 * math.pi) + random.Random(hour * 7 + seed).gauss(0, noise)


def test_it_says_how_long_it_still_learns() -> None:
    engine = plant("abs(off_baseline(power)) > 4")
    assert [item.missing for item in engine.engine.not_applicable()] == [
        ("baseline of power: warming up, 14 days left",)
    ]
    run(engine, 9, lambda hour: {"power": rhythm(hour)})
    assert [item.missing for item in engine.engine.not_applicable()] == [
        ("baseline of power: warming up, 6 days left",)
    ]
    run(engine, 6, lambda hour: {"power": rhythm(hour)}, first=9)
    assert engine.engine.not_applicable() == []
    assert engine.changes == []


@pytest.mark.parametrize("shift", [-2.0, 2.0])
def test_a_shift_to_either_side_is_seen_although_the_day_swings_wider(shift: float) -> None:
    engine = plant("abs(off_baseline(power)) > 4")
    assert run(engine, 20, lambda hour: {"power": rhythm(hour)}) == []
    assert run(engine, 2, lambda hour: {"power": rhythm(hour) + shift}, first=20) == [20]


def test_a_healthy_half_year_stays_quiet() -> None:
    engine = plant("abs(off_baseline(power)) > 5")
    assert run(engine, 180, lambda hour: {"power": rhythm(hour)}) == []


@pytest.mark.parametrize("a_day", [-0.03, 0.03])
def test_a_slow_fault_is_seen_and_never_taught(a_day: float) -> None:
    engine = plant("abs(off_baseline(power)) > 5")
    run(engine, 20, lambda hour: {"power": rhythm(hour)})
    raised = run(engine, 120, lambda hour: {"power": rhythm(hour) + (hour / 24 - 20) * a_day}, first=20)
    assert raised
    assert 25 < raised[0] < 90
    assert len(engine.engine.active()) == 1


def test_what_changes_slower_than_it_follows_is_followed() -> None:
    engine = plant('abs(off_baseline(power, follow="10 d")) > 6')
    assert run(engine, 200, lambda hour: {"power": rhythm(hour) + hour / 24 * 0.005}) == []


def test_each_mode_has_its_own_baseline() -> None:
    condition = 'abs(off_baseline(power, by="none", mode=run_status)) > 5'
    engine = plant(condition, power=0, run_status=0)

    def value(hour: int) -> dict[str, Value]:
        on = float(hour % 3 > 0)
        return {"power": 40 * on + random.Random(hour).gauss(2, 0.2), "run_status": on}

    assert run(engine, 20, value) == []
    assert run(engine, 1, lambda _: {"power": 2.0, "run_status": 1.0}, first=20) == [20]


def test_what_does_not_count_is_neither_learnt_nor_judged() -> None:
    engine = plant('off_baseline(power, by="none", when=run_status == 1) > 5', power=0, run_status=0)
    run(engine, 20, lambda hour: {"power": rhythm(hour) if hour % 2 else 500.0, "run_status": float(hour % 2)})
    assert run(engine, 1, lambda _: {"power": 900.0, "run_status": 0.0}, first=20) == []
    assert run(engine, 1, lambda _: {"power": 90.0, "run_status": 1.0}, first=21) == [21]


def test_an_expected_value_can_be_compared_with() -> None:
    engine = plant("power > 1.3 * baseline(power)")
    run(engine, 20, lambda hour: {"power": rhythm(hour)})
    assert run(engine, 1, lambda hour: {"power": 1.2 * rhythm(hour)}, first=20) == []
    assert run(engine, 1, lambda hour: {"power": 1.5 * rhythm(hour)}, first=21) == [21]


def test_a_spread_is_not_taken_smaller_than_the_rule_allows() -> None:
    engine = plant("off_baseline(power, least=1) > 5")
    run(engine, 20, lambda _: {"power": 10.0})
    assert run(engine, 1, lambda _: {"power": 14.0}, first=20) == []
    assert run(engine, 1, lambda _: {"power": 16.0}, first=21) == [21]


def test_what_was_learnt_outlives_an_edit_of_the_rule() -> None:
    engine = plant("off_baseline(power) > 40")
    run(engine, 20, lambda hour: {"power": rhythm(hour)})
    text = RULE.replace("CONDITION", "off_baseline(power) > 5")
    engine.send(RuleSetActivated("second", engine.at(20 * DAY - 1), "", {"own.yaml": text}))
    assert engine.engine.not_applicable() == []
    assert run(engine, 1, lambda _: {"power": 30.0}, first=20) == [20]


@pytest.mark.parametrize("stop", range(20, 24 * 24, 23))
def test_restored_it_goes_on_as_if_nothing_had_happened(stop: int) -> None:
    condition = 'off_baseline(power) > 4 or days_to_limit(power, 21, train="21 d") < 3'
    straight = plant(condition)
    run(straight, 24, lambda hour: {"power": rhythm(hour) + (2.0 if hour > 480 else 0.0)})
    engine = Engine(allowance_us=0, listening_gap_us=3 * HOUR * 10**6)
    found = [finding for commit in straight.commits[:stop] for finding in engine.feed(commit)]
    engine = Engine.restore(engine.snapshot())
    found += [finding for commit in straight.commits[stop:] for finding in engine.feed(commit)]
    assert found == straight.changes
    assert engine.snapshot() == straight.engine.snapshot()
