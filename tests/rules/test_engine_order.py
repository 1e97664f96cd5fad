"""The same readings in any order within the allowance give the same findings; what comes later changes nothing."""

import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from facility.finding import Finding
from facility.reading import Commit, Entry, Heartbeat, PointValue, Quality, RuleSetActivated, Scan, SiteEdited
from rules.engine import Engine

START_US = 1_772_416_800_000_000
SECOND_US = 1_000_000
ALLOWANCE_US = 5 * SECOND_US
RULES = """
rules:
  - {id: full, class: tank, name: {en: Full}, severity: high, advice: Look, when: tank_level > 95, for: 20 s,
     clear: tank_level < 93, clear_for: 10 s}
  - {id: wild, class: tank, name: {en: Wild}, severity: low, advice: Look, when: 'changes(tank_level, "1 min") > 4'}
  - {id: quiet, class: tank, name: {en: Quiet}, severity: low, advice: Look, when: 'silent("40 s")'}
  - {id: hard, class: pump, name: {en: Hard}, severity: low, advice: Look, suppresses: [full], downstream: true,
     when: run_status == 1 and tank_level > 94 and since(run_status) > 15}
"""
SITE = json.dumps(
    {
        "site": {"id": "s", "zone": "UTC"},
        "buildings": [
            {
                "id": "b",
                "assets": [
                    {"id": "tank", "class": "tank", "points": {"tank_level": {"cadence": 20}, "water_flow": {}}},
                    {"id": "pump", "class": "pump", "points": ["run_status"], "feeds": ["tank"],
                     "borrows": {"tank_level": {"asset": "tank"}}},
                ],
            }
        ],
    }
)  # fmt: skip


def begin() -> Engine:
    """An engine with the site and the rules."""
    engine = Engine(allowance_us=ALLOWANCE_US, listening_gap_us=300 * SECOND_US)
    engine.feed(
        Commit(1, 0, (SiteEdited("s", 0, {"site.yaml": SITE}), RuleSetActivated("r", 0, "", {"own.yaml": RULES})))
    )
    return engine


def run(entries: list[Entry], cuts: set[int] | None = None) -> list[Finding]:
    """Every change of a finding, with commits cut at these places (one commit an entry when None)."""
    engine, found, seq, held = begin(), [], 1, []
    for index, entry in enumerate(entries):
        held.append(entry)
        if cuts is None or index in cuts or index == len(entries) - 1:
            seq += 1
            found += engine.feed(Commit(seq, 0, tuple(held)))
            held = []
    return found


def stream(seed: int) -> list[tuple[int, Entry]]:
    """Partial scans of two assets and heartbeats, in order of event time."""
    rng = random.Random(seed)
    rows: list[tuple[int, Entry]] = []
    at_us = START_US
    for _ in range(120):
        at_us += (
            rng.choice([0, 1, 2, 3, 7, 15, 60 if rng.random() < 0.2 else 4, 400 if rng.random() < 0.05 else 4])
            * SECOND_US
        )
        what = rng.random()
        if what < 0.6:
            value = PointValue("tank_level", float(rng.choice([90, 94, 96, 97])), rng.choice([0, 0, 0, 0, 0, 1]))
            rows.append((at_us, Scan("tank", at_us, complete=False, values=(value,))))
        elif what < 0.8:
            rows.append((at_us, Scan("pump", at_us, True, (PointValue("run_status", float(rng.random() < 0.7)),))))
        elif what < 0.85:
            rows.append((at_us, Scan("tank", at_us, False, (PointValue("water_flow", 1.0),))))
        else:
            rows.append((at_us, Heartbeat(at_us)))
    rows.append((at_us + 2 * ALLOWANCE_US, Heartbeat(at_us + 2 * ALLOWANCE_US)))
    return rows


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_any_order_within_the_allowance_gives_the_same_findings(seed: int, shuffle: int) -> None:
    rows, rng = stream(seed), random.Random(shuffle)
    delayed = sorted(rows, key=lambda row: row[0] + rng.randrange(ALLOWANCE_US))
    assert run([entry for _, entry in delayed]) == run([entry for _, entry in rows])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sets(st.integers(0, 120)))
def test_any_batching_gives_the_same_findings(seed: int, cuts: set[int]) -> None:
    entries = [entry for _, entry in stream(seed)]
    assert run(entries, cuts) == run(entries)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_everything_may_come_twice(seed: int, shuffle: int) -> None:
    rows, rng = stream(seed), random.Random(shuffle)
    again = [(at_us + rng.randrange(50 * SECOND_US), entry) for at_us, entry in rows]
    both = sorted([*rows, *again], key=lambda row: row[0])
    assert run([entry for _, entry in both]) == run([entry for _, entry in rows])


def test_the_streams_of_these_tests_do_raise_suppress_and_clear() -> None:
    changes = [finding for seed in range(40) for finding in run([entry for _, entry in stream(seed)])]
    assert {finding.rule_id for finding in changes} == {"full", "wild", "quiet", "hard"}
    assert any(finding.suppressed_by for finding in changes)
    assert any(finding.cleared_us for finding in changes)


def test_a_scan_at_or_before_the_judged_instant_is_late_and_changes_nothing() -> None:
    engine = begin()
    ok = Scan("tank", START_US, True, (PointValue("tank_level", 90.0),))
    engine.feed(Commit(2, 0, (ok, Heartbeat(START_US + 30 * SECOND_US))))
    late = Scan("tank", START_US + 25 * SECOND_US, True, (PointValue("tank_level", 99.0),))
    assert engine.feed(Commit(3, 0, (late, Heartbeat(START_US + 40 * SECOND_US)))) == []
    assert (engine.late, engine.pending()) == (1, [])


def test_a_reading_of_the_future_neither_advances_time_nor_is_judged() -> None:
    engine = begin()
    engine.feed(Commit(2, 0, (Heartbeat(START_US),)))
    ahead = PointValue("tank_level", 99.0, Quality.FUTURE)
    engine.feed(Commit(3, 0, (Scan("tank", START_US + 10**12, True, (ahead,)),)))
    assert engine.event_time_us == START_US
    engine.feed(Commit(4, 0, tuple(Heartbeat(START_US + second * SECOND_US) for second in range(1, 90))))
    assert engine.pending() == []
    assert engine.active() == []


def test_a_commit_that_was_fed_before_changes_nothing() -> None:
    engine = begin()
    commit = Commit(2, 0, tuple(entry for _, entry in stream(3)))
    assert engine.feed(commit)
    before = engine.snapshot()
    assert engine.feed(commit) == []
    assert engine.snapshot() == before


def test_readings_of_an_unknown_asset_or_point_are_ignored() -> None:
    engine = begin()
    scans = (
        Scan("nobody", START_US, True, (PointValue("tank_level", 99.0),)),
        Scan("tank", START_US, True, (PointValue("co2", 99.0),)),
    )
    assert engine.feed(Commit(2, 0, (*scans, Heartbeat(START_US + 20 * SECOND_US)))) == []


def test_a_device_whose_clock_is_ahead_makes_no_other_late_where_heartbeats_move_time() -> None:
    engine = Engine(allowance_us=ALLOWANCE_US, scans_advance=False)
    engine.feed(
        Commit(1, 0, (SiteEdited("s", 0, {"site.yaml": SITE}), RuleSetActivated("r", 0, "", {"own.yaml": RULES})))
    )
    found = []
    for second in range(0, 60, 5):
        at_us = START_US + second * SECOND_US
        ahead = Scan("pump", at_us + 50 * SECOND_US, True, (PointValue("run_status", 1.0),))
        level = Scan("tank", at_us, True, (PointValue("tank_level", 96.0),))
        found += engine.feed(Commit(2 + second, 0, (ahead, level, Heartbeat(at_us))))
    assert engine.late == 0
    assert [(finding.rule_id, finding.raised_us) for finding in found] == [("full", START_US + 20 * SECOND_US)]
    assert engine.event_time_us == START_US + 55 * SECOND_US
