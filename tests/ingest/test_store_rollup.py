"""Means for dashboards in InfluxDB: they say what the readings say, whenever those came and however often we stop."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from facility.catalogue import PointKind
from facility.errors import InputError, RetryableError
from facility.instant import HOUR_US
from facility.reading import Quality, Reading
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.stores.influx import InfluxStore
from ingest.stores.influx_rollup import GRACE_US, InfluxRollup
from ingest.stores.influx_wire import InfluxAddress, InfluxWire, Row
from ingest.stores.keeping import Keep, KeepPolicy

MIN_US = 60_000_000
T0 = 490_000 * HOUR_US
SITE = """
site: {id: demo, zone: UTC}
buildings:
  - id: tower
    assets:
      - {id: ahu-1, class: ahu, points: [supply_air_temperature]}
      - {id: lift-1, class: elevator, points: [service_mode]}
"""
Open = Callable[..., InfluxStore]
pytestmark = pytest.mark.service


@pytest.fixture
def store(open_influx: Open) -> InfluxStore:
    registry: Registry = parse_site(SITE, "site.yaml")
    return open_influx(KeepPolicy(), lambda: registry)


def warm(*minutes: int, value: float = 0.0, quality: Quality = Quality.GOOD) -> list[Reading]:
    return [Reading("ahu-1", "supply_air_temperature", T0 + m * MIN_US, value or float(m), quality) for m in minutes]


def roll_all(store: InfluxStore, minute: float) -> int:
    pieces = 0
    while store.roll_up(T0 + round(minute * MIN_US) + GRACE_US):
        pieces += 1
        assert pieces < 100
    return pieces


def means(address: InfluxAddress, suffix: str, fields: str = '"mean"') -> list[tuple[float, ...]]:
    """(minute, fields ...) of the air handler's means."""
    wire = InfluxWire(address)
    (answer,) = wire.query([f'SELECT {fields} FROM "ahu"'], address.bucket + suffix)  # noqa: S608 - a test's own
    wire.close()
    return [_values(row) for series in answer for row in series.rows]


def _values(row: Row) -> tuple[float, ...]:
    return tuple((float(v or 0) - T0) / MIN_US if name == "time" else float(v or 0) for name, v in row.items())


def test_spans_that_are_over_have_their_means_and_others_wait(
    store: InfluxStore, influx_address: InfluxAddress
) -> None:
    store.write(1, 1, warm(*range(62)))
    assert roll_all(store, 62) == 1, "the hour that is over, and of the next nothing is"
    assert means(influx_address, "_mean_5m")[:2] == [(0.0, 2.0), (5.0, 7.0)]
    assert len(means(influx_address, "_mean_5m")) == 12
    fields = '"mean", "minimum", "maximum", "last", "count"'
    assert means(influx_address, "_mean_1h", fields) == [(0.0, 29.5, 0.0, 59.0, 59.0, 60.0)]
    assert roll_all(store, 64.9) == 0
    assert roll_all(store, 65) == 1
    assert means(influx_address, "_mean_5m")[-1] == (60.0, 60.5)


def test_a_reading_that_comes_late_is_counted_in(store: InfluxStore, influx_address: InfluxAddress) -> None:
    store.write(1, 1, warm(1, 2, 61))
    roll_all(store, 120)
    store.write(2, 2, warm(3, value=30.0))
    assert roll_all(store, 121) == 1
    assert means(influx_address, "_mean_5m")[0] == (0.0, 11.0)
    assert means(influx_address, "_mean_1h")[0] == (0.0, 11.0)


def test_what_is_not_believed_is_counted_and_speaks_not(store: InfluxStore, influx_address: InfluxAddress) -> None:
    store.write(1, 1, [*warm(1), *warm(2, 3, value=99.0, quality=Quality.SPIKE)])
    roll_all(store, 60)
    assert means(influx_address, "_mean_5m", '"mean", "doubted"') == [(0.0, 1.0, 2.0)]


def test_a_state_has_its_last_text(store: InfluxStore, influx_address: InfluxAddress) -> None:
    said = [Reading("lift-1", "service_mode", T0 + m * MIN_US, mode) for m, mode in ((1, "normal"), (4, 'in"spection'))]
    store.write(1, 1, said)
    roll_all(store, 60)
    wire = InfluxWire(influx_address)
    (answer,) = wire.query(['SELECT "state" FROM "elevator" GROUP BY *'], influx_address.bucket + "_mean_1h")
    wire.close()
    assert [row["state"] for series in answer for row in series.rows] == ['in"spection']
    assert answer[0].tags == {"asset": "lift-1", "building": "tower", "point": "service_mode", "site": "demo"}


def test_what_was_noted_survives_a_restart_and_so_does_an_outage(
    open_influx: Open, influx_address: InfluxAddress
) -> None:
    registry: Registry = parse_site(SITE, "site.yaml")
    first = open_influx(KeepPolicy(), lambda: registry)
    first.roll_up(T0)
    first.write(1, 1, warm(1, 2))
    again = open_influx(KeepPolicy(), lambda: registry)
    roll_all(again, 60)
    assert means(influx_address, "_mean_1h") == [(0.0, 1.5)]


def test_readings_from_before_there_were_means_get_theirs(open_influx: Open, influx_address: InfluxAddress) -> None:
    registry: Registry = parse_site(SITE, "site.yaml")
    store = open_influx(KeepPolicy(), lambda: registry)
    store.write(1, 1, warm(1, 2, 200))
    assert roll_all(store, 240) == 4, "every hour from the first reading on"
    assert [minute for minute, _ in means(influx_address, "_mean_1h")] == [0.0, 180.0]


def test_means_stay_where_the_readings_were_thinned(open_influx: Open, influx_address: InfluxAddress) -> None:
    registry: Registry = parse_site(SITE, "site.yaml")
    policy = KeepPolicy({PointKind.SENSOR: Keep(raw_days=2)})
    store = open_influx(policy, lambda: registry)
    store.write(1, 1, warm(*range(1, 5)))
    roll_all(store, 60)
    store.write(2, 2, warm(2, value=50.0))
    roll_all(store, 4 * 24 * 60)
    assert means(influx_address, "_mean_1h") == [(0.0, 2.5)]


def test_a_server_without_the_buckets_says_what_to_do_and_nothing_is_forgotten(
    influx_address: InfluxAddress, tmp_path: Path
) -> None:
    bucket, noted = f"{influx_address.bucket}_5m", f'{{"{T0}":{T0}}}'
    wire = InfluxWire(replace(influx_address, bucket=bucket))
    wire.write([f"ahu,asset=a value=1,quality=0i {T0}".encode()])
    (tmp_path / "cursor.means").write_text(noted)
    rollup = InfluxRollup(wire, bucket, tmp_path / "cursor", 0)
    with pytest.raises(RetryableError, match=r"no bucket .*_5m_mean_5m.*plantroom db upgrade"):
        rollup.roll(T0 + HOUR_US + GRACE_US)
    wire.close()
    assert (tmp_path / "cursor.means").read_text() == noted


def test_a_damaged_note_is_named(tmp_path: Path, influx_address: InfluxAddress) -> None:
    (tmp_path / "cursor.means").write_text("{")
    wire = InfluxWire(influx_address)
    with pytest.raises(InputError, match=r"cursor\.means"):
        InfluxRollup(wire, "b", tmp_path / "cursor", 0)
    wire.close()
