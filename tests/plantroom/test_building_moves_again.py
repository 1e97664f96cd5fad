"""Moves that meet what they did not wait for: a building that is gone, a database put back, a word too late."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from dividing import BUILDINGS, DIRECTORY, SITE, Divided
from journaling import AT_US

from facility.instant import SECOND_US, from_us
from facility.reading import Heartbeat, PointValue, Scan, SiteEdited
from facility.site_file import parse_site
from plantroom.database import Database
from ticketing import repository, shard_rows
from ticketing.engine_state import begin_anew
from ticketing.shard_rows import Phase
from ticketing.tables import EngineStateRow
from ticketing.tables_shard import BuildingShardRow

AT = from_us(AT_US)
MALL_ALONE = SITE.partition("  - id: tower")[0]


@pytest.fixture
def plant(database: Database, upgraded_sqlite: Path, tmp_path: Path) -> Iterator[Divided]:
    copy = tmp_path / "alone.db"
    copy.write_bytes(upgraded_sqlite.read_bytes())
    with closing(Database(f"sqlite:///{copy}")) as alone, closing(Divided(tmp_path, database, alone)) as divided:
        for _ in range(3):
            divided.tick()
        yield divided


def tower(plant: Divided) -> BuildingShardRow:
    with plant.database.reading() as session:
        return session.get_one(BuildingShardRow, "tower")


def want(plant: Divided, shard: str) -> None:
    with plant.database.writing() as session:
        assert shard_rows.want_move(session, "tower", shard, AT)


def tick_until(plant: Divided, holds: Callable[[], bool]) -> None:
    for _ in range(100):
        if holds():
            return
        plant.tick()
    pytest.fail(f"it did not come to that: {tower(plant)}")


def is_at(plant: Divided, shard: str) -> bool:
    return (tower(plant).shard, tower(plant).phase) == (shard, Phase.STAYS.value)


def found(plant: Divided) -> list[tuple[str, str]]:
    """State and id of what was ever found of the tower's first tank."""
    with plant.database.reading() as session:
        rows = repository.list_findings(session, active=None, limit=None)
        return [(row.state, row.id) for row in rows if row.asset_id == "tower-0"]


def take_tower_out(plant: Divided) -> None:
    """Out of the site files, of all shards."""
    for part in plant.parts:
        part.known = frozenset({"mall"})
        part.moves.foresee(parse_site(MALL_ALONE, "site.yaml"))
        part.writer.append(AT_US, [SiteEdited("without the tower", AT_US, {"site.yaml": MALL_ALONE})])


def test_a_building_that_is_taken_out_of_the_files_while_it_moves_ends_the_move(plant: Divided) -> None:
    want(plant, "south")
    tick_until(plant, lambda: tower(plant).phase == Phase.COVERED.value)
    take_tower_out(plant)
    plant.main.host.step()
    tick_until(plant, lambda: is_at(plant, "south"))


def test_a_building_that_no_file_describes_any_more_is_moved_all_the_same(plant: Divided) -> None:
    plant.low |= {"tower-0"}
    want(plant, "south")
    tick_until(plant, lambda: is_at(plant, "south"))
    take_tower_out(plant)
    tick_until(plant, lambda: [state for state, _ in found(plant)] == ["cleared"])
    want(plant, "main")
    tick_until(plant, lambda: is_at(plant, "main"))


def test_a_building_that_its_engine_has_already_is_taken_up_with_what_it_found(plant: Divided) -> None:
    want(plant, "south")
    tick_until(plant, lambda: is_at(plant, "south"))
    set_row(plant, shard="main")
    for second in range(60, 90):
        at_us = AT_US + second * SECOND_US
        plant.south.writer.append(at_us, [Scan("tower-0", at_us, True, (PointValue("tank_level", 20.0),))])
        plant.south.writer.append(at_us, [Heartbeat(at_us)])
    plant.south.host.step()
    assert found(plant) == [], "the database says that it is another's"
    set_row(plant, shard="south", to_shard="south", phase=Phase.RELEASED.value, memory=b"older")
    tick_until(plant, lambda: is_at(plant, "south"))
    assert [state for state, _ in found(plant)] == ["active"]


def set_row(plant: Divided, **values: object) -> None:
    """As a database that was put back has it."""
    with plant.database.writing() as session:
        session.execute(sa.update(BuildingShardRow).where(sa.column("building_id") == "tower").values(**values))


def test_a_building_that_is_not_there_when_it_is_to_leave_is_handed_over_empty(plant: Divided) -> None:
    want(plant, "south")
    tick_until(plant, lambda: is_at(plant, "south"))
    set_row(plant, shard="main", to_shard="south", phase=Phase.COVERED.value)
    tick_until(plant, lambda: is_at(plant, "south"))
    plant.low |= {"tower-0"}
    tick_until(plant, lambda: [state for state, _ in found(plant)] == ["active"])


@pytest.mark.parametrize("phase", ["", "wanted", "covered", "told", "released"])
def test_a_database_of_the_middle_of_a_move_goes_on_with_journals_that_hold_all_of_it(
    plant: Divided, phase: str
) -> None:
    plant.low |= {"tower-0"}
    plant.tick()
    plant.tick()
    if phase:
        want(plant, "south")
    reach(plant, phase)
    kept = save(plant)
    if not phase:
        want(plant, "south")
    tick_until(plant, lambda: is_at(plant, "south"))
    (before,) = found(plant)
    assert before[0] == "active"
    put_back(plant, kept)
    for part in plant.parts:
        part.start()
    for _ in range(30):
        plant.tick()
    assert tower(plant).phase == Phase.STAYS.value
    assert found(plant) == [before], "it is one fault, and still there"
    plant.low.clear()
    tick_until(plant, lambda: found(plant) == [("cleared", before[1])])


def test_a_building_that_comes_back_is_shown_as_on_its_way_there(plant: Divided) -> None:
    want(plant, "south")
    before = tower(plant)
    with plant.database.writing() as session:
        assert shard_rows.give_back(session, before, b"memory", AT)
        assert not shard_rows.give_back(session, before, b"memory", AT)
    after = tower(plant)
    assert (after.shard, after.to_shard, after.phase, after.memory) == ("main", "main", Phase.RELEASED, b"memory")


def reach(plant: Divided, phase: str) -> None:
    """Step by step until the row is in that phase; `told` is after the old shard was."""
    wanted = ("covered", True) if phase == "told" else (phase, False)
    for _ in range(100):
        for part in (plant.south, plant.main):
            part.listen(AT_US)
            for step in (part.host.step, part.moves.look):
                if (tower(plant).phase, tower(plant).after_seq is not None) == wanted:
                    return
                step()
    pytest.fail(f"the move was never {phase}")


def save(plant: Divided) -> list[dict[str, Any]]:
    with plant.database.reading() as session:
        engines = [row.model_dump() for row in session.execute(sa.select(EngineStateRow)).scalars()]
        return [session.get_one(BuildingShardRow, "tower").model_dump(), *engines]


def put_back(plant: Divided, kept: list[dict[str, Any]]) -> None:
    with plant.database.writing() as session:
        session.merge(BuildingShardRow(**kept[0]))
        for values in kept[1:]:
            session.merge(EngineStateRow(**values))


def test_an_engine_that_begins_anew_does_not_end_what_is_on_its_way_to_it(plant: Divided) -> None:
    plant.low |= {"tower-0"}
    tick_until(plant, lambda: [state for state, _ in found(plant)] == ["active"])
    want(plant, "south")
    reach(plant, "released")
    before = found(plant)
    with plant.database.writing() as session:
        begin_anew(session, "engine/south")
    plant.south.start()
    for _ in range(20):
        plant.tick()
        assert found(plant) == before


def test_a_building_is_not_covered_while_a_word_waits_that_takes_that_back(plant: Divided) -> None:
    want(plant, "south")
    plant.south.step()
    plant.south.listen(AT_US)
    plant.south.host.step()
    with plant.database.writing() as session:
        assert shard_rows.take_back(session, "tower", AT)
    plant.south.moves.look()  # "not expected" waits behind what is to come back first
    want(plant, "south")
    plant.south.moves.look()
    assert tower(plant).phase == Phase.WANTED.value
    assert set(DIRECTORY.buildings) == set(BUILDINGS)
    tick_until(plant, lambda: is_at(plant, "south"))
