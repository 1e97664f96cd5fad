"""What a plant of two shards keeps is backed up, put back, exported and read again as that of one."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from commanding import Commands
from keeping import T0, build
from running import ROOT

from facility.clock import RealClock
from facility.finding import Finding
from facility.instant import format_instant, from_us
from facility.reading import PointValue, Reading, Scan
from facility.registry import Registry
from ingest.journal import JournalReader, JournalWriter
from ingest.stores.parquet import ParquetStore
from plantroom.backtest_trial import store_history
from plantroom.backup.copying import Silent
from plantroom.backup.manifest import BackupError
from plantroom.backup.still import check_still, wait_until_still
from plantroom.database import Database
from plantroom.other_shards import OtherShards
from plantroom.series_store import open_store, upkept
from plantroom.settings import load_settings
from plantroom.shard import shards_in
from ticketing import repository, shard_rows
from ticketing.contract_book import ContractBook

HERE = 10


def moved(at: int) -> Reading:
    """A reading from after the building was moved."""
    return Reading("lift-1", "motor_temperature", T0 + (1000 + at) * 10**6, 500.0 + at)


@pytest.fixture
def plant(
    sqlite_file: Path, tmp_path: Path, registry: Registry, book: ContractBook, finding: Callable[..., Finding],
    plantroom: Commands, monkeypatch: pytest.MonkeyPatch,
) -> Commands:  # fmt: skip
    """`var` with a shard `north`, whose engine has judged six of its ten commits."""
    var = tmp_path / "var"
    var.mkdir()
    url = f"sqlite:///{sqlite_file.rename(var / 'plantroom.db')}"
    build(var, url, registry, book, [finding()])
    north = var / "shards/north"
    with JournalWriter(north / "journal", segment_bytes=400) as journal:
        for at in range(1, HERE + 1):
            one = moved(at)
            journal.append(T0 + at, [Scan(one.asset_id, one.at_us, True, (PointValue(one.point, float(one.value)),))])
    with closing(ParquetStore(north / "readings")) as store:
        for at in range(1, HERE):
            store.write(at, at, [moved(at)])
    (north / "inbox.json").write_text('{"seq":3}', encoding="utf-8")
    (north / "run").mkdir()
    (north / "run/keeper.lock").touch()
    with closing(Database(url)) as database, database.writing() as session:
        repository.save_cursor(session, 6, "engine/north")
        repository.save_snapshot(session, 5, b"north", "engine/north")
    monkeypatch.setenv("PLANTROOM_SHARDS", "north")
    return plantroom


def test_every_shard_is_backed_up_and_put_back(plant: Commands, tmp_path: Path) -> None:
    assert plant("backup", "backups").code == 0
    assert plant("backup", "--verify", "backups").code == 0
    shutil.rmtree("var")
    restored = plant("restore", "backups")
    assert restored.code == 0, restored.err
    north = tmp_path / "var/shards/north"
    with JournalReader(north / "journal") as journal:
        assert (journal.first_seq(), journal.last_seq()) == (1, HERE)
    with closing(ParquetStore(north / "readings")) as store:
        assert store.read("lift-1", "motor_temperature", 0, T0 + 10**12) == [moved(at) for at in range(1, HERE)]
    assert (north / "inbox.json").read_text(encoding="utf-8") == '{"seq":3}'
    assert not (north / "run").exists()
    with closing(Database(f"sqlite:///{tmp_path}/var/plantroom.db")) as database, database.reading() as session:
        assert repository.load_progress(session, "engine/north")[:2] == (6, 5)


def test_a_backup_without_the_journal_that_an_engine_needs_is_refused(plant: Commands) -> None:
    with closing(Database("sqlite:///var/plantroom.db")) as database, database.writing() as session:
        repository.save_cursor(session, HERE + 1, "engine/north")
    refused = plant("backup", "backups")
    assert "'engine/north' needs the journal from commit 6 to 11" in refused.err


def test_a_backup_of_a_shard_whose_journal_is_lost_is_refused_until_nobody_names_it(
    plant: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree("var/shards/north/journal")
    refused = plant("backup", "backups")
    assert "'engine/north' needs the journal from commit 6 to 6, and there is: var/journal" in refused.err
    monkeypatch.setenv("PLANTROOM_SHARDS", "")
    assert plant("backup", "backups").code == 0


def test_the_readings_of_all_shards_are_exported(plant: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copyfile(ROOT / "tests/data/ticketing/site.yaml", "site.yaml")
    monkeypatch.setenv("PLANTROOM_SITE", "site.yaml")
    since, until = (format_instant(from_us(at_us)) for at_us in (T0, moved(HERE + 1).at_us))
    span = ("--readings-from", since, "--readings-until", until)
    done = plant("export", "out", "--format", "parquet", *span)
    assert done.code == 0, done.err
    found = pl.concat(pl.read_parquet(path) for path in sorted(Path("out/readings").rglob("*.parquet")))
    values = found.filter(pl.col("point") == "motor_temperature")["value"].to_list()
    assert {moved(at).value for at in range(1, HERE)} <= set(values)
    assert len(values) > HERE


def test_influxdb_is_thinned_by_the_first_shard_and_means_are_each_ones_own(tmp_path: Path) -> None:
    settings = load_settings(var=tmp_path, store="influx", influx_url="http://127.0.0.1:9", shards="north")
    main, north = settings.all_shards
    for shard in (main, north):
        with closing(open_store(settings, shard, Registry)) as store:
            kept = upkept(settings, shard, store)
            assert (kept is store) is shard.is_main
            if not shard.is_main:
                assert not kept.thin(T0)
    assert (north.folder / "influx.means").read_bytes() == b"{}", "it does not work out the means of all the others"
    assert not (tmp_path / "influx.means").exists()


def test_how_far_a_shard_is_behind_is_known_to_who_does_not_follow_it(plant: Commands, tmp_path: Path) -> None:
    assert plant
    with closing(Database("sqlite:///var/plantroom.db")) as database:
        assert OtherShards(database, shards_in(tmp_path / "var", ["north"])[1:]).lags() == [HERE - 6]
        assert OtherShards(database, ()).lags() == []


def test_a_backtest_reads_the_stores_of_all_shards(plant: Commands, registry: Registry) -> None:
    assert plant
    scans = list(store_history("var", registry, None, None).scans())
    instants = [scan.at_us for scan in scans if scan.asset_id == "lift-1"]
    assert instants == sorted(set(instants))
    assert [moved(at).at_us for at in range(1, HERE + 1)] == instants[-HERE:], "the last one is in the journal only"
    assert len(instants) > HERE


@pytest.fixture
def moving(plant: Commands) -> Iterator[Database]:
    """The database while `tower` is on its way."""
    assert plant
    with closing(Database("sqlite:///var/plantroom.db")) as database:
        with database.writing() as session:
            shard_rows.add_buildings(session, ["tower"], "main", RealClock().now())
            assert shard_rows.want_move(session, "tower", "north", RealClock().now())
        yield database


def test_a_backup_waits_for_a_building_that_moves(moving: Database) -> None:
    class Ends(Silent):
        """Hears that it is waited for, and ends the move."""

        def begin(self, what: str, size: int | None = None) -> None:
            assert (what, size) == ("waiting for tower to come to its shard", None)
            with moving.writing() as session:
                assert shard_rows.take_back(session, "tower", RealClock().now())

    assert wait_until_still(moving.url, Ends()) == {"tower": 1}


def test_no_backup_is_made_while_a_building_moves_or_of_before_and_after(moving: Database) -> None:
    with pytest.raises(BackupError, match="'tower' is on its way to another shard since more than 0 s"):
        wait_until_still(moving.url, Silent(), 0.0)
    check_still(moving.url, {"tower": 1, "mall": 0})
    with pytest.raises(BackupError, match="'tower' was moved to another shard meanwhile"):
        check_still(moving.url, {"tower": 0})
