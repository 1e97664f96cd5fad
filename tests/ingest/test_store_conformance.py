"""What every series store promises, on every store: Parquet in a folder, InfluxDB behind its write interface."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facility.reading import Commit, DeadLetter, PointValue, Quality, Reading, Scan
from ingest.stores.base import DAY_US, SeriesSink, SeriesStore
from ingest.stores.parquet import ParquetStore

Opener = Callable[[], SeriesStore]
MIN_US = 60_000_000
T0 = 20_000 * DAY_US


@pytest.fixture(params=["parquet", pytest.param("influx", marks=pytest.mark.service)])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the store of one place; a second call opens the same data again, as after a restart."""
    if request.param == "parquet":
        yield lambda: ParquetStore(tmp_path / "store", part_readings=1_000)
    else:
        open_influx: Opener = request.getfixturevalue("open_influx")
        yield open_influx


def temperature(minute: int, value: float, quality: Quality = Quality.GOOD) -> Reading:
    return Reading("ahu-1", "supply_air_temperature", T0 + minute * MIN_US, value, quality)


def read(store: SeriesStore, from_min: int, to_min: int, every_min: int | None = None) -> list[tuple[int, object, int]]:
    every = every_min * MIN_US if every_min else None
    rows = store.read("ahu-1", "supply_air_temperature", T0 + from_min * MIN_US, T0 + to_min * MIN_US, every_us=every)
    return [((row.at_us - T0) // MIN_US, row.value, row.quality) for row in rows]


def test_readings_come_back_in_order_of_their_instants(opener: Opener) -> None:
    store = opener()
    store.write(1, 2, [temperature(3, 13.5), temperature(1, 11.25)])
    store.write(3, 3, [temperature(2, 12.0, Quality.LATE)])
    assert read(store, 0, 10) == [(1, 11.25, 0), (2, 12.0, Quality.LATE), (3, 13.5, 0)]
    assert read(store, 1, 3) == [(1, 11.25, 0), (2, 12.0, Quality.LATE)]
    assert read(store, 4, 10) == []
    rows = store.read("ahu-1", "supply_air_temperature", T0, T0 + DAY_US, limit=2)
    assert [row.value for row in rows] == [11.25, 12.0]
    store.close()


def test_the_same_instant_written_twice_is_replaced(opener: Opener) -> None:
    store = opener()
    store.write(1, 1, [temperature(1, 1.0), temperature(1, 2.0)])
    assert read(store, 0, 10) == [(1, 2.0, 0)]
    store.flush()
    store.write(2, 2, [temperature(1, 3.0, Quality.SUBSTITUTED)])
    assert read(store, 0, 10) == [(1, 3.0, Quality.SUBSTITUTED)]
    store.flush()
    assert read(store, 0, 10) == [(1, 3.0, Quality.SUBSTITUTED)]
    store.close()


def test_texts_and_numbers_keep_their_kind(opener: Opener) -> None:
    store = opener()
    odd = 'quoted "x", back\\slash, comma = and 空'
    store.write(1, 1, [Reading("lift 1,a=b", "fault_code", T0, odd), Reading("lift 1,a=b", "car_position", T0, 7.0)])
    for _ in range(2):
        assert store.read("lift 1,a=b", "fault_code", T0, T0 + 1) == [Reading("lift 1,a=b", "fault_code", T0, odd)]
        assert store.read("lift 1,a=b", "car_position", T0, T0 + 1) == [Reading("lift 1,a=b", "car_position", T0, 7.0)]
        store.flush()
    store.close()


def test_every_gives_the_mean_of_the_good_ones_per_bucket(opener: Opener) -> None:
    store = opener()
    store.write(1, 1, [temperature(0, 10.0), temperature(1, 20.0), temperature(2, 99.0, Quality.OUT_OF_RANGE)])
    store.write(2, 2, [temperature(10, 50.0, Quality.STUCK), temperature(11, 60.0, Quality.SPIKE)])
    store.write(3, 3, [temperature(16, 7.0)])
    assert read(store, 0, 60, every_min=5) == [(0, 15.0, 0), (10, 55.0, Quality.SPIKE), (15, 7.0, 0)]
    texts = [("closed", 0), ("open", 0), ("blocked", Quality.STALE)]
    store.write(4, 4, [Reading("l1", "door_status", T0 + n * MIN_US, t, q) for n, (t, q) in enumerate(texts)])
    assert store.read("l1", "door_status", T0, T0 + 3_600_000_000, every_us=5 * MIN_US) == [
        Reading("l1", "door_status", T0, "open")
    ]
    store.close()


def test_buckets_count_from_the_epoch_also_when_the_span_begins_inside_one(opener: Opener) -> None:
    store = opener()
    store.write(1, 1, [temperature(minute, float(minute)) for minute in range(10)])
    assert read(store, 3, 10, every_min=5) == [(0, 3.5, 0), (5, 7.0, 0)]
    assert len(store.read("ahu-1", "supply_air_temperature", T0, T0 + DAY_US, every_us=MIN_US, limit=4)) == 4
    store.close()


def test_last_is_the_newest_of_every_point_still_speaking(opener: Opener) -> None:
    store = opener()
    early, old = T0 - 40 * DAY_US, T0 - 20 * DAY_US
    store.write(1, 1, [Reading("a1", "co2", early, 400.0), Reading("a1", "run_status", old, 1.0)])
    store.flush()
    store.write(2, 2, [Reading("a1", "fault_code", T0, "07"), Reading("a1", "fault_code", T0 - 5, "06", Quality.LATE)])
    store.write(3, 3, [Reading("a2", "co2", T0, 500.0)])
    assert store.last("a1") == {
        "run_status": Reading("a1", "run_status", old, 1.0),
        "fault_code": Reading("a1", "fault_code", T0, "07"),
    }
    assert store.last("unheard-of") == {}
    store.close()


def test_a_restart_finds_what_was_flushed_and_says_where_to_go_on(opener: Opener) -> None:
    store = opener()
    assert store.cursor == 0
    store.write(1, 40, [temperature(1, 1.0)])
    store.flush()
    assert store.cursor == 40
    again = opener()
    assert again.cursor == 40
    assert read(again, 0, 10) == [(1, 1.0, 0)]
    again.close()


def test_what_no_store_can_keep_is_left_out(opener: Opener) -> None:
    store = opener()
    odd = [Reading("ahu-1", "supply_air_temperature", at, value) for at, value in
           ((T0, float("nan")), (T0, float("inf")), (10**18, 1.0), (-(10**18), 1.0))]  # fmt: skip
    store.write(1, 1, [*odd, temperature(1, 1.0)])
    store.flush()
    assert read(store, -100, 100) == [(1, 1.0, 0)]
    assert store.read("ahu-1", "supply_air_temperature", -(10**18), 10**18) == [temperature(1, 1.0)]
    store.close()


def test_the_sink_stores_scans_and_never_duplicates(opener: Opener) -> None:
    store = opener()
    good = PointValue("supply_air_temperature", 12.0)
    repeat = PointValue("supply_air_temperature", 12.0, Quality.DUPLICATE)
    letter = DeadLetter(T0, "x", b"", "not JSON")
    commits = [
        Commit(1, T0, (Scan("ahu-1", T0, True, (good,)), letter)),
        Commit(2, T0, (Scan("ahu-1", T0, True, (repeat,)),)),
    ]
    SeriesSink(store).take(commits)
    assert read(store, 0, 1) == [(0, 12.0, 0)]
    store.close()


Row = tuple[int, int, int]
NUMBERS = count(1)
rows = st.lists(st.tuples(st.integers(0, 40), st.integers(-5, 5), st.sampled_from([0, 0, 0, 1, 6])), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=st.lists(st.tuples(rows, st.booleans()), min_size=1, max_size=6))
def test_any_writes_read_like_a_dictionary(opener: Opener, writes: list[tuple[list[Row], bool]]) -> None:
    store = opener()
    expected: dict[int, tuple[float, int]] = {}
    seq, asset = store.cursor, f"a-{next(NUMBERS)}"
    for batch, flush in writes:
        readings = [Reading(asset, "co2", T0 + n * 7 * MIN_US, float(value), quality) for n, value, quality in batch]
        seq += 1
        store.write(seq, seq, readings)
        expected |= {reading.at_us: (float(reading.value), reading.quality) for reading in readings}
        if flush:
            store.flush()
    found = store.read(asset, "co2", T0, T0 + DAY_US)
    assert [(r.at_us, (r.value, r.quality)) for r in found] == sorted(expected.items())
    store.close()
