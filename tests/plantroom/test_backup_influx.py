"""Readings in InfluxDB come out into a backup and back again: single ones, old ones, means, whatever they hold."""

import json
import shutil
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from commanding import Commands
from influx_server import create, influx
from keeping import build
from pydantic import SecretStr
from running import wait_until
from tanks import SITE

from facility.catalogue import PointKind
from facility.clock import RealClock
from facility.finding import Finding
from facility.instant import DAY_US, HOUR_US, SECOND_US
from facility.reading import Reading
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.stores.cursor import CursorFile
from ingest.stores.influx import InfluxStore
from ingest.stores.influx_copy import put_in, take_out
from ingest.stores.influx_setup import BUCKETS
from ingest.stores.influx_wire import InfluxAddress, InfluxWire
from ingest.stores.keeping import Keep, KeepPolicy
from plantroom.backup.make import list_backups
from plantroom.backup.manifest import read_manifest
from ticketing.contract_book import ContractBook

NewFinding = Callable[..., Finding]
Rows = dict[str, list[str]]
NAME = "plantroom"
NOW_US = 20_000 * DAY_US
MINUTE_US = 60 * SECOND_US
VALUES: tuple[float | str, ...] = (
    0.0, -0.0, 3.0, 0.1, 1 / 3, 1e-300, 5e-324, 1.7976931348623157e308, -2.5e17, "door, open", 'it said "no"',
    "a\\b\\", "", "two\nlines", "温度 = 7", " ",
)  # fmt: skip
pytestmark = pytest.mark.service


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "influxd").mkdir()
    with influx(tmp_path / "influxd") as address:
        create(address, [NAME + suffix for suffix in BUCKETS])
        yield address


@pytest.fixture
def plant(
    url: str, sqlite_file: Path, tmp_path: Path, registry: Registry, book: ContractBook, finding: NewFinding,
    plantroom: Commands, monkeypatch: pytest.MonkeyPatch,
) -> Commands:  # fmt: skip
    """A small instance in `var` that keeps its readings in InfluxDB: the last days single, older ones thinned."""
    for name, value in (("STORE", "influx"), ("INFLUX_URL", url), ("INFLUX_BUCKET", NAME), ("INFLUX_TOKEN", "token")):
        monkeypatch.setenv(f"PLANTROOM_{name}", value)
    (tmp_path / "var").mkdir()
    path = sqlite_file.rename(tmp_path / "var/plantroom.db")
    build(tmp_path / "var", f"sqlite:///{path}", registry, book, [finding()])
    shutil.rmtree(tmp_path / "var/readings")
    address = InfluxAddress(url, "plantroom", NAME, SecretStr("token"))
    keep = Keep(raw_days=3, five_minute_days=20, hour_days=0)
    policy, site = KeepPolicy(dict.fromkeys(PointKind, keep)), parse_site(SITE, "site.yaml")
    with closing(InfluxStore(address, tmp_path / "var/influx.cursor", lambda: site, policy)) as store:
        store.write(1, 30, list(readings()))
        for work in (store.thin, store.roll_up):
            while work(NOW_US):
                continue
        assert (store.unstorable, store.refused) == (0, 0)
    return plantroom


def readings() -> Iterator[Reading]:
    """Four weeks of two tanks, every two hours and, of the last days, every five minutes, a stranger with odd names,
    and one whose clock was years ahead."""
    for tank in range(2):
        for at_us in (
            *range(NOW_US - 28 * DAY_US, NOW_US, 2 * HOUR_US),
            *range(NOW_US - DAY_US, NOW_US, 5 * MINUTE_US),
        ):
            yield Reading(f"tank-{tank}", "tank_level", at_us, 50.0 + at_us % 7 / 3, int(at_us // MINUTE_US % 3 == 0))
    for number, value in enumerate(VALUES):
        yield Reading("of, no = site", "odd point", NOW_US - number * MINUTE_US, value, 2)
    yield Reading("tank-1", "tank_level", NOW_US + 900 * DAY_US, 1.0, 0)


def everything(url: str) -> Rows:
    """Each point of each measurement of each database, as the server says it."""
    found: Rows = {}
    for name in [NAME + suffix for suffix in BUCKETS]:
        for (measurement,) in rows(url, name, "SHOW MEASUREMENTS"):
            answer = ask(url, name, points(measurement))
            found[f"{name}.{measurement}"] = sorted(
                json.dumps([series["tags"], dict(zip(series["columns"], row, strict=True))], sort_keys=True)
                for series in answer for row in series["values"]
            )  # fmt: skip
            kinds = rows(url, name, f'SHOW FIELD KEYS FROM "{measurement}"')
            found[f"{name}.{measurement} fields"] = sorted(map(repr, kinds))
    return found


def points(measurement: str) -> str:
    return f'SELECT * FROM "{measurement}" GROUP BY *'  # noqa: S608 - a test's own


def await_another_name(backup: Path) -> None:
    """The second that gave this one its name is over."""
    wait_until(lambda: f"{RealClock().now():%H-%M-%SZ}" not in backup.name, 5, "another second")


def drop(url: str, database: str) -> None:
    ask(url, "", f"DROP DATABASE {database}")


def rows(url: str, database: str, statement: str) -> list[list[str]]:
    return [row for series in ask(url, database, statement) for row in series["values"]]


def ask(url: str, database: str, statement: str) -> "list[dict[str, list[list[str]]]]":
    query = urllib.parse.urlencode({"db": database, "q": statement, "epoch": "ns"})
    with urllib.request.urlopen(f"{url}/query?{query}") as answer:  # noqa: S310 - loopback
        (result,) = json.load(answer)["results"]
    return list(result.get("series", []))


def destroy(url: str) -> None:
    """The folder, the database of orders and everything in InfluxDB."""
    shutil.rmtree("var")
    for name in [NAME + suffix for suffix in BUCKETS]:
        drop(url, name)
        create(url, [name])
    assert everything(url) == {}


def test_every_point_of_every_bucket_comes_back(plant: Commands, url: str) -> None:
    held = everything(url)
    assert {key.partition(".")[0] for key in held} == {NAME + suffix for suffix in BUCKETS}, "something of everything"
    made = plant("backup", "backups")
    assert made.code == 0, made.err
    manifest = read_manifest(list_backups(Path("backups"))[-1])
    assert manifest.influx is not None
    count = sum(len(points) for key, points in held.items() if not key.endswith(" fields"))
    assert sum(manifest.influx.rows.values()) == count
    assert f"{count:,} rows" in made.out
    assert plant("backup", "--verify", "backups").code == 0
    destroy(url)
    restored = plant("restore", "backups")
    assert restored.code == 0, restored.err
    assert f"InfluxDB: {count:,} rows were written again" in restored.out
    assert everything(url) == held
    assert CursorFile(Path("var/influx.cursor")).seq == 30, "its follower goes on, and writes nothing twice"
    assert plant("restore", "backups", "--var", "again").code == 0
    assert everything(url) == held, "written twice is there once"


def test_without_readings_it_says_where_they_come_from(plant: Commands, url: str) -> None:
    made = plant("backup", "backups", "--without-readings")
    assert made.code == 0, made.err
    assert not (list_backups(Path("backups"))[-1] / "influx").exists()
    destroy(url)
    restored = plant("restore", "backups")
    assert "InfluxDB gets the readings from commit 1 on again" in restored.out
    assert CursorFile(Path("var/influx.cursor")).seq == 0


def test_while_influxdb_is_away_the_rest_is_backed_up_and_no_older_one_is_removed(
    plant: Commands, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plant("backup", "backups").code == 0
    (with_readings,) = list_backups(Path("backups"))
    monkeypatch.setenv("PLANTROOM_INFLUX_URL", "http://127.0.0.1:9")
    await_another_name(with_readings)
    answer = plant("backup", "backups", "--keep", "1")
    assert (answer.code, "InfluxDB was away" in answer.err) == (3, True), answer
    assert "WITHOUT the readings in InfluxDB: " in answer.out
    kept, made = list_backups(Path("backups"))
    assert (kept, (made / "influx").exists()) == (with_readings, False)
    manifest = read_manifest(made)
    assert (manifest.influx, "127.0.0.1:9" in manifest.influx_missing) == (None, True)
    assert "without the readings in InfluxDB" in plant("backup", "--verify", "backups").out
    monkeypatch.setenv("PLANTROOM_INFLUX_URL", url)
    restored = plant("restore", str(made), "--var", "new")
    assert restored.code == 0, restored.err
    assert "InfluxDB gets the readings from commit 1 on again" in restored.out


def test_what_influxdb_holds_needs_room_each_time(plant: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    assert plant("backup", "backups").code == 0
    (made,) = list_backups(Path("backups"))
    taken = sum(one.size for one in read_manifest(made).files if one.path.startswith("influx/"))
    await_another_name(made)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=taken - 1))
    answer = plant("backup", "backups")
    assert (answer.code, "has too little space" in answer.err) == (2, True), answer


def test_a_restore_while_influxdb_is_away_leaves_nothing(
    plant: Commands, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plant("backup", "backups").code == 0
    held = everything(url)
    monkeypatch.setenv("PLANTROOM_INFLUX_URL", "http://127.0.0.1:9")
    answer = plant("restore", "backups", "--var", "new")
    assert (answer.code != 0, Path("new").exists()) == (True, False)
    monkeypatch.setenv("PLANTROOM_INFLUX_URL", url)
    assert plant("restore", "backups", "--var", "new").code == 0
    assert everything(url) == held


def test_a_backup_whose_readings_lay_in_influxdb_can_go_where_they_lie_in_files(
    plant: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plant("backup", "backups").code == 0
    monkeypatch.setenv("PLANTROOM_STORE", "parquet")
    answer = plant("restore", "backups", "--var", "new")
    assert answer.code == 0, answer.err
    assert "left out: " in answer.out


def test_a_bucket_that_is_not_there_is_passed_over(plant: Commands, url: str) -> None:
    for suffix in BUCKETS[1:]:
        drop(url, NAME + suffix)
    held = everything(url)
    assert plant("backup", "backups").code == 0
    destroy(url)
    assert plant("restore", "backups").code == 0
    assert everything(url) == held


@pytest.mark.parametrize("at_once", [8, 50, 1_000])
def test_in_slices_of_any_size_nothing_is_missed_or_taken_twice(
    plant: Commands, url: str, tmp_path: Path, at_once: int
) -> None:
    assert plant
    create(url, ["other"])
    with closing(InfluxWire(InfluxAddress(url, "plantroom", NAME, SecretStr("token")))) as wire:
        files = list(take_out(wire, NAME, tmp_path / "out", at_once))
        assert len(files) > 500 // (2 * at_once)
        for path, count in files:
            assert put_in(wire, "other", path) == count
    for measurement in ("tank", "unknown"):
        asked = points(measurement)
        assert ask(url, "other", asked) == ask(url, NAME, asked)
        assert sum(count for path, count in files if path.name.startswith(measurement)) == sum(
            len(series["values"]) for series in ask(url, NAME, asked)
        )


def test_a_bucket_of_nothing_gives_no_file(url: str, tmp_path: Path) -> None:
    with closing(InfluxWire(InfluxAddress(url, "plantroom", NAME, SecretStr("token")))) as wire:
        assert list(take_out(wire, NAME, tmp_path / "out")) == []
