"""`plantroom shards`: what it shows, and what it says to a move that cannot be."""

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from commanding import Commands
from dividing import SITE

from facility.clock import RealClock
from plantroom.building_owner import WAITS
from plantroom.database import Database
from ticketing import shard_rows
from ticketing.shard_rows import Phase
from ticketing.tables_shard import BuildingShardRow


@pytest.fixture
def plant(plantroom: Commands, monkeypatch: pytest.MonkeyPatch, sqlite_file: Path) -> Commands:
    Path("site.yaml").write_text(SITE, encoding="utf-8")
    for name, value in (("SITE", "site.yaml"), ("SHARDS", "south"), ("DATABASE_URL", f"sqlite:///{sqlite_file}")):
        monkeypatch.setenv(f"PLANTROOM_{name}", value)
    return plantroom


def row(file: Path) -> BuildingShardRow:
    with closing(Database(f"sqlite:///{file}")) as database, database.reading() as session:
        found = session.get(BuildingShardRow, "tower")
        assert found is not None
        return found


def test_every_building_is_main_until_it_is_moved(plant: Commands, sqlite_file: Path) -> None:
    assert [line.split()[:2] for line in plant("shards").out.splitlines()[1:]] == [["mall", "main"], ["tower", "main"]]
    said = plant("shards", "move", "tower", "south", "--no-wait").out
    assert said.startswith("tower is on its way to south")
    assert (row(sqlite_file).to_shard, row(sqlite_file).phase, row(sqlite_file).epoch) == ("south", "wanted", 1)
    assert "waits until the new shard hears all of its topics" in " ".join(plant("shards").out.split())


def test_the_doctor_says_whose_the_buildings_are_and_what_a_move_waits_for(
    plant: Commands, sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shards() -> tuple[str, str]:
        ((verdict, said),) = [(one["verdict"], one["said"]) for one in checks(plant) if one["name"] == "shards"]
        return verdict, said

    plant("shards", "move", "tower", "south", "--no-wait")
    assert shards() == ("good", "buildings: 1 main, 0 south")
    with closing(Database(f"sqlite:///{sqlite_file}")) as database, database.writing() as session:
        session.get_one(BuildingShardRow, "tower").since_at = RealClock().now() - timedelta(minutes=2)
    verdict, said = shards()
    assert (verdict, said) == ("warn", f"tower on its way to south {WAITS[Phase.WANTED]}")
    monkeypatch.setenv("PLANTROOM_SHARDS", "")
    verdict, said = shards()
    assert verdict == "bad"
    assert said.startswith("building tower belongs to the shard 'south', or moves there")


def checks(plant: Commands) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(plant("doctor", "--json").out)
    return found


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("attic", "south"), "no site file describes 'attic'. Buildings are: mall, tower."),
        (("tower", "west"), "there is no shard 'west'. Shards are: main, south"),
        (("tower", "main"), "'tower' is judged by 'main' already"),
    ],
)
def test_a_move_that_cannot_be_says_why(plant: Commands, words: tuple[str, str], why: str) -> None:
    assert why in plant("shards", "move", *words).err


def test_a_building_that_no_file_describes_any_more_can_leave_its_shard(plant: Commands, sqlite_file: Path) -> None:
    plant("shards", "move", "tower", "south", "--no-wait")
    with closing(Database(f"sqlite:///{sqlite_file}")) as database, database.writing() as session:
        assert shard_rows.take_back(session, "tower", RealClock().now())
    Path("site.yaml").write_text(SITE.partition("  - id: tower")[0], encoding="utf-8")
    assert plant("shards", "move", "tower", "south", "--no-wait").code == 0
    assert (row(sqlite_file).to_shard, row(sqlite_file).phase) == ("south", "wanted")


def test_another_move_under_way_is_named(plant: Commands) -> None:
    plant("shards", "move", "tower", "south", "--no-wait")
    assert "another move is under way: tower to south" in plant("shards", "move", "mall", "south").err


def test_a_move_that_nobody_has_begun_is_taken_back(plant: Commands, sqlite_file: Path) -> None:
    plant("shards", "move", "tower", "south", "--no-wait")
    assert plant("shards", "move", "tower", "main").out.strip() == "tower is judged by main now"
    assert (row(sqlite_file).shard, row(sqlite_file).to_shard, row(sqlite_file).phase) == ("main", None, "")
    assert "'tower' is judged by 'main' already" in plant("shards", "move", "tower", "main").err


def test_it_waits_until_the_building_is_there(plant: Commands, sqlite_file: Path) -> None:
    now = RealClock().now() - timedelta(minutes=1)
    with closing(Database(f"sqlite:///{sqlite_file}")) as database:
        plant("shards", "move", "tower", "south", "--no-wait")
        steps = shard_rows
        for step in ("cover", "begin", "release", "begin", "take"):
            with database.writing() as session:
                found = session.get(BuildingShardRow, "tower")
                assert found is not None
                if step == "cover":
                    assert steps.cover(session, found, now)
                elif step == "begin":
                    assert steps.begin_step(session, found, 7)
                elif step == "release":
                    assert steps.release(session, "tower", "main", b"memory", 8, now)
                else:
                    assert steps.take_up(session, "tower", "south", 8, now)
    assert "'tower' is judged by 'south' already" in plant("shards", "move", "tower", "south").err
    assert ["tower", "south", "1"] in [line.split()[:3] for line in plant("shards").out.splitlines()]
