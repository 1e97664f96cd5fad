"""The series store that the settings name."""

from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from facility.registry import Registry
from ingest.stores.base import SeriesStore
from ingest.stores.line import InLine
from ingest.stores.parquet import ParquetStore
from plantroom.settings import Settings, StoreKind


def seen_file(settings: Settings, follower: str) -> Path:
    """Where a follower keeps which runs of the journal it has read."""
    return settings.var / "cursors" / f"{follower}.runs"


def open_store(settings: Settings, registry: Callable[[], Registry], *, writes: bool = True) -> SeriesStore:
    """The series store of the settings; without `writes` another process is the one that writes."""
    if settings.store is StoreKind.PARQUET:
        in_line = InLine(settings.journal_folder, seen_file(settings, "readings"))
        return ParquetStore(settings.parquet_folder, policy=settings.keep_policy(), writes=writes, in_line=in_line)
    # The client of InfluxDB takes 12 MB and a second to load, for nothing where readings lie in files.
    from ingest.stores.influx import InfluxStore  # noqa: PLC0415 - as said
    from ingest.stores.influx_wire import InfluxAddress  # noqa: PLC0415 - as said

    token = settings.influx_token or SecretStr("")
    address = InfluxAddress(settings.influx_url, settings.influx_org, settings.influx_bucket, token)
    return InfluxStore(address, settings.var / "influx.cursor", registry, settings.keep_policy(), writes=writes)
