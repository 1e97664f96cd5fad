"""Restart-exact: an engine restored from any instant goes on as if nothing had happened."""

import json
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facility.reading import (
    Commit,
    Entry,
    Heartbeat,
    MaintenanceDeclared,
    ParameterOverridden,
    PointValue,
    Quality,
    RuleSetActivated,
    Scan,
    Shelved,
    SiteEdited,
    VisitRecorded,
)
from rules.engine import Engine
from rules.errors import RulesError
from rules.snapshot import ENGINE_VERSION, Header

START_US = 1_772_416_800_000_000
SECOND_US = 1_000_000
RULES = """
rules:
  - {id: full, class: tank, name: {en: Full}, severity: high, advice: Look, for: hold, clear: tank_level < 93,
     clear_for: 20 s, when: tank_level > limit, parameters: {limit: {value: 94}, hold: {value: 25, unit: s}}}
  - {id: wild, class: tank, name: {en: Wild}, severity: low, advice: Look,
     when: 'changes(tank_level, "1 min") > 3 or count(tank_level > 95, "2 min") > 6'}
  - {id: mean, class: tank, name: {en: Mean}, severity: low, advice: Look, let: {middle: 'mean(tank_level, "40 s")'},
     when: 'middle > 94.5 and deviation(tank_level, "1 min") > 0.5 and delta(tank_level, "30 s") >= 0'}
  - {id: quiet, class: any, name: {en: Quiet}, severity: low, advice: Look,
     when: 'silent("40 s") or never_seen("3 min")'}
  - {id: hard, class: pump, name: {en: Hard}, severity: low, advice: Look, suppresses: [full, wild], downstream: true,
     release: 9 s,
     when: 'run_status == 1 and since(run_status) > 15 and starts(run_status, "5 min") > 0'}
  - {id: worn, class: pump, name: {en: Worn}, severity: low, advice: Look, when: since_visit(run_count) > 30}
"""
SITE = json.dumps(
    {
        "site": {"id": "s", "zone": "UTC"},
        "buildings": [
            {
                "id": "b",
                "assets": [
                    {"id": "tank", "class": "tank", "points": {"tank_level": {"cadence": 20}}},
                    {"id": "pump", "class": "pump", "points": ["run_status", "run_count"], "feeds": ["tank"]},
                    {"id": "spare", "class": "pump", "points": ["run_status", "run_count"]},
                ],
            }
        ],
    }
)  # fmt: skip


def journal(seed: int) -> list[Commit]:
    """Commits of scans, heartbeats and every kind of control event."""
    rng = random.Random(seed)
    entries: list[Entry] = [
        SiteEdited("site", 0, {"site.yaml": SITE}),
        RuleSetActivated("rules", 0, "", {"own.yaml": RULES}),
    ]
    at_us, count = START_US, 0.0
    for number in range(200):
        at_us += (
            rng.choice([0, 1, 2, 3, 5, 8, 60 if rng.random() < 0.2 else 2, 1200 if rng.random() < 0.03 else 2])
            * SECOND_US
        )
        count += rng.random()
        level = PointValue("tank_level", float(rng.choice([90, 94, 96, 97])), Quality(rng.random() < 0.08))
        pump = (PointValue("run_status", float(rng.random() < 0.8)), PointValue("run_count", count))
        events: list[Entry] = [
            Shelved(f"shelf {number}", at_us, "tank", "full", at_us + rng.randrange(0, 60 * SECOND_US), "Ann", "known"),
            MaintenanceDeclared(f"work {number}", at_us, "tank", at_us, at_us + 50 * SECOND_US, "Bob", "plan"),
            ParameterOverridden(f"set {number}", at_us, "full", "limit", "class:tank", rng.choice([95.5, 93.0, None])),
            VisitRecorded(f"visit {number}", at_us, "pump", "Cy"),
            SiteEdited(f"site {number}", at_us, {"site.yaml": SITE.replace('"spare"', f'"spare{number % 3}"')}),
            RuleSetActivated(
                f"rules {number}", at_us, "", {"own.yaml": RULES.replace("> 3 or", f"> {2 + number % 3} or")}
            ),
        ]
        stream: list[Entry] = [
            Scan("tank", at_us, False, (level,)),
            Scan("tank", at_us - rng.randrange(3 * SECOND_US), False, (level,)),
            Scan("pump", at_us, True, pump),
            Heartbeat(at_us),
        ]
        entries.append(rng.choice(events if rng.random() < 0.06 else stream))
    commits, seq = [], 0
    while entries:
        seq, size = seq + 1, rng.randrange(1, 8)
        commits.append(Commit(seq, 0, tuple(entries[:size])))
        entries = entries[size:]
    return commits


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_a_restart_anywhere_changes_no_finding(seed: int, cuts: list[float]) -> None:
    commits = journal(seed)
    through = Engine(allowance_us=2 * SECOND_US)
    expected = [through.feed(commit) for commit in commits]
    engine = Engine(allowance_us=2 * SECOND_US)
    stops = {int(cut * len(commits)) for cut in cuts}
    got = []
    for index, commit in enumerate(commits):
        if index in stops:
            engine = Engine.restore(engine.snapshot())
        got.append(engine.feed(commit))
    assert got == expected
    assert engine.pending() == through.pending()
    assert engine.active() == through.active()
    assert engine.not_applicable() == through.not_applicable()
    assert engine.errors == through.errors


def test_the_journals_of_these_tests_bring_every_kind_of_finding() -> None:
    changes = []
    for seed in range(15):
        engine = Engine(allowance_us=2 * SECOND_US)
        changes += [finding for commit in journal(seed) for finding in engine.feed(commit)]
    assert {finding.rule_id for finding in changes} == {"full", "wild", "mean", "quiet", "hard", "worn"}
    assert any(finding.shelved_by == "Ann" for finding in changes)
    assert any(finding.shelved_by == "maintenance: Bob" for finding in changes)
    assert any(finding.suppressed_by for finding in changes)


def test_an_older_snapshot_replays_to_the_same_ids() -> None:
    commits = journal(7)
    engine = Engine(allowance_us=2 * SECOND_US)
    snapshots = []
    found = []
    for commit in commits:
        snapshots.append(engine.snapshot())
        found.append(engine.feed(commit))
    middle = len(commits) // 2
    again = Engine.restore(snapshots[middle])
    assert [again.feed(commit) for commit in commits] == [[] for _ in range(middle)] + found[middle:]


def test_a_ten_minute_rule_killed_at_minute_seven_fires_at_minute_ten() -> None:
    rules = RULES.replace("hold: {value: 25, unit: s}", "hold: {value: 10, unit: min}")
    engine = Engine(allowance_us=0)
    engine.feed(
        Commit(1, 0, (SiteEdited("s", 0, {"site.yaml": SITE}), RuleSetActivated("r", 0, "", {"own.yaml": rules})))
    )
    found = []
    for minute in range(11):
        if minute == 7:
            engine = Engine.restore(engine.snapshot())
        for third in range(3):
            at_us = START_US + (minute * 60 + third * 20) * SECOND_US
            scan = Scan("tank", at_us, True, (PointValue("tank_level", 96.0),))
            found += engine.feed(Commit(engine.last_seq + 1, 0, (scan,)))
    (finding,) = (finding for finding in found if finding.rule_id == "full")
    assert finding.raised_us == START_US + 600 * SECOND_US


def test_a_snapshot_of_another_version_is_refused_with_the_reason() -> None:
    header = msgspec.msgpack.decode(Engine(allowance_us=0).snapshot(), type=Header)
    other = msgspec.structs.replace(header, version=ENGINE_VERSION + 1)
    with pytest.raises(RulesError, match=f"engine version {ENGINE_VERSION + 1} and this is version {ENGINE_VERSION}"):
        Engine.restore(msgspec.msgpack.encode(other))


def test_a_snapshot_whose_rules_are_not_its_own_is_refused() -> None:
    header = msgspec.msgpack.decode(Engine(allowance_us=0).snapshot(), type=Header)
    with pytest.raises(RulesError, match="names rule set 'abc' and carries ''"):
        Engine.restore(msgspec.msgpack.encode(msgspec.structs.replace(header, digest="abc")))


@pytest.mark.parametrize("data", [b"", b"nonsense", msgspec.msgpack.encode(Header(ENGINE_VERSION, "", b"\x01"))])
def test_a_broken_snapshot_is_refused(data: bytes) -> None:
    with pytest.raises(RulesError, match="rebuild the state from the journal"):
        Engine.restore(data)
