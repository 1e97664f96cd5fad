"""Several shards: their names and places, the processes that are started for them, and their data shown as one."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facility.clock import JournalClock, RealClock
from facility.errors import InputError
from facility.instant import SECOND_US
from facility.reading import Commit, Heartbeat, Quality, Reading, VisitRecorded
from facility.site_file import parse_site
from ingest.broker_users import broker_users
from ingest.control import waiting
from ingest.latest import IngestCounters, LatestValues
from ingest.stores.parquet import ParquetStore
from plantroom.broker_address import broker_address
from plantroom.judging import Judge
from plantroom.launch import stages_of
from plantroom.part import Role, check_shard, parse_roles
from plantroom.settings import load_settings
from plantroom.several import SeveralLatest
from plantroom.several_stores import SeveralStores
from plantroom.shard import find_shard, parse_shards, shards_in
from plantroom.shard_health import ShardSources
from plantroom.web_role import tell_all

MIN_US = 60 * SECOND_US


def test_who_pages_ask_hears_last_what_people_say(tmp_path: Path) -> None:
    """Cut off in between, it does not show, and is said again."""
    main, north, south = shards_in(tmp_path, ["north", "south"])
    event = VisitRecorded("visit", 1, "tank-1", "Ann")
    south.folder.mkdir(parents=True)
    south.control_folder.write_text("a full disk", encoding="utf-8")
    with pytest.raises(OSError, match="control"):
        tell_all([main, north, south], main, event)
    assert [len(waiting(one.control_folder)) for one in (main, north)] == [0, 1]
    south.control_folder.unlink()
    tell_all([main, north, south], main, event)
    assert [len(waiting(one.control_folder)) for one in (main, north, south)] == [1, 1, 1]


def test_the_first_shard_lies_where_everything_always_did(tmp_path: Path) -> None:
    main, north, south = load_settings(var=tmp_path, shards="north south").all_shards
    assert (main.journal_folder, main.engine, main.called("readings")) == (tmp_path / "journal", "engine", "readings")
    assert (north.folder, south.name) == (tmp_path / "shards/north", "south")
    assert (north.control_folder, north.engine) == (tmp_path / "shards/north/control", "engine/north")
    assert north.called("readings") == "readings/north"
    assert load_settings(var=tmp_path).all_shards == (main,)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("main", "always there"),
        ("a b a", "named twice"),
        ("North", "lower case"),
        ("2", "stand by"),
        ("a-2", "stand by"),
    ],
)
def test_names_that_cannot_be_are_refused(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        parse_shards(text)
    with pytest.raises(InputError, match=what):
        load_settings(shards=text)


def test_a_history_has_one_journal() -> None:
    with pytest.raises(InputError, match="one journal"):
        load_settings(shards="north", clock="journal")


def test_ingest_and_an_engine_alone_may_be_one_shards(tmp_path: Path) -> None:
    check_shard(parse_roles("ingest"), "north")
    check_shard(parse_roles("engine"), "north")
    check_shard(parse_roles("engine,web,jobs"), "main")
    with pytest.raises(InputError, match="pages and jobs are for every shard"):
        check_shard(frozenset((Role.ENGINE, Role.WEB)), "north")
    with pytest.raises(InputError, match=r"no shard 'west'.*main, north"):
        find_shard(load_settings(var=tmp_path, shards="north").all_shards, "west", "--shard")


def test_every_shard_has_an_ingest_and_an_engine_and_as_many_that_stand_by(tmp_path: Path) -> None:
    specs = {spec.name: spec for spec in stages_of(load_settings(var=tmp_path, shards="north"))[-1]}
    assert list(specs) == ["ingest", "engine", "ingest-north", "engine-north"]
    assert specs["engine-north"].arguments == ["run", "--role", "engine", "--shard", "north"]
    assert not specs["ingest-north"].is_ready()
    processes = "ingest ingest engine engine web,jobs"
    names = [spec.name for spec in stages_of(load_settings(var=tmp_path, shards="a a-b", processes=processes))[-1]]
    assert names[:5] == ["ingest", "ingest-2", "engine", "engine-2", "web"]
    assert names[5:9] == ["ingest-a", "ingest-a-2", "engine-a", "engine-a-2"]
    assert names[9:] == ["ingest-a-b", "ingest-a-b-2", "engine-a-b", "engine-a-b-2"]


def test_each_shard_is_a_user_of_its_own_at_a_real_broker() -> None:
    secrets = dict.fromkeys(("mqtt_password", "token"), "unlikely-to-be-guessed")
    embedded = load_settings(shards="north", mqtt_user="plantroom", **secrets)
    assert broker_address(embedded, "north").user == "plantroom"
    ids = [broker_address(embedded, shard).client_id for shard in ("main", "north")]
    assert ids == ["plantroom-ingest", "plantroom-ingest-north"], "or one would take the other's session"
    server = {"mode": "production", "database_url": "postgresql://host/name"}
    real = load_settings(shards="north", mqtt_user="plantroom", **server, **secrets)
    assert (broker_address(real).user, broker_address(real, "north").user) == ("plantroom", "plantroom-north")


def test_no_device_has_the_name_of_a_shards_ingest() -> None:
    asset = "{id: plantroom-north, class: tank, points: {tank_level: {cadence: 60 s}}}"
    plant = parse_site(f"site: {{id: s, zone: UTC}}\nbuildings: [{{id: b, assets: [{asset}]}}]", "site.yaml")
    assert [user.name for user in broker_users(plant)] == ["plantroom-north"]
    with pytest.raises(InputError, match="'plantroom-north' has the name of a user of the program itself"):
        broker_users(plant, shards=["north"])


def reading(minute: int, value: float | str, quality: Quality = Quality.GOOD) -> Reading:
    return Reading("tank", "tank_level", minute * MIN_US, value, quality)


ROWS = st.lists(
    st.tuples(st.integers(0, 40), st.floats(-9, 9), st.sampled_from([Quality.GOOD, Quality.LATE, Quality.STUCK])),
    unique_by=lambda one: one[0], max_size=25,
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(
    rows=ROWS,
    at=st.integers(0, 25),
    overlap=st.integers(0, 3),
    every=st.sampled_from([None, 1, 7, 15]),
    limit=st.sampled_from([None, 3]),
)
def test_two_stores_answer_as_one_that_has_all(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, float, Quality]],
    at: int,
    overlap: int,
    every: int | None,
    limit: int | None,
) -> None:
    folder = tmp_path_factory.mktemp("stores")
    readings = [reading(*row) for row in rows]
    parts = {"a": readings[: at + overlap], "b": readings[at:], "whole": readings}
    opened = {}
    for name, some in parts.items():
        opened[name] = ParquetStore(folder / name)
        opened[name].write(1, 1, some)
    both, every_us = SeveralStores([opened["a"], opened["b"]]), every * MIN_US if every else None

    def asked(store: SeveralStores | ParquetStore) -> list[Reading]:
        return store.read("tank", "tank_level", 2 * MIN_US, 38 * MIN_US, every_us=every_us, limit=limit)

    found, wanted = asked(both), asked(opened["whole"])
    assert [(one.at_us, one.quality) for one in found] == [(one.at_us, one.quality) for one in wanted]
    assert [one.value for one in found] == pytest.approx([one.value for one in wanted])
    assert both.last("tank") == opened["whole"].last("tank")
    for store in opened.values():
        store.close()


def test_the_stages_of_a_further_shard_bear_its_name(tmp_path: Path) -> None:
    host, latest, now_us = SimpleNamespace(away="", findings_total=3), LatestValues(), RealClock().now_us()
    north = ShardSources(shards_in(tmp_path, ["north"])[1], cast("Judge", host), latest, {}, lambda: 7)
    ingest, rules = north.stages(RealClock())
    assert (ingest.name, ingest.alive) == ("ingest/north", False), "it has not been heard of yet"
    assert (rules.name, rules.alive, rules.behind_commits) == ("rules/north", True, 7)
    latest.take([Commit(1, now_us, (Heartbeat(now_us),))])
    assert next(north.stages(RealClock())).alive


def test_the_newest_of_two_shards_is_the_newest_and_silence_that_of_the_longest_silent() -> None:
    north, south = LatestValues(), LatestValues()
    both = SeveralLatest([north, south])
    north.seed([reading(1, 1.0)])
    south.seed([reading(3, 3.0)])
    assert both.find("tank", "tank_level") == reading(3, 3.0)
    assert both.of("tank") == {"tank_level": reading(3, 3.0)}
    assert both.of("lift") == {}
    clock = JournalClock(MIN_US)
    north.take([Commit(1, clock.now_us(), (Heartbeat(MIN_US, 10, 1),))])
    assert both.counters == IngestCounters(None, 10, 1), "the other one has not come back yet"
    south.take([Commit(1, clock.now_us(), (Heartbeat(2 * MIN_US, 5, 0),))])
    assert both.counters == IngestCounters(MIN_US, 15, 1)
