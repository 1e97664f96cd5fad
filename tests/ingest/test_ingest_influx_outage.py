"""InfluxDB stopped, slow, refusing or answering by half while readings come: nothing is lost, nothing is there twice.

The server is a fake one, and (service) Debian's influxd behind a front that behaves badly on demand.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from moody import MOODS, Front
from pydantic import SecretStr

from facility.errors import RetryableError
from facility.reading import PointValue, Scan
from facility.registry import Registry
from ingest.follower import Follower
from ingest.journal import JournalReader, JournalWriter
from ingest.stores.base import SeriesSink
from ingest.stores.influx import InfluxStore
from ingest.stores.influx_wire import InfluxAddress

T0 = 1_700_000_000_000_000


def fill(writer: JournalWriter, count: int) -> None:
    for _ in range(count):
        number = writer.last_seq + 1
        scan = Scan("lift-1", T0 + number, complete=True, values=(PointValue("car_position", float(number)),))
        writer.append(T0 + number, [scan])


def bad_moods(front: Front, folder: Path, address: InfluxAddress, moods: list[str]) -> int:
    """Every mood once while readings come; how many there are."""
    with JournalWriter(folder / "journal") as writer, JournalReader(folder / "journal") as reader:
        store = InfluxStore(address, folder / "cursor", Registry)
        follower = Follower("readings", reader, SeriesSink(store), limit=7)
        for mood in moods:
            front.set(mood)
            fill(writer, 20)
            before = follower.state.durable
            with pytest.raises(RetryableError):
                follower.catch_up()
            assert follower.state.durable == before, f"{mood}: what is not surely there is not passed over"
            front.set("well")
            fill(writer, 5)
            assert follower.catch_up() == 25
            assert follower.state.lag == 0
        store.close()
        return writer.last_seq


@pytest.fixture
def front() -> Iterator[Front]:
    front = Front(None)
    yield front
    front.stop()


def test_no_bad_mood_of_influx_loses_or_doubles_a_reading(front: Front, tmp_path: Path) -> None:
    address = InfluxAddress(f"http://127.0.0.1:{front.port}", "o", "b", SecretStr("t"), timeout_s=0.3)
    count = bad_moods(front, tmp_path, address, random.Random(3).sample(MOODS, len(MOODS)))
    assert len(front.lines) == count


@pytest.mark.service
def test_no_bad_mood_before_a_real_influxd_loses_or_doubles_a_reading(
    influx_address: InfluxAddress, tmp_path: Path
) -> None:
    front = Front(influx_address.url)
    try:
        address = InfluxAddress(
            f"http://127.0.0.1:{front.port}", influx_address.org, influx_address.bucket, SecretStr("t"), timeout_s=0.5
        )
        count = bad_moods(front, tmp_path, address, list(MOODS))
    finally:
        front.stop()
    store = InfluxStore(influx_address, tmp_path / "other", Registry)
    found = store.read("lift-1", "car_position", T0, T0 + 10**6)
    store.close()
    assert [reading.value for reading in found] == [float(number) for number in range(1, count + 1)]
