"""An engine that began later than another knows what people said before it, once a building comes from there."""

import json

import pytest

from facility.finding import Finding
from facility.reading import (
    BuildingsAssigned,
    Commit,
    ControlEvent,
    Entry,
    MaintenanceDeclared,
    ParameterOverridden,
    PointValue,
    RuleSetActivated,
    Scan,
    Shelved,
    SiteEdited,
)
from rules.engine import Engine
from rules.snapshot import plant_of

START_US = 1_772_416_800_000_000
SECOND_US = 1_000_000
UNTIL_US = START_US + 3600 * SECOND_US
RULES = """
rules:
  - {id: full, class: tank, name: {en: Full}, severity: high, advice: Look,
     when: tank_level > limit, parameters: {limit: {value: 94}}}
"""
SITE = json.dumps(
    {
        "site": {"id": "s", "zone": "UTC"},
        "buildings": [
            {"id": name, "assets": [{"id": f"tank-{name}", "class": "tank", "points": ["tank_level"]}]}
            for name in ("mall", "tower")
        ],
    }
)
BEGIN: tuple[ControlEvent, ...] = (
    SiteEdited("site", 0, {"site.yaml": SITE}),
    RuleSetActivated("rules", 0, "", {"own.yaml": RULES}),
)
SHELF = Shelved("shelf", 1, "tank-tower", "full", UNTIL_US, "Ann", "known")
WORK = MaintenanceDeclared("work", 1, "tank-tower", START_US, UNTIL_US, "Bob", "plan")
HIGHER = ParameterOverridden("set", 1, "full", "limit", "class:tank", 98.0)
NO_SHELF = Shelved("no shelf", 5, "tank-tower", "full", 5, "Ann", "")
NO_WORK = MaintenanceDeclared("no work", 5, "tank-tower", START_US, 5, "Bob", "")
AS_BEFORE = ParameterOverridden("unset", 5, "full", "limit", "class:tank", None)


def feed(engine: Engine, *entries: Entry) -> list[Finding]:
    return engine.feed(Commit(engine.last_seq + 1, 0, entries))


def full(building: str, second: int) -> Scan:
    return Scan(f"tank-{building}", START_US + second * SECOND_US, True, (PointValue("tank_level", 97.0),))


def old_shard(*said: Entry) -> Engine:
    engine = Engine(allowance_us=0)
    feed(engine, *BEGIN)
    feed(engine, *said)
    return engine


def new_shard(*said: Entry) -> Engine:
    engine = Engine(allowance_us=0)
    feed(engine, BuildingsAssigned("first", 0, ("mall",)), *BEGIN)
    feed(engine, *said)
    return engine


def move(old: Engine, new: Engine) -> list[Finding]:
    """The tower; with what the new shard tells when it has come."""
    feed(old, BuildingsAssigned("leave", 0, ("mall",)))
    return feed(new, BuildingsAssigned("come", 0, ("mall", "tower"), (), old.released))


def test_a_fault_that_was_shelved_before_there_was_the_shard_stays_shelved() -> None:
    old = old_shard(SHELF, full("tower", 0))
    assert [one.shelved_by for one in old.active()] == ["Ann"]
    new = new_shard()
    assert move(old, new) == []
    assert [(one.shelved_by, one.opens_order) for one in new.active()] == [("Ann", False)]
    told = feed(new, full("tower", 1), full("tower", 3601))  # when its time is over it comes back
    assert [(one.shelved_by, one.raised_us) for one in told] == [(None, START_US)]


def test_planned_work_and_parameters_of_before_count_too_and_for_all_buildings() -> None:
    old = old_shard(WORK, full("tower", 0))
    new = new_shard(full("mall", 0))
    assert move(old, new) == []
    assert [(one.asset_id, one.shelved_by) for one in new.active()] == [
        ("tank-mall", None),
        ("tank-tower", "maintenance: Bob"),
    ]
    old, new = old_shard(HIGHER, full("tower", 0)), new_shard(full("mall", 0))
    assert (old.active(), [one.asset_id for one in new.active()]) == ([], ["tank-mall"])
    move(old, new)
    assert [one.value for one in new.overrides] == [98.0]
    assert feed(new, full("mall", 1), full("tower", 1)) != []
    assert new.active() == []


@pytest.mark.parametrize(("said", "taken_back"), [(SHELF, NO_SHELF), (WORK, NO_WORK), (HIGHER, AS_BEFORE)])
def test_what_was_taken_back_stays_taken_back(said: Entry, taken_back: Entry) -> None:
    """Whichever of the two heard it, and whether or not it heard the first word."""
    for heard_by_old, heard_by_new in (
        ([said], [taken_back]),
        ([said], [said, taken_back]),
        ([said, taken_back], [said]),
        ([said, taken_back], []),
        ([said, taken_back], [taken_back]),
    ):
        old, new = old_shard(*heard_by_old), new_shard(*heard_by_new)
        move(old, new)
        assert (new.shelves(), new.overrides) == ([], ())
        feed(new, full("tower", 0))
        assert [one.shelved_by for one in new.active()] == [None], (heard_by_old, heard_by_new)


def test_the_newest_word_holds() -> None:
    newer = ParameterOverridden("newer", 7, "full", "limit", "class:tank", 90.0)
    for heard_by_old, heard_by_new in (([HIGHER], [newer]), ([HIGHER, newer], [HIGHER]), ([HIGHER], [HIGHER, newer])):
        old, new = old_shard(*heard_by_old), new_shard(*heard_by_new)
        move(old, new)
        assert [one.value for one in new.overrides] == [90.0]


def test_what_was_said_is_kept_over_a_snapshot_and_a_warm_start() -> None:
    heard = Engine.restore(new_shard(NO_SHELF).snapshot())
    plant = plant_of(heard.snapshot())
    assert plant is not None
    for new in (heard, Engine.begin(plant, heard.last_seq, allowance_us=0)):
        move(old_shard(SHELF), new)
        assert new.shelves() == []
