"""Old readings become few, on every store: kept for their time, read across the seam, late ones counted in."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moody import NO_DELETES, Front
from pydantic import SecretStr

from facility.catalogue import PointKind
from facility.errors import RetryableError
from facility.reading import Quality, Reading
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.stores.base import DAY_US, SeriesStore
from ingest.stores.influx import InfluxStore
from ingest.stores.influx_wire import InfluxAddress
from ingest.stores.keeping import Keep, KeepPolicy
from ingest.stores.parquet import ParquetStore

MIN_US = 60_000_000
T0 = 20_000 * DAY_US
"""A midnight (UTC)."""
SITE = """
site: {id: demo, zone: UTC}
buildings:
  - id: tower
    assets:
      - {id: ahu-1, class: ahu, points: [supply_air_temperature, supply_fan_status]}
      - {id: lift-1, class: elevator, points: [door_status]}
      - {id: meter, class: water_meter, points: [water_volume]}
"""
POLICY = KeepPolicy(
    {
        PointKind.SENSOR: Keep(raw_days=2, five_minute_days=10, hour_days=100),
        PointKind.STATUS: Keep(raw_days=2, five_minute_days=10),
        PointKind.COUNTER: Keep(raw_days=2, five_minute_days=10),
    }
)
Opener = Callable[[], SeriesStore]


@pytest.fixture(params=["parquet", pytest.param("influx", marks=pytest.mark.service)])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the store of one place; a second call opens the same data again, as after a restart."""
    if request.param == "parquet":
        yield lambda: ParquetStore(tmp_path / "store", policy=POLICY)
    else:
        open_influx: Callable[..., SeriesStore] = request.getfixturevalue("open_influx")
        registry: Registry = parse_site(SITE, "site.yaml")
        yield lambda: open_influx(POLICY, lambda: registry)


def thin_all(store: SeriesStore, age_days: float) -> int:
    """As of so many days after the end of the first day; how many pieces it took."""
    store.flush()
    pieces = 0
    while store.thin(T0 + DAY_US + round(age_days * DAY_US)):
        pieces += 1
        assert pieces < 100
    return pieces


def of(store: SeriesStore, asset: str, point: str, every_min: int | None = None) -> list[tuple[float, object, int]]:
    """(minute, value, quality) of everything."""
    every = every_min * MIN_US if every_min else None
    rows = store.read(asset, point, T0 - 9 * DAY_US, T0 + 9 * DAY_US, every_us=every)
    return [((row.at_us - T0) / MIN_US, row.value, row.quality) for row in rows]


def temperatures(*values: tuple[float, float, int]) -> list[Reading]:
    return [Reading("ahu-1", "supply_air_temperature", T0 + round(m * MIN_US), v, q) for m, v, q in values]


def air(store: SeriesStore, every_min: int | None = None) -> list[tuple[float, object, int]]:
    return of(store, "ahu-1", "supply_air_temperature", every_min)


def test_a_sensor_becomes_means_of_five_minutes_then_of_hours_then_nothing(opener: Opener) -> None:
    store = opener()
    store.write(1, 1, temperatures(*[(minute, float(minute), 0) for minute in range(120)]))
    assert thin_all(store, 1.0) >= 0
    assert len(air(store)) == 120, "young enough to be single"
    thin_all(store, 2.0)
    assert air(store)[:3] == [(0, 2.0, 0), (5, 7.0, 0), (10, 12.0, 0)]
    assert len(air(store)) == 24
    assert air(store, 60) == [(0, 29.5, 0), (60, 89.5, 0)]
    thin_all(store, 10.0)
    assert air(store) == [(0, 29.5, 0), (60, 89.5, 0)]
    store.close()
    store = opener()
    thin_all(store, 100.0)
    assert air(store) == []
    store.close()


def test_doing_it_again_and_after_a_restart_changes_nothing(opener: Opener) -> None:
    store = opener()
    store.write(1, 1, temperatures(*[(minute * 0.7, 20.1 + minute / 3, 0) for minute in range(90)]))
    for _ in range(3):
        thin_all(store, 3.0)
        found = air(store)
        assert len(found) == 13
        store.close()
        store = opener()
        assert air(store) == found
    store.close()


def test_queries_read_across_the_seam(opener: Opener) -> None:
    store = opener()
    day = 1440
    store.write(1, 1, temperatures(*[(float(minute), 1.0 * (minute % 10), 0) for minute in range(day - 20, day + 20)]))
    thin_all(store, 2.0)
    found = air(store)
    assert [minute for minute, _, _ in found] == [day - 20, day - 15, day - 10, day - 5, *range(day, day + 20)]
    assert air(store, 10) == [(minute, 4.5, 0) for minute in range(day - 20, day + 20, 10)]
    limited = store.read("ahu-1", "supply_air_temperature", T0, T0 + 2 * DAY_US, limit=6)
    assert [(row.at_us - T0) / MIN_US for row in limited] == [day - 20, day - 15, day - 10, day - 5, day, day + 1]
    assert store.last("ahu-1")["supply_air_temperature"].at_us == T0 + (day + 19) * MIN_US
    store.close()


def test_a_mean_speaks_of_good_readings_and_of_others_only_where_there_is_none(opener: Opener) -> None:
    store = opener()
    bad, worse = Quality.OUT_OF_RANGE, Quality.SPIKE
    store.write(1, 1, temperatures((0, 10.0, 0), (1, 99.0, bad), (2, 20.0, 0), (5, 50.0, bad), (6, 60.0, worse)))
    thin_all(store, 2.0)
    assert air(store) == [(0, 15.0, 0), (5, 55.0, worse)]
    store.close()


def test_a_late_reading_is_counted_into_the_mean_that_stands_there(opener: Opener) -> None:
    store = opener()
    store.write(1, 1, temperatures((0, 10.0, 0), (1, 10.0, 0), (2, 10.0, 0)))
    thin_all(store, 2.0)
    store.write(2, 2, temperatures((3, 18.0, 0), (8, 7.0, 0)))
    assert air(store) == [(0, 10.0, 0), (3, 18.0, 0), (8, 7.0, 0)]
    assert air(store, 5) == [(0, 12.0, 0), (5, 7.0, 0)]
    thin_all(store, 3.0)
    assert air(store) == [(0, 12.0, 0), (5, 7.0, 0)]
    store.close()


def test_of_states_every_change_stays_and_the_last_of_each_span(opener: Opener) -> None:
    store = opener()
    states = ["closed"] * 7 + ["open", "open"] + ["closed"] * 4
    store.write(1, 1, [Reading("lift-1", "door_status", T0 + n * MIN_US, text) for n, text in enumerate(states)])
    runs = [Reading("ahu-1", "supply_fan_status", T0 + n * MIN_US, float(n >= 6)) for n in range(10)]
    store.write(2, 2, runs)
    thin_all(store, 2.0)
    assert of(store, "lift-1", "door_status") == [
        (0, "closed", 0), (4, "closed", 0), (7, "open", 0), (9, "closed", 0), (12, "closed", 0)
    ]  # fmt: skip
    assert of(store, "ahu-1", "supply_fan_status") == [(0, 0.0, 0), (4, 0.0, 0), (6, 1.0, 0), (9, 1.0, 0)]
    thin_all(store, 20.0)
    assert [value for _, value, _ in of(store, "lift-1", "door_status")] == ["closed", "open", "closed", "closed"]
    store.close()


def test_of_a_counter_the_last_of_each_span_stays_and_both_sides_of_a_fall(opener: Opener) -> None:
    store = opener()
    volumes = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0, 2.0, 3.0, 4.0, 5.0]
    store.write(1, 1, [Reading("meter", "water_volume", T0 + n * MIN_US, volume) for n, volume in enumerate(volumes)])
    thin_all(store, 2.0)
    expected = [(0, 100.0, 0), (4, 104.0, 0), (6, 106.0, 0), (7, 2.0, 0), (9, 4.0, 0), (10, 5.0, 0)]
    assert of(store, "meter", "water_volume") == expected
    thin_all(store, 20.0)
    assert of(store, "meter", "water_volume") == [(0, 100.0, 0), (6, 106.0, 0), (7, 2.0, 0), (10, 5.0, 0)]
    store.close()


def test_a_kind_that_is_kept_for_ever_stays_single_beside_others(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path, policy=KeepPolicy({PointKind.SENSOR: Keep(raw_days=1)}))
    store.write(1, 1, temperatures(*[(float(minute), 1.0, 0) for minute in range(10)]))
    store.write(2, 2, [Reading("meter", "water_volume", T0 + n * MIN_US, float(n)) for n in range(10)])
    thin_all(store, 5.0)
    assert len(air(store)) == 2
    assert len(of(store, "meter", "water_volume")) == 10
    store.close()


def test_a_kill_between_the_new_part_and_the_end_of_the_old_ones_doubles_nothing(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path / "store", policy=POLICY)
    for seq in (1, 2, 3):
        store.write(seq, seq, temperatures(*[(minute + seq / 4, float(minute), 0) for minute in range(20)]))
        store.flush()
    shutil.copytree(tmp_path / "store", tmp_path / "before")
    thin_all(store, 2.0)
    found = air(store)
    assert len(found) == 4
    store.close()
    shutil.copytree(tmp_path / "before", tmp_path / "store", dirs_exist_ok=True)  # as if no old part had gone yet
    assert len(list((tmp_path / "store").rglob("*.parquet"))) == 4
    again = ParquetStore(tmp_path / "store", policy=POLICY)
    assert air(again) == found
    thin_all(again, 2.0)
    assert air(again) == found
    again.close()


POINTS = st.lists(
    st.tuples(st.integers(0, 300), st.integers(-40, 40), st.sampled_from([0, 0, 0, 1])),
    min_size=1, max_size=60, unique_by=lambda item: item[0],
)  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=POINTS, split=st.integers(0, 60))
def test_means_over_an_hour_are_the_same_before_and_after(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, int]], split: int
) -> None:
    """Wherever good readings are: what they say together does not depend on when they were thinned."""
    good = [(minute, value, 0) for minute, value, quality in rows if quality == 0]
    store = ParquetStore(tmp_path_factory.mktemp("store"), policy=POLICY)
    for seq, some in enumerate((good[:split], good[split:]), 1):
        store.write(seq, seq, temperatures(*[(float(m), float(v), q) for m, v, q in some]))
        before = air(store, 60)
        thin_all(store, 2.0 + seq)
        after = air(store, 60)
        assert [row[0] for row in after] == [row[0] for row in before]
        assert [row[1] for row in after] == pytest.approx([row[1] for row in before])
    store.close()


@pytest.mark.service
def test_influx_that_dies_between_writing_and_deleting_is_put_right(
    influx_address: InfluxAddress, tmp_path: Path
) -> None:
    registry = parse_site(SITE, "site.yaml")
    front = Front(influx_address.url)
    front.start()
    address = InfluxAddress(f"http://127.0.0.1:{front.port}", "o", influx_address.bucket, SecretStr("t"))
    try:
        store = InfluxStore(address, tmp_path / "cursor", lambda: registry, POLICY)
        store.write(1, 1, temperatures(*[(float(minute), float(minute), 0) for minute in range(20)]))
        front.set(NO_DELETES)
        with pytest.raises(RetryableError, match="cannot delete from InfluxDB"):
            thin_all(store, 2.0)
        store.close()
        front.set("well")
        store = InfluxStore(address, tmp_path / "cursor", lambda: registry, POLICY)
        thin_all(store, 2.0)
        assert air(store) == [(0, 2.0, 0), (5, 7.0, 0), (10, 12.0, 0), (15, 17.0, 0)]
        store.close()
    finally:
        front.stop()
