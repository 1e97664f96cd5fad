"""The series store that the settings name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from facility.registry import Registry
from ingest.stores.base import SeriesStore
from ingest.stores.line import InLine
from ingest.stores.parquet import ParquetStore
from ingest.stores.upkeep import Kept
from plantroom.files import write_atomically
from plantroom.settings import Settings, StoreKind
from plantroom.shard import Shard

if TYPE_CHECKING:
    from ingest.stores.influx_wire import InfluxAddress


def influx_address(settings: Settings, timeout_s: float = 10.0) -> "InfluxAddress":
    """Where InfluxDB is, by the settings; `timeout_s` real seconds for each request."""
    # The client of InfluxDB takes 12 MB and a second to load, for nothing where readings lie in files.
    from ingest.stores.influx_wire import InfluxAddress  # noqa: PLC0415 - as said

    token = settings.influx_token or SecretStr("")
    return InfluxAddress(settings.influx_url, settings.influx_org, settings.influx_bucket, token, timeout_s)


def open_store(
    settings: Settings,
    shard: Shard,
    registry: Callable[[], Registry],
    *,
    writes: bool = True,
    timeout_s: float = 10.0,
) -> SeriesStore:
    """A shard's series store; without `writes` another process is the one that writes.

    Parquet files are the shard's own. InfluxDB is one for all shards, and each writes what stands in its journal; it
    has `timeout_s` real seconds for each answer.
    """
    if settings.store is StoreKind.PARQUET:
        in_line = InLine(shard.journal_folder, shard.runs_file("readings"))
        return ParquetStore(shard.parquet_folder, policy=settings.keep_policy(), writes=writes, in_line=in_line)
    from ingest.stores.influx import InfluxStore  # noqa: PLC0415 - as `influx_address` says

    address = influx_address(settings, timeout_s)
    means = shard.influx_cursor.with_suffix(".means")
    if writes and not shard.is_main and not means.exists() and not shard.influx_cursor.exists():
        # What was there before this shard has its means already, or gets them from the first one.
        means.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(means, b"{}")
    return InfluxStore(address, shard.influx_cursor, registry, settings.keep_policy(), writes=writes)


def upkept(settings: Settings, shard: Shard, store: SeriesStore) -> Kept:
    """What the keeper of a shard looks after: a store that all share is thinned by the first shard alone."""
    return store if settings.store is StoreKind.PARQUET or shard.is_main else MeansOnly(store)


@dataclass(frozen=True, slots=True)
class MeansOnly:
    """A store that another process thins."""

    store: SeriesStore

    def thin(self, now_us: int) -> bool:  # noqa: ARG002 - as `SeriesStore.thin`
        """Nothing is left to do here."""
        return False

    def roll_up(self, now_us: int) -> bool:
        """As the store does it."""
        return self.store.roll_up(now_us)
