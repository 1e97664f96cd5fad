"""The readings in InfluxDB as files of a backup: old ones and means too, each bucket in a folder of its own."""

from contextlib import closing, suppress
from pathlib import Path

import polars as pl

from facility.errors import PermanentError
from plantroom.backup.copying import Copier, Teller
from plantroom.backup.manifest import VAR, BackupError, FileEntry, InfluxFacts
from plantroom.settings import Settings

INFLUX = "influx"
"""The folder of a backup."""
_ANSWER_S = 120.0
"""Real seconds that the server has for a slice, or for some thousand points."""


def copy_influx(settings: Settings, folder: Path, copier: Copier, teller: Teller) -> InfluxFacts:
    """Take everything out of every bucket of ours. Raises RetryableError, BackupError, OSError.

    Single readings first, then the note up to where older ones were thinned, then what they were thinned into: so a
    reading that is thinned meanwhile is where the note says.
    """
    from ingest.stores.influx_copy import is_there, take_out  # noqa: PLC0415 - the client is slow to load
    from ingest.stores.influx_setup import BUCKETS  # noqa: PLC0415 - as above
    from ingest.stores.influx_wire import InfluxWire  # noqa: PLC0415 - as above
    from plantroom.series_store import influx_address  # noqa: PLC0415 - as above

    rows: dict[str, int] = {}
    address = influx_address(settings, _ANSWER_S)
    teller.begin("readings in InfluxDB")
    with closing(InfluxWire(address)) as wire:
        for suffix in BUCKETS:
            rows[suffix] = 0
            try:
                if suffix and not is_there(wire, address.bucket + suffix):
                    continue
                for path, count in take_out(wire, address.bucket + suffix, folder / INFLUX / _name(suffix)):
                    copier.note(str(path.relative_to(folder)))
                    rows[suffix] += count
                    teller.advance(path.stat().st_size)
            except PermanentError as error:
                msg = f"{error}. `plantroom backup --without-readings` leaves them out"
                raise BackupError(msg) from error
            if not suffix:
                _note_again(settings, copier)
    return InfluxFacts(rows)


def put_influx(settings: Settings, folder: Path, files: tuple[FileEntry, ...], teller: Teller) -> tuple[int, int]:
    """Write them in again: how many rows went, and how many points the server refused for good (older than what its
    bucket keeps). Raises RetryableError, BackupError; written twice is there once."""
    from ingest.stores.influx_copy import put_in  # noqa: PLC0415 - the client is slow to load
    from ingest.stores.influx_setup import BUCKETS, set_up  # noqa: PLC0415 - as above
    from ingest.stores.influx_wire import InfluxWire  # noqa: PLC0415 - as above
    from plantroom.series_store import influx_address  # noqa: PLC0415 - as above

    suffixes = {_name(suffix): suffix for suffix in BUCKETS}
    address = influx_address(settings, _ANSWER_S)
    teller.begin("readings into InfluxDB", sum(entry.size for entry in files))
    with suppress(
        PermanentError
    ):  # who may not make buckets has made them by hand; else the first write says what lacks
        set_up(address, settings.keep_policy())
    rows = 0
    with closing(InfluxWire(address)) as wire:
        for entry in files:
            path = folder / entry.path
            try:
                rows += put_in(wire, address.bucket + suffixes[path.parent.name], path)
            except (pl.exceptions.PolarsError, KeyError) as error:
                msg = f"{path} is no file of readings: {error}. Use another backup"
                raise BackupError(msg) from error
            teller.advance(entry.size)
        return rows, wire.refused


def _name(suffix: str) -> str:
    return suffix.strip("_") or "single"


def _note_again(settings: Settings, copier: Copier) -> None:
    thinned = settings.main.influx_cursor.with_suffix(".thinned")
    path = f"{VAR}/{thinned.relative_to(settings.var)}"
    if thinned.exists():
        if path in copier.entries:
            copier.forget(path)  # it may be a link to that of the backup before
        copier.take(thinned, path)
