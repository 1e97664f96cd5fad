"""Every state a finding can be in, how it gets out of it, and that a restart at any commit changes nothing."""

import json
from collections.abc import Callable

import pytest

from facility.finding import Finding, FindingState
from facility.reading import Commit, MaintenanceDeclared, RuleSetActivated, Shelved, VisitRecorded
from rules.engine import Engine
from rules.rehearsal import Rehearsal, make_scan
from rules.storm import LIMIT

START_US = 1_772_416_800_000_000
RULES = """
rules:
  - {id: full, class: tank, name: {en: Full}, severity: high, advice: Look, when: tank_level > 95, for: 1 min, EXTRA}
  - {id: leak, class: tank, name: {en: Leak}, severity: critical, advice: Go, when: leak_detected}
  - {id: dry, class: tank, name: {en: Dry}, severity: low, advice: Look, when: tank_level < 5, suppresses: [low]}
  - {id: low, class: tank, name: {en: Low}, severity: low, advice: Look, when: tank_level < 20}
"""


def plant(extra: str = "clear_for: 30 s", tanks: int = 1) -> Rehearsal:
    """Tanks behind one gateway, which report every ten seconds."""
    points = {"tank_level": {"cadence": 60}, "leak_detected": {"cadence": 60}}
    assets: list[dict[str, object]] = [{"id": "gateway", "class": "gateway", "points": ["online"]}]
    assets += [{"id": f"tank{n}", "class": "tank", "points": points, "parent": "gateway"} for n in range(tanks)]
    site = {"site": {"id": "s", "zone": "UTC"}, "buildings": [{"id": "b", "assets": assets}]}
    files = {"own.yaml": RULES.replace("EXTRA", extra)}
    return Rehearsal(json.dumps(site), files, start_us=START_US, allowance_us=1)


def level(plant: Rehearsal, value: float, first: int, last: int, tank: str = "tank0") -> list[tuple[int, Finding]]:
    """The level every ten seconds from `first` to before `last`; what changed, with the second."""
    changed: list[tuple[int, Finding]] = []
    for second in range(first, last, 10):
        news = plant.send(make_scan(plant.at(second), tank, {"tank_level": value}))
        changed += [(second, finding) for finding in [*news, *plant.beat(second + 1)]]
    return changed


def states(changed: list[tuple[int, Finding]]) -> list[tuple[int, str]]:
    """Second and state, with what is special about it."""
    return [
        (second, finding.state.value + " latched" * finding.latched + " flapping" * finding.flapping)
        for second, finding in changed
    ]


def test_a_latched_finding_stays_until_somebody_was_there() -> None:
    engine = plant("latch: true")
    assert states(level(engine, 96, 0, 100)) == [(60, "active")]
    assert states(level(engine, 50, 100, 200)) == [(100, "active latched")]
    assert states(level(engine, 96, 200, 300)) == [(200, "active")]
    assert states(level(engine, 50, 300, 400)) == [(300, "active latched")]
    engine.send(VisitRecorded("visit", engine.at(400), "tank0", "Ann"))
    assert states(level(engine, 50, 410, 430)) == [(410, "cleared")]
    assert engine.engine.active() == []


def test_a_visit_during_the_fault_lets_it_clear_when_it_is_over() -> None:
    engine = plant("latch: true")
    level(engine, 96, 0, 100)
    engine.send(VisitRecorded("visit", engine.at(100), "tank0", "Ann"))
    assert level(engine, 96, 110, 150) == []
    assert states(level(engine, 50, 150, 170)) == [(150, "cleared")]


def test_a_finding_that_comes_and_goes_stays_until_it_was_quiet() -> None:
    engine = plant("flapping: {times: 3, within: 10 min}")
    seen = []
    for cycle in range(5):
        seen += states(level(engine, 96, cycle * 150, cycle * 150 + 80))
        seen += states(level(engine, 50, cycle * 150 + 80, cycle * 150 + 150))
    assert [state for _, state in seen] == ["active", "cleared", "active", "cleared", "active flapping"]
    assert len({finding.id for finding in engine.changes}) == 3
    assert states(level(engine, 50, 750, 1400)) == [(1280, "cleared")]  # the last time it was high was until 680


def test_a_shelf_says_who_until_when_and_why() -> None:
    engine = plant()
    level(engine, 96, 0, 100)
    until_us = engine.at(300)
    engine.send(Shelved("shelf", engine.at(100), "tank0", "full", until_us, "Ann", "float is on order"))
    (finding,) = engine.engine.active()
    assert (finding.shelved_by, finding.shelved_until_us, finding.shelved_reason) == (
        "Ann",
        until_us,
        "float is on order",
    )
    level(engine, 96, 110, 320)
    (finding,) = engine.engine.active()
    assert finding.opens_order
    assert (finding.shelved_until_us, finding.shelved_reason) == (None, "")


def test_planned_work_says_who_until_when_and_why_and_is_caught_up() -> None:
    engine = plant()
    event = MaintenanceDeclared("work", engine.at(0), "gateway", engine.at(0), engine.at(200), "Bob", "cleaning")
    engine.send(event)
    level(engine, 96, 10, 100)
    (finding,) = engine.engine.active()
    assert (finding.shelved_by, finding.shelved_until_us) == ("maintenance: Bob", engine.at(200))
    assert finding.shelved_reason == "cleaning"
    assert [finding.opens_order for _, finding in level(engine, 96, 100, 220)] == [True]


def test_many_at_once_behind_one_thing_share_one_cause() -> None:
    engine = plant(tanks=LIMIT + 5)
    for number in range(LIMIT + 5):
        engine.send(make_scan(engine.at(number), f"tank{number}", {"tank_level": 10.0, "leak_detected": 0.0}))
    engine.send(make_scan(engine.at(30), "tank3", {"leak_detected": 1.0}))
    engine.beat(60)
    keys = [finding.cause_key for finding in engine.engine.active() if finding.rule_id == "low"]
    assert keys[: LIMIT - 1] == [f"tank{number}/low" for number in range(LIMIT - 1)]
    assert len(set(keys[LIMIT - 1 :])) == 1
    assert keys[-1].startswith("storm:gateway/")
    assert [item.cause_key for item in engine.engine.active() if item.rule_id == "leak"] == ["tank3/leak"]


def test_a_storm_ends_and_what_comes_later_stands_alone() -> None:
    engine = plant(tanks=LIMIT + 1)
    for number in range(LIMIT):
        engine.send(make_scan(engine.at(number), f"tank{number}", {"tank_level": 10.0}))
    for minute in range(1, 7):
        engine.beat(minute * 60)
    engine.send(make_scan(engine.at(370), f"tank{LIMIT}", {"tank_level": 10.0}))
    engine.beat(380)
    assert engine.engine.active()[-1].cause_key == f"tank{LIMIT}/low"


def _pending(engine: Rehearsal) -> None:
    level(engine, 96, 0, 50)
    level(engine, 50, 50, 60)
    level(engine, 96, 60, 140)


def _cleared(engine: Rehearsal) -> None:
    level(engine, 96, 0, 80)
    level(engine, 50, 80, 140)
    level(engine, 96, 140, 230)


def _shelved(engine: Rehearsal) -> None:
    level(engine, 96, 0, 70)
    engine.send(Shelved("shelf", engine.at(70), "tank0", "full", engine.at(120), "Ann", "known"))
    level(engine, 96, 80, 150)


def _maintained(engine: Rehearsal) -> None:
    engine.send(MaintenanceDeclared("w", engine.at(0), "gateway", engine.at(20), engine.at(120), "Bob", "plan"))
    level(engine, 96, 0, 150)


def _suppressed(engine: Rehearsal) -> None:
    level(engine, 10, 0, 30)
    level(engine, 3, 30, 60)
    level(engine, 10, 60, 90)


def _latched(engine: Rehearsal) -> None:
    level(engine, 96, 0, 80)
    level(engine, 50, 80, 110)
    engine.send(VisitRecorded("visit", engine.at(110), "tank0", "Ann"))
    level(engine, 50, 120, 140)


def _flapping(engine: Rehearsal) -> None:
    for cycle in range(3):
        level(engine, 96, cycle * 100, cycle * 100 + 80)
        level(engine, 50, cycle * 100 + 80, cycle * 100 + 100)
    level(engine, 50, 300, 460)


def _storm(engine: Rehearsal) -> None:
    for number in range(LIMIT + 3):
        level(engine, 10, number * 10, number * 10 + 10, f"tank{number}")


def _edited(engine: Rehearsal) -> None:
    """The rules are edited in the middle of the replay: one is stricter, one is gone."""
    level(engine, 90, 0, 50)
    text = RULES.replace("EXTRA", "clear_for: 30 s").replace("> 95", "> 80").replace("< 20", "< 95")
    engine.send(RuleSetActivated("edit", engine.at(50), "", {"own.yaml": text}))
    level(engine, 90, 60, 140)


CASES: dict[str, tuple[str, Callable[[Rehearsal], None], int]] = {
    "pending": ("clear_for: 30 s", _pending, 1),
    "cleared": ("clear_for: 30 s", _cleared, 1),
    "shelved": ("clear_for: 30 s", _shelved, 1),
    "maintained": ("clear_for: 30 s", _maintained, 1),
    "suppressed": ("clear_for: 30 s", _suppressed, 1),
    "latched": ("latch: true", _latched, 1),
    "flapping": ("flapping: {times: 2, within: 2 min}", _flapping, 1),
    "forgiven": ("forgive: 20 s", _pending, 1),
    "storm": ("clear_for: 30 s", _storm, LIMIT + 3),
    "edited": ("clear_for: 30 s", _edited, 1),
}


@pytest.mark.parametrize("case", CASES)
def test_stopped_and_resumed_at_any_commit_it_finds_the_same(case: str) -> None:
    extra, play, tanks = CASES[case]
    straight = plant(extra, tanks)
    play(straight)
    whole = straight.engine.snapshot()
    for stop in range(len(straight.commits) + 1):
        engine = Engine(allowance_us=1)
        found = _feed(engine, straight.commits[:stop])
        pending = engine.pending()
        engine = Engine.restore(engine.snapshot())
        assert engine.pending() == pending
        found += _feed(engine, straight.commits[stop:])
        assert found == straight.changes
        assert engine.snapshot() == whole
    assert any(finding.state is FindingState.ACTIVE for finding in straight.changes)


def _feed(engine: Engine, commits: list[Commit]) -> list[Finding]:
    return [finding for commit in commits for finding in engine.feed(commit)]
