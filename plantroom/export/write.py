"""Writes an export: a folder of tables, the plan as a calendar, and readings by day."""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from facility.errors import RetryableError, refuse
from facility.reading import Reading
from facility.registry import Registry
from ingest.stores.folder import ParquetFolder
from plantroom.backup.copying import Teller
from plantroom.clocks import clock_for
from plantroom.contracts import load_contracts
from plantroom.database import Database
from plantroom.export.files import FileFormat, Row, open_sink
from plantroom.export.rows import (
    ASSETS,
    POINTS,
    READINGS,
    VISITS,
    asset_rows,
    days_between,
    point_rows,
    reading_rows,
    schema_named,
    schema_of,
    table_rows,
    visit_rows,
)
from plantroom.export.tables import TABLES
from plantroom.files import read_texts
from plantroom.plant_files import load_registry
from plantroom.series_store import open_store
from plantroom.settings import Settings, StoreKind
from plantroom.several_stores import SeveralFolders, holds_parts
from plantroom.shard import shard_folders
from ticketing.contract_book import ContractBook
from ticketing.ical import Event, write_calendar

YEAR = timedelta(days=366)
Source = Callable[[Sequence[tuple[str, str]], int, int], Iterator[Reading]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export: `readings` is a span [from, until) in microseconds, None without readings. `visits_from` and
    `visits_until` bound the plan; None is from the first order on, and a year ahead."""

    kind: FileFormat
    readings: tuple[int, int] | None = None
    visits_from: date | None = None
    visits_until: date | None = None


def write_export(settings: Settings, folder: Path, wanted: Wanted, teller: Teller) -> dict[str, int]:
    """Write everything into `folder`, which must not be there or be empty; rows by file name. The folder appears when
    it is whole. Raises InputError, RetryableError, DatabaseError."""
    folder = folder.absolute()  # `.` has no name
    if folder.exists() and not folder.is_dir():
        raise refuse(str(folder), "is no folder", "Name a folder that is not there yet.")
    if folder.exists() and any(folder.iterdir()):
        raise refuse(str(folder), "is not empty", "Name a folder that is not there yet.")
    if folder.resolve() == Path.cwd():
        raise refuse(str(folder), "is the folder you are in", "Name a folder that is not there yet.")
    fresh = folder.with_name(f".{folder.name}.unfinished")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        rows = _Exporter(settings, fresh, wanted, teller).run()
        if folder.exists():
            folder.rmdir()
        fresh.rename(folder)
    except OSError as error:
        msg = f"{error.filename or folder}: {error.strerror or error}. Nothing was kept; see to it and try again"
        raise RetryableError(msg) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return rows


class _Exporter:
    """One export at work."""

    def __init__(self, settings: Settings, folder: Path, wanted: Wanted, teller: Teller) -> None:
        self._settings, self._folder, self._wanted, self._teller = settings, folder, wanted, teller
        self._registry, _ = load_registry(settings.site_files)
        self._book: ContractBook = load_contracts(read_texts(settings.contract, "contract"), self._registry)
        self._now: datetime = clock_for(settings).now()

    def run(self) -> dict[str, int]:
        database = Database(self._settings.database_address())
        rows: dict[str, int] = {}
        try:
            database.check()
            with database.reading() as session:
                if database.engine.dialect.name == "postgresql":  # one look, as SQLite has anyway: files fit together
                    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
                for name, table in TABLES.items():
                    self._teller.begin(name)
                    with open_sink(self._folder, name, schema_of(table), self._wanted.kind) as sink:
                        sink.take(table_rows(session, table))
                    rows[name] = sink.rows
                self._teller.begin("visits")
                rows["visits"] = self._visits(session)
        finally:
            database.close()
        for name, columns, found in (
            ("assets", ASSETS, asset_rows(self._registry)),
            ("points", POINTS, point_rows(self._registry)),
        ):
            with open_sink(self._folder, name, schema_named(columns), self._wanted.kind) as sink:
                sink.take(found)
            rows[name] = sink.rows
        if self._wanted.readings is not None:
            rows["readings"] = self._readings(*self._wanted.readings)
        return rows

    def _visits(self, session: Session) -> int:
        first = self._wanted.visits_from or (self._now - YEAR).date()
        until = self._wanted.visits_until or (self._now + YEAR).date()
        found = list(visit_rows(session, self._book, self._registry, first, until, self._now))
        with open_sink(self._folder, "visits", schema_named(VISITS), self._wanted.kind) as sink:
            sink.take(found)
        text = write_calendar("Preventive plan", _events(found, self._registry, self._now), self._now)
        (self._folder / "visits.ics").write_bytes(text.encode())
        return sink.rows

    def _readings(self, start_us: int, end_us: int) -> int:
        total, place = 0, self._folder / "readings"
        place.mkdir()
        store = _source(self._settings, self._registry)
        for day, first, end in days_between(start_us, end_us):
            self._teller.begin(f"readings of {day}")
            with open_sink(place, day.isoformat(), schema_named(READINGS), self._wanted.kind) as sink:
                for asset in self._registry.assets.values():
                    series = [(asset.id, point) for point in asset.points]
                    sink.take(reading_rows(store(series, first, end), self._registry))
            total += sink.rows
        return total


def _source(settings: Settings, registry: Registry) -> Source:
    """Reads the readings of series (asset, point) in a span: of Parquet what is on disk, beside the program that
    writes it; of InfluxDB through its own interface."""
    if settings.store is StoreKind.PARQUET:
        places = [folder / "readings" for folder in shard_folders(settings.var)]
        folders = SeveralFolders([ParquetFolder(one) for one in places if one == places[0] or holds_parts(one)])
        return lambda series, first, end: iter(folders.between(series, first, end) if series else ())
    store = open_store(settings, settings.main, lambda: registry, writes=False)

    def read(series: Sequence[tuple[str, str]], first: int, end: int) -> Iterator[Reading]:
        for asset_id, point in series:
            yield from store.read(asset_id, point, first, end)

    return read


def _events(visits: Iterable[Row], registry: Registry, now: datetime) -> Iterator[Event]:
    for on, asset_id, name, state, statutory, order_id, done_on, clause in visits:
        asset = registry.assets.get(asset_id)
        text = [state, *(["required by law"] if statutory else []), *([f"clause {clause}"] if clause else [])]
        text += [f"done on {done_on}"] if done_on else []
        yield Event(
            uid=order_id or f"{asset_id}-{on:%Y%m%d}-{hashlib.sha256(name.encode()).hexdigest()[:12]}",
            title=f"{name}: {asset.name if asset else asset_id}",
            text=", ".join(text), changed_at=now, version=0, day=on,
            place=asset.building_id if asset else "",
        )  # fmt: skip
