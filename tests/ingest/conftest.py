"""A real InfluxDB of its own for each test."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from influx_server import create, influx
from pydantic import SecretStr

from facility.registry import Registry
from ingest.stores.influx import InfluxStore
from ingest.stores.influx_setup import BUCKETS
from ingest.stores.influx_wire import InfluxAddress
from ingest.stores.keeping import KeepPolicy

_NAMES = count(1)


@pytest.fixture(scope="session")
def influx_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server."""
    with influx(tmp_path_factory.mktemp("influx")) as url:
        yield url


@pytest.fixture
def influx_address(influx_url: str) -> InfluxAddress:
    """A new database of its own in the real server."""
    name = f"plantroom{next(_NAMES)}"
    create(influx_url, [name + suffix for suffix in BUCKETS])
    return InfluxAddress(influx_url, "plantroom", name, SecretStr("token"))


@pytest.fixture
def open_influx(influx_address: InfluxAddress, tmp_path: Path) -> Iterator[Callable[..., InfluxStore]]:
    """Opens the store of one database; again with the same data at each call."""
    stores: list[InfluxStore] = []

    def open_it(policy: KeepPolicy | None = None, registry: Callable[[], Registry] = Registry) -> InfluxStore:
        stores.append(InfluxStore(influx_address, tmp_path / "cursor", registry, policy))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()
