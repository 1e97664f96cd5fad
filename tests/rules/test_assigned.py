"""A building moves from one engine to another, over two journals: it is judged as if nothing had happened."""

import json
import random
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facility.finding import Finding, FindingState
from facility.reading import (
    BuildingsAssigned,
    Commit,
    ControlEvent,
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
from rules.handover import Parcel
from rules.snapshot import ENGINE_VERSION, Header, plant_of

START_US = 1_772_416_800_000_000
SECOND_US = 1_000_000
RULES = """
rules:
  - {id: full, class: tank, name: {en: Full}, severity: high, advice: Look, for: 25 s, clear: tank_level < 93,
     clear_for: 20 s, when: tank_level > limit, parameters: {limit: {value: 94}}}
  - {id: wild, class: tank, name: {en: Wild}, severity: low, advice: Look,
     when: 'changes(tank_level, "1 min") > 3 or count(tank_level > 95, "2 min") > 6'}
  - {id: mean, class: tank, name: {en: Mean}, severity: low, advice: Look, let: {middle: 'mean(tank_level, "40 s")'},
     when: 'middle > 94.5 and deviation(tank_level, "1 min") > 0.5 and delta(tank_level, "30 s") >= 0'}
  - {id: quiet, class: any, name: {en: Quiet}, severity: low, advice: Look,
     when: 'silent("40 s") or never_seen("3 min")'}
  - {id: hard, class: pump, name: {en: Hard}, severity: low, advice: Look, suppresses: [full, wild], downstream: true,
     release: 9 s, when: 'run_status == 1 and since(run_status) > 15 and starts(run_status, "5 min") > 0'}
  - {id: worn, class: pump, name: {en: Worn}, severity: low, advice: Look,
     when: since_visit(run_count) > 12}
"""


def site(*names: str) -> str:
    return json.dumps(
        {
            "site": {"id": "s", "zone": "UTC"},
            "buildings": [
                {
                    "id": name,
                    "assets": [
                        {"id": f"tank-{name}", "class": "tank", "points": {"tank_level": {"cadence": 20}}},
                        {"id": f"pump-{name}", "class": "pump", "points": ["run_status", "run_count"],
                         "feeds": [f"tank-{name}"]},
                    ],
                }
                for name in names
            ],
        }
    )  # fmt: skip


BEGIN: tuple[ControlEvent, ...] = (
    SiteEdited("site", 0, {"site.yaml": site("mall", "tower")}),
    RuleSetActivated("rules", 0, "", {"own.yaml": RULES}),
)


@dataclass
class Shard:
    """An engine, restored from a snapshot before every commit where the dice say so, and what it told."""

    rng: random.Random
    buildings: tuple[str, ...] | None
    restarts: float = 0.0
    engine: Engine = field(default_factory=lambda: Engine(allowance_us=2 * SECOND_US))
    told: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        first = () if self.buildings is None else (BuildingsAssigned("first", 0, self.buildings),)
        self.feed([*first, *BEGIN])

    def feed(self, entries: list[Entry]) -> list[Finding]:
        """Commits of random size."""
        told: list[Finding] = []
        while entries:
            size = self.rng.randrange(1, 5)
            if self.rng.random() < self.restarts:
                self.engine = Engine.restore(self.engine.snapshot())
            told += self.engine.feed(Commit(self.engine.last_seq + 1, 0, tuple(entries[:size])))
            entries = entries[size:]
        self.told += told
        return told

    def of(self, building: str) -> list[Finding]:
        return [finding for finding in self.told if finding.building_id == building]


def stream(rng: random.Random, count: int, words: float = 0.0) -> list[Entry]:
    """Scans of two buildings, some late and some twice, heartbeats and visits; a share of `words` are shelves and works
    of the moving one."""
    entries: list[Entry] = []
    at_us, turned = START_US, 0.0
    for number in range(count):
        at_us += rng.choice([0, 1, 2, 3, 5, 8, 1200 if rng.random() < 0.02 else 2]) * SECOND_US
        turned += rng.random()
        name = rng.choice(["mall", "tower", "tower"])
        level = PointValue("tank_level", float(rng.choice([90, 94, 96, 97])), Quality(rng.random() < 0.08))
        pump = (PointValue("run_status", float(rng.random() < 0.8)), PointValue("run_count", turned))
        kinds: list[Entry] = [
            Scan(f"tank-{name}", at_us, False, (level,)),
            Scan(f"tank-{name}", at_us - rng.randrange(4 * SECOND_US), False, (level,)),
            Scan(f"pump-{name}", at_us, True, pump),
            Heartbeat(at_us),
        ]
        visit = VisitRecorded(f"visit {number}", at_us, f"pump-{name}", "Cy")
        entries.append(visit if rng.random() < 0.04 else rng.choice(kinds))
        if rng.random() < 0.1:
            entries.append(rng.choice(entries[-8:]))
        if rng.random() < words:
            until_us = at_us + rng.randrange(90) * SECOND_US
            shelf = Shelved(f"shelf {number}", at_us, "tank-tower", "full", until_us, "Ann", "known")
            works = MaintenanceDeclared(f"work {number}", at_us, "pump-tower", at_us, until_us, "Bob", "plan")
            entries.append(shelf if rng.random() < 0.5 else works)
    return entries


def shared(entries: list[Entry]) -> list[Entry]:
    """What stands in the journal of a shard that does not have the moving building."""
    return [one for one in entries if not isinstance(one, Scan) or not one.asset_id.endswith("tower")]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1_000_000), st.floats(0, 1), st.integers(0, 60), st.integers(0, 60), st.floats(0, 0.6))
def test_a_building_that_moved_is_judged_as_if_it_had_not(
    seed: int, place: float, overlap: int, wait: int, restarts: float
) -> None:
    rng = random.Random(seed)
    entries = stream(rng, 260)
    expects = int(place * len(entries))
    leaves, comes = expects + overlap, expects + overlap + wait
    north, south = Shard(rng, ("tower",), restarts), Shard(rng, ("mall",), restarts)
    alone = Shard(rng, None)
    alone.feed(entries)
    north.feed(entries[:leaves])
    north.feed([BuildingsAssigned("leave", 0, ())])
    (handed,) = north.engine.released.items()
    north.feed(entries[leaves:])
    south.feed(shared(entries[:expects]))
    south.feed([BuildingsAssigned("expect", 0, ("mall",), ("tower",))])
    south.feed(entries[expects:comes])
    assert not south.of("tower")
    south.feed([BuildingsAssigned("come", 0, ("mall", "tower"), (), dict([handed]))])
    south.feed(entries[comes:])
    assert [*north.of("tower"), *south.of("tower")] == alone.of("tower")
    assert south.of("mall") == alone.of("mall")
    for seen in (Engine.active, Engine.pending):
        key = {one.id: one for one in seen(alone.engine)}
        assert {one.id: one for one in seen(south.engine)} == key
    assert not north.engine.active()
    assert south.engine.judged_us() == alone.engine.judged_us()
    assert not south.engine.errors


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_000_000), st.floats(0, 1), st.integers(0, 40), st.integers(0, 40), st.floats(0, 0.4))
def test_what_people_say_meanwhile_changes_no_onset_and_no_end(
    seed: int, place: float, overlap: int, wait: int, restarts: float
) -> None:
    rng = random.Random(seed)
    entries = stream(rng, 260, words=0.1)
    expects = int(place * len(entries))
    leaves, comes = expects + overlap, expects + overlap + wait
    north, south = Shard(rng, ("tower",), restarts), Shard(rng, (), restarts)
    alone = Shard(rng, None)
    alone.feed(entries)
    north.feed([*entries[:leaves], BuildingsAssigned("leave", 0, ())])
    handed = {**north.engine.released}
    south.feed([*shared(entries[:expects]), BuildingsAssigned("expect", 0, (), ("tower",)), *entries[expects:comes]])
    south.feed([BuildingsAssigned("come", 0, ("tower",), (), handed), *entries[comes:]])
    moved, still = [*north.of("tower"), *south.of("tower")], alone.of("tower")
    assert {(one.id, one.cleared_us) for one in moved} == {(one.id, one.cleared_us) for one in still}
    assert south.engine.shelves() == alone.engine.shelves()
    now = [one for one in alone.engine.active() if one.building_id == "tower"]
    assert _by_id(south.engine.active()) == _by_id(now)


def _by_id(findings: list[Finding]) -> dict[str, Finding]:
    """But for their causes: what counts for a storm depends on when it came into view."""
    return {one.id: msgspec.structs.replace(one, cause_key="") for one in findings}


def test_the_streams_of_these_tests_bring_every_kind_of_finding() -> None:
    told: list[Finding] = []
    for seed in range(10):
        rng = random.Random(seed)
        alone = Shard(rng, None)
        told += alone.feed(stream(rng, 260))
    assert {finding.rule_id for finding in told} == {"full", "wild", "mean", "quiet", "hard", "worn"}
    assert {finding.building_id for finding in told} == {"mall", "tower"}
    assert any(finding.suppressed_by for finding in told)


def full(building: str, second: int, level: float = 97.0) -> Scan:
    return Scan(f"tank-{building}", START_US + second * SECOND_US, True, (PointValue("tank_level", level),))


def found(engine: Engine) -> list[tuple[str, str]]:
    return [(one.rule_id, one.asset_id) for one in engine.active()]


def moved(seconds: int = 60) -> tuple[Shard, bytes, list[Finding]]:
    """A shard whose building with a full tank has left, its memory, and what is active of it."""
    north = Shard(random.Random(0), ("tower",))
    north.feed([full("tower", second) for second in range(0, seconds, 10)])
    active = north.engine.active()
    north.feed([BuildingsAssigned("leave", 0, ())])
    return north, north.engine.released.pop("tower"), active


def test_a_released_building_keeps_its_findings_open() -> None:
    north, _, active = moved()
    assert [one.rule_id for one in active] == ["full"]
    assert [one.state for one in north.told] == [FindingState.ACTIVE]
    assert north.engine.active() == []
    assert north.engine.registry.buildings == {}
    assert north.feed([full("tower", 70, 90.0), full("tower", 140, 90.0)]) == []


def test_what_was_released_is_offered_until_it_is_taken_and_again_by_a_replay() -> None:
    north = Shard(random.Random(0), ("tower",))
    north.feed([full("tower", second) for second in range(0, 60, 10)])
    before = north.engine.snapshot()
    leave = Commit(north.engine.last_seq + 1, 0, (BuildingsAssigned("leave", 0, ()),))
    north.engine.feed(leave)
    restored = Engine.restore(north.engine.snapshot())
    again = Engine.restore(before)
    again.feed(leave)
    first = {**north.engine.released}
    assert list(first) == ["tower"]
    assert restored.released == first
    assert again.released == first
    north.engine.released.clear()
    assert Engine.restore(north.engine.snapshot()).released == {}


def test_a_building_that_comes_back_is_offered_no_more() -> None:
    north, handed, _ = moved()
    north.feed([BuildingsAssigned("away again", 0, ("mall",)), BuildingsAssigned("there and back", 0, ())])
    assert list(north.engine.released) == ["mall"]
    north.engine.released.clear()
    north.feed([BuildingsAssigned("back", 0, ("tower",), (), {"tower": handed}), BuildingsAssigned("on", 0, ())])
    north.feed([BuildingsAssigned("back again", 0, ("tower",), (), {"tower": handed})])
    assert north.engine.released == {}


def test_the_same_assignment_again_changes_nothing() -> None:
    _, handed, active = moved()
    south = Shard(random.Random(0), ("mall",))
    come = BuildingsAssigned("come", 0, ("mall", "tower"), (), {"tower": handed})
    south.feed([come])
    assert south.engine.active() == active
    south.feed([full("tower", 60, 90.0), full("tower", 90, 90.0), Heartbeat(START_US + 120 * SECOND_US)])
    assert found(south.engine) == []
    assert south.feed([come, msgspec.structs.replace(come, event_id="come again")]) == []
    assert found(south.engine) == []


def test_a_new_building_begins_empty_and_one_in_no_site_file_waits_for_it() -> None:
    north = Shard(random.Random(0), ("tower", "school"))
    north.feed([SiteEdited("more", 1, {"site.yaml": site("mall", "tower", "school")})])
    assert set(north.engine.registry.buildings) == {"tower", "school"}
    north.feed([full(name, second) for second in range(0, 60, 10) for name in ("mall", "school")])
    assert found(north.engine) == [("full", "tank-school")]


def test_a_site_edit_while_a_building_is_on_the_way_counts_when_it_comes() -> None:
    _, handed, _ = moved()
    south = Shard(random.Random(0), ("mall",))
    south.feed([BuildingsAssigned("expect", 0, ("mall",), ("tower",)), full("tower", 50)])
    text = (
        site("mall", "tower").replace('"tank-tower"', '"tank-attic"').replace('"feeds": ["tank-attic"]', '"feeds": []')
    )
    south.feed([SiteEdited("renamed", 1, {"site.yaml": text})])
    told = south.feed([BuildingsAssigned("come", 0, ("mall", "tower"), (), {"tower": handed})])
    assert [(one.asset_id, one.state) for one in told] == [("tank-tower", FindingState.CLEARED)]
    assert "tank-attic" in south.engine.registry.assets


def test_a_building_that_went_out_of_the_site_files_on_the_way_ends_where_it_comes() -> None:
    _, handed, active = moved()
    south = Shard(random.Random(0), ("mall",))
    south.feed([BuildingsAssigned("expect", 0, ("mall",), ("tower",)), full("tower", 50)])
    assert south.feed([SiteEdited("gone", 1, {"site.yaml": site("mall")})]) == []
    told = south.feed([BuildingsAssigned("come", 0, ("mall", "tower"), (), {"tower": handed})])
    assert [(one.id, one.state) for one in told] == [(active[0].id, FindingState.CLEARED)]


def test_rules_activated_on_the_way_judge_what_was_kept_back() -> None:
    _, handed, active = moved(20)
    assert active == []
    south = Shard(random.Random(0), ("mall",))
    south.feed([BuildingsAssigned("expect", 0, ("mall",), ("tower",))])
    south.feed([full("tower", second) for second in range(0, 60, 10)])
    rules = {"own.yaml": RULES.replace("id: quiet", "id: hush").replace("for: 25 s", "for: 45 s")}
    south.feed([RuleSetActivated("others", 1, "", rules)])
    south.feed([Heartbeat(START_US + second * SECOND_US) for second in range(50, 70, 5)])
    told = south.feed([BuildingsAssigned("come", 0, ("mall", "tower"), (), {"tower": handed})])
    assert [(one.rule_id, one.raised_us - one.onset_us) for one in told] == [("full", 45 * SECOND_US)]


def test_what_people_say_on_the_way_counts_where_the_building_comes() -> None:
    _, handed, active = moved()
    south = Shard(random.Random(0), ("mall",))
    until_us = START_US + 3600 * SECOND_US
    south.feed([BuildingsAssigned("expect", 0, ("mall",), ("tower",))])
    south.feed([Shelved("shelf", 1, "tank-tower", "full", until_us, "Ann", "known")])
    told = south.feed([BuildingsAssigned("come", 0, ("mall", "tower"), (), {"tower": handed})])
    assert [(one.id, one.shelved_by) for one in told] == [(active[0].id, "Ann")]
    works = MaintenanceDeclared("work", 1, "tank-mall", START_US, until_us, "Bob", "plan")
    assert south.feed([works, ParameterOverridden("set", 1, "full", "limit", "class:tank", 98.0)]) == []


def test_a_move_that_is_taken_back_forgets_what_was_kept() -> None:
    south = Shard(random.Random(0), ("mall",))
    south.feed([BuildingsAssigned("expect", 0, ("mall",), ("tower",)), full("tower", 0)])
    assert list(south.engine.expected) == ["tower"]
    before = len(south.engine.snapshot())
    south.feed([BuildingsAssigned("no", 0, ("mall",))])
    assert list(south.engine.expected) == []
    assert len(south.engine.snapshot()) < before
    assert south.engine.assigned == ("mall",)


def test_memory_of_another_version_of_the_engine_ends_its_findings_and_begins_anew() -> None:
    _, handed, active = moved()
    parcel = msgspec.msgpack.decode(handed, type=Parcel)
    old = msgspec.msgpack.encode(msgspec.structs.replace(parcel, version=ENGINE_VERSION + 1, memory=b"\xc1"))
    south = Shard(random.Random(0), ("mall",))
    south.feed([BuildingsAssigned("expect", 0, ("mall",), ("tower",))])
    south.feed([full("tower", second) for second in range(60, 120, 10)])
    told = south.feed([BuildingsAssigned("come", 0, ("mall", "tower"), (), {"tower": old})])
    assert [(one.rule_id, one.state, one.cause_key) for one in told] == [
        ("full", FindingState.CLEARED, active[0].cause_key),
        ("full", FindingState.ACTIVE, active[0].cause_key),
    ]
    assert told[0].id == active[0].id != told[1].id
    assert "it begins to learn anew" in south.engine.errors[0]


@pytest.mark.parametrize("data", [b"", b"nonsense", msgspec.msgpack.encode(Parcel(ENGINE_VERSION, (), b"", b"\x01"))])
def test_memory_that_cannot_be_read_begins_anew(data: bytes) -> None:
    south = Shard(random.Random(0), ("mall",))
    assert south.feed([BuildingsAssigned("come", 0, ("mall", "tower"), (), {"tower": data})]) == []
    assert "building 'tower' came from another shard and its memory is damaged" in south.engine.errors[0]
    south.feed([full("tower", second) for second in range(0, 60, 10)])
    assert found(south.engine) == [("full", "tank-tower")]


def test_a_snapshot_from_before_there_were_shards_is_restored() -> None:
    alone = Shard(random.Random(0), None)
    alone.feed([full("tower", second) for second in range(0, 60, 10)])
    header = msgspec.msgpack.decode(alone.engine.snapshot(), type=Header)
    body = msgspec.msgpack.decode(header.body)
    for name in ("assigned", "expected", "kept", "released"):
        del body[name]
    older = msgspec.msgpack.encode(msgspec.structs.replace(header, body=msgspec.msgpack.encode(body)))
    engine = Engine.restore(older)
    assert engine.assigned is None
    assert engine.active() == alone.engine.active() != []


def test_an_engine_that_begins_warm_knows_what_is_assigned() -> None:
    south = Shard(random.Random(0), ("mall",))
    south.feed([BuildingsAssigned("expect", 0, ("mall",), ("tower",)), full("tower", 0)])
    plant = plant_of(south.engine.snapshot())
    assert plant is not None
    warm = Engine.begin(plant, 0, allowance_us=2 * SECOND_US)
    assert (warm.assigned, warm.expected) == (("mall",), ("tower",))
    entries = [full(name, second) for second in range(0, 60, 10) for name in ("mall", "tower")]
    again = [BuildingsAssigned("first", 0, ("mall",)), BuildingsAssigned("expect", 0, ("mall",), ("tower",))]
    warm.feed(Commit(1, 0, (*again, *entries)))
    assert found(warm) == [("full", "tank-mall")]
    warm.feed(Commit(2, 0, (BuildingsAssigned("come", 0, ("mall", "tower")),)))
    assert found(warm) == [("full", "tank-mall"), ("full", "tank-tower")]
