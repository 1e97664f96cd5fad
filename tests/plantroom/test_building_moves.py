"""A building moves between two engines, with a kill between any two steps, and nobody can tell by what is kept."""

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from dividing import BUILDINGS, Divided
from journaling import AT_US

from facility.errors import InputError
from facility.finding import Finding
from facility.instant import SECOND_US, from_us
from facility.reading import Shelved
from ingest.recall import assigned_in
from plantroom.building_owner import OneOfSeveral, buildings_are_divided
from plantroom.database import Database
from plantroom.judging import Judging
from ticketing import shard_rows
from ticketing.shard_rows import Phase
from ticketing.tables_shard import BuildingShardRow

AT = from_us(AT_US)


@pytest.fixture
def plant(database: Database, upgraded_sqlite: Path, tmp_path: Path) -> Iterator[Divided]:
    copy = tmp_path / "alone.db"
    copy.write_bytes(upgraded_sqlite.read_bytes())
    with closing(Database(f"sqlite:///{copy}")) as alone, closing(Divided(tmp_path, database, alone)) as divided:
        yield divided


def rows(plant: Divided) -> dict[str, BuildingShardRow]:
    with plant.database.reading() as session:
        return {row.building_id: row for row in shard_rows.list_buildings(session)}


def want(plant: Divided, building: str, shard: str) -> bool:
    with plant.database.writing() as session:
        return shard_rows.want_move(session, building, shard, plant.main.wall.now())


def judged(plant: Divided, shard: str) -> tuple[str, ...] | None:
    """What the shard's journal says is its own."""
    return next(part.host.engine.assigned for part in plant.parts if part.shard.name == shard)


def arrive(plant: Divided, building: str, shard: str, chance: random.Random | None = None) -> None:
    for _ in range(200):
        if rows(plant)[building].shard == shard and not rows(plant)[building].phase:
            return
        plant.tick(chance)
    pytest.fail(f"{building} did not come to {shard}: {rows(plant)[building]}")


def check(plant: Divided) -> None:
    plant.finish()
    kept, wanted = plant.kept(), plant.kept(alone=True)
    assert len(kept["findings"]) > 0
    for name, found in wanted.items():
        assert kept[name] == found, name


def test_a_building_is_moved_and_nobody_can_tell_by_what_is_kept(plant: Divided) -> None:
    for _ in range(3):
        plant.tick()
    assert {name: row.shard for name, row in rows(plant).items()} == dict.fromkeys(BUILDINGS, "main")
    assert judged(plant, "main") is None, "nothing is said in the journal of a plant that was never divided"
    plant.low |= {"tower-0", "mall-0"}
    plant.tick()
    assert want(plant, "tower", "south")
    assert not want(plant, "mall", "south"), "one building moves at a time"
    arrive(plant, "tower", "south")
    assert judged(plant, "main") == ("mall",)
    assert judged(plant, "south") == ("tower",)
    for part, elsewhere in ((plant.main, ("tower",)), (plant.south, ("mall",))):
        told = assigned_in(part.shard.journal_folder)
        assert told is not None
        assert told.event.elsewhere == elsewhere
    assert rows(plant)["tower"].memory is None
    judging = Judging([part.host for part in plant.parts])
    assert set(judging.registry.buildings) == set(BUILDINGS)
    assert {one.building_id for one in judging.engine.active()} == set(BUILDINGS)
    for asset in ("tower-0", "mall-0"):
        (standing,) = judging.engine.standings(asset)
        assert (standing.rule.id, standing.finding is not None) == ("level-low-soon", True)
        assert [rule.id for rule in judging.engine.rules_on(asset)] == ["level-low-soon"]
    plant.low |= {"tower-1"}
    plant.tick()
    plant.low -= {"tower-0"}
    assert not want(plant, "tower", "south"), "it is there"
    assert want(plant, "tower", "main")
    arrive(plant, "tower", "main")
    assert rows(plant)["tower"].epoch == 2
    assert judged(plant, "south") == ()
    check(plant)


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(4, 60))])
def test_kills_and_stops_between_any_two_steps_change_nothing(plant: Divided, seed: int) -> None:
    chance = random.Random(seed)
    tanks = [f"{building}-{number}" for building in BUILDINGS for number in range(2)]
    plant.low |= {"tower-0"}
    for _ in range(chance.randint(0, 4)):
        plant.tick(chance)
    for _ in range(6):
        plant.tick()
    for _ in range(3):
        building = chance.choice(BUILDINGS)
        there = "main" if rows(plant)[building].shard == "south" else "south"
        assert want(plant, building, there)
        for _ in range(200):
            row = rows(plant)[building]
            if row.shard == there and not row.phase:
                break
            plant.low ^= {chance.choice(tanks)} if chance.random() < 0.3 else set()
            plant.tick(chance)
            if chance.random() < 0.4:
                chance.choice(plant.parts).start()
            if chance.random() < 0.3:
                chance.choice(plant.parts).wake(chance)
        else:
            pytest.fail(f"{building} did not come to {there}: {rows(plant)[building]}")
    check(plant)


def test_a_fault_that_was_shelved_before_there_was_the_shard_opens_no_order_there(plant: Divided) -> None:
    shelf = Shelved("shelf", AT_US, "tower-0", "level-low-soon", AT_US + 3600 * SECOND_US, "Ann", "known")
    for journal in (plant.main.writer, plant.whole):
        journal.append(AT_US, [shelf])
    plant.low |= {"tower-0"}
    for _ in range(8):
        plant.tick()
    assert want(plant, "tower", "south")
    arrive(plant, "tower", "south")
    assert [one.shelved_by for one in plant.south.host.engine.active()] == ["Ann"]
    check(plant)
    assert plant.kept()["orders"] == []


def test_a_move_that_was_taken_back_leaves_everything_as_it_was(plant: Divided) -> None:
    for _ in range(3):
        plant.tick()
    assert want(plant, "tower", "south")
    plant.south.step()  # it says that it expects the building, and hears it from the next second on
    with plant.database.writing() as session:
        assert shard_rows.take_back(session, "tower", AT)
        assert not shard_rows.take_back(session, "tower", AT)
    assert want(plant, "tower", "south")
    with plant.database.writing() as session:
        assert shard_rows.cover(session, rows(plant)["tower"], AT)
    with plant.database.writing() as session:
        assert shard_rows.take_back(session, "tower", AT), "the old shard was not told yet"
    plant.low |= {"tower-0"}
    for _ in range(8):
        plant.tick()
    assert (judged(plant, "main"), judged(plant, "south")) == (None, ())
    assert want(plant, "tower", "south")
    arrive(plant, "tower", "south")
    check(plant)


def test_no_finding_is_kept_of_a_building_that_another_engine_has(
    database: Database, finding: Callable[..., Finding]
) -> None:
    found = [finding(asset="lift-1"), finding(asset="lift-2")]
    building = found[0].building_id
    with database.writing() as session:
        assert OneOfSeveral("main").admit(session, found) == found, "what nobody has is the first shard's"
        assert OneOfSeveral("south").admit(session, found) == []
        shard_rows.add_buildings(session, [building], "south", AT)
        assert OneOfSeveral("main").admit(session, found) == []
        assert OneOfSeveral("south").admit(session, found) == found
        assert OneOfSeveral("south").owns(session)(building)
        assert not OneOfSeveral("main").owns(session)(building)
        assert OneOfSeveral("main").owns(session)("attic"), "what nobody has is the first shard's"
        assert not OneOfSeveral("south").owns(session)("attic")


def test_a_step_is_made_only_from_the_one_before(plant: Divided) -> None:
    for _ in range(2):
        plant.tick()
    now = plant.main.wall.now()
    assert want(plant, "tower", "south")
    before = rows(plant)["tower"]
    with plant.database.writing() as session:
        assert not shard_rows.release(session, "tower", "main", b"early", 10, now)
        assert not shard_rows.take_up(session, "tower", "south", 10, now)
        assert shard_rows.cover(session, before, now)
        assert not shard_rows.cover(session, before, now), "that was done already"
        assert not shard_rows.release(session, "tower", "main", b"of an earlier move", 10, now)
    with plant.database.writing() as session:
        assert shard_rows.begin_step(session, rows(plant)["tower"], 10)
    with plant.database.writing() as session:
        assert not shard_rows.release(session, "tower", "main", b"of an earlier move", 10, now)
        assert not shard_rows.release(session, "tower", "south", b"not its own", 11, now)
        assert shard_rows.release(session, "tower", "main", b"memory", 11, now)
    row = rows(plant)["tower"]
    assert (row.shard, row.phase, row.memory, row.after_seq) == ("south", Phase.RELEASED, b"memory", None)


def test_a_shard_that_is_named_no_more_while_buildings_are_its_own_is_refused(plant: Divided) -> None:
    plant.tick()
    with plant.database.writing() as session:
        assert buildings_are_divided(session, ["main"]), "rows are there: new buildings have to be told of"
        assert shard_rows.want_move(session, "tower", "south", plant.main.wall.now())
        with pytest.raises(InputError, match="building tower: belongs to the shard 'south', or moves there"):
            buildings_are_divided(session, ["main"])
        assert buildings_are_divided(session, ["main", "south"])


def test_a_plant_that_was_never_divided_is_not(database: Database) -> None:
    with database.reading() as session:
        assert not buildings_are_divided(session, ["main"])
