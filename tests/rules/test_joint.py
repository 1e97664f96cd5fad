"""Several numbers that each look fine can still not belong together."""

import json
import random
from collections.abc import Iterable

import pytest

from facility.finding import FindingState
from facility.reading import Commit
from rules.engine import Engine
from rules.rehearsal import Rehearsal

START_US = 1_772_416_800_000_000
RULES = """
rules:
  - {id: bench, class: pump, name: {en: Bench}, severity: low, advice: Look, for: 5 s,
     when: 'off_together(water_flow, water_pressure, power, train="10 min") > LIMIT'}
"""


def plant(limit: float = 1.5) -> Rehearsal:
    """One pump bench with three points a second."""
    points = {name: {"cadence": 1} for name in ("water_flow", "water_pressure", "power")}
    site = {
        "site": {"id": "s", "zone": "UTC"},
        "buildings": [{"id": "b", "assets": [{"id": "pump", "class": "pump", "points": points}]}],
    }
    return Rehearsal(json.dumps(site), {"own.yaml": RULES.replace("LIMIT", str(limit))}, start_us=START_US)


def bench(second: int, *, leak: float = 0.0) -> tuple[float, float, float]:
    """Flow swings between 40 and 60; pressure and power follow it; a leak takes pressure and no power."""
    rng = random.Random(second)
    flow = 50 + 10 * ((second * 37) % 100 / 50 - 1)
    return flow + rng.gauss(0, 0.3), 400 - 3 * flow + rng.gauss(0, 2) - leak, 20 * flow + rng.gauss(0, 10)


def feed(plant: Rehearsal, seconds: Iterable[int], *, leak: float = 0.0) -> list[int]:
    """Run the bench; the seconds at which a finding was raised."""
    raised = []
    for second in seconds:
        flow, pressure, power = bench(second, leak=leak)
        changed = plant.scan(second, "pump", water_flow=flow, water_pressure=pressure, power=power)
        raised += [second for finding in changed if finding.state is FindingState.ACTIVE]
    return raised


def test_numbers_inside_their_own_ranges_are_seen_not_to_belong_together() -> None:
    engine = plant()
    assert feed(engine, range(1200)) == []
    assert feed(engine, range(1200, 1260), leak=20) == [1205]
    lows = [bench(second)[1] for second in range(1200)]
    assert all(min(lows) < bench(second, leak=20)[1] < max(lows) for second in range(1200, 1205))


def test_it_says_that_it_still_learns() -> None:
    engine = plant()
    feed(engine, range(100))
    (item,) = engine.engine.not_applicable()
    assert item.missing == ("joint behaviour of water_flow, water_pressure, power: warming up, 1 day left",)
    feed(engine, range(100, 700))
    assert engine.engine.not_applicable() == []


@pytest.mark.parametrize("stop", [5, 300, 601, 602, 640, 700])
def test_restored_it_goes_on_as_if_nothing_had_happened(stop: int) -> None:
    straight = plant(1)
    feed(straight, range(680))
    feed(straight, range(680, 720), leak=20)
    engine = Engine(allowance_us=0)
    found = [finding for commit in straight.commits[:stop] for finding in engine.feed(commit)]
    engine = Engine.restore(engine.snapshot())
    rest: list[Commit] = straight.commits[stop:]
    found += [finding for commit in rest for finding in engine.feed(commit)]
    assert found == straight.changes
    assert found
    assert engine.snapshot() == straight.engine.snapshot()
