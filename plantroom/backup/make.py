"""Makes a backup of an instance while it runs: a folder of its own for each, whole or not there.

The order matters. Small files with cursors come first, then the database, then what the database names (pictures) and
the journal: everything may lag behind the journal, nothing may be ahead of it. So the engine's cursor, which is in the
database, lies within the copied journal, and what came between the two is judged again at the next start, to the same
findings with the same ids.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from facility.clock import Clock
from facility.errors import RetryableError, refuse
from facility.instant import format_instant
from ingest.segment import list_segments, segment_bytes
from plantroom import __version__
from plantroom.backup.copying import Copier, Teller, check_space, format_bytes
from plantroom.backup.disk import disk_errors
from plantroom.backup.influx import INFLUX, copy_influx
from plantroom.backup.journal import copy_journal
from plantroom.backup.live import Live, find_live
from plantroom.backup.manifest import (
    DATABASE,
    FORMAT,
    VAR,
    BackupError,
    DatabaseFacts,
    InfluxFacts,
    JournalFacts,
    Manifest,
    TableFacts,
    read_manifest,
    write_manifest,
)
from plantroom.backup.own_files import copy_own, hidden_roster
from plantroom.backup.postgres import dump_postgres
from plantroom.backup.readings import copy_store
from plantroom.backup.sqlite import NAME as SQLITE_NAME
from plantroom.backup.sqlite import dump_sqlite
from plantroom.backup.still import check_still, wait_until_still
from plantroom.database import parse_url
from plantroom.lock import InstanceLock
from plantroom.settings import Settings, StoreKind
from plantroom.shard import SHARDS

_UNFINISHED = ".unfinished-"
_STAMP = "%Y-%m-%dT%H-%M-%SZ"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made; `linked_bytes` were not copied, because the one before has them."""

    folder: Path
    manifest: Manifest
    linked_bytes: int
    removed: tuple[Path, ...]


def list_backups(folder: Path) -> list[Path]:
    """The complete backups in a folder of backups, the oldest first."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and (path / "manifest.json").is_file())


def choose_backup(folder: Path) -> Path:
    """The folder itself when it is a backup, else the newest one in it. Raises InputError."""
    if (folder / "manifest.json").is_file():
        return folder
    found = list_backups(folder)
    if not found:
        raise refuse(str(folder), "holds no complete backup", "Name a folder that `plantroom backup` wrote into.")
    return found[-1]


def make_backup(
    settings: Settings,
    folder: Path,
    teller: Teller,
    wall: Clock,
    *,
    with_secrets: bool,
    full: bool,
    keep: int | None,
    with_readings: bool = True,
) -> Made:
    """Make one in `folder`, then remove the oldest beyond `keep`, but none after one that lacks what InfluxDB holds.
    Files that the newest backup there has already are linked, not copied, unless `full`. Raises InputError,
    BackupError, RetryableError; then there is none."""
    if not settings.var.is_dir():
        raise refuse(str(settings.var), "is not there", "Name the folder of an instance with --var.")
    if folder.resolve().is_relative_to(settings.var.resolve()):
        raise refuse(str(folder), "lies in the folder that is backed up", "Name a folder elsewhere.")
    with _disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with InstanceLock(folder, "Another backup or a restore is at work there: let it end first."):
        with _disk(folder):
            for left in folder.glob(f"{_UNFINISHED}*"):
                shutil.rmtree(left)
        name = wall.now().strftime(_STAMP)
        if (folder / name).exists():
            raise refuse(str(folder / name), "is there already", "Wait a second and try again.")
        unfinished = folder / f"{_UNFINISHED}{name}"
        try:
            with _disk(folder):
                unfinished.mkdir()
                maker = _Maker(
                    settings,
                    unfinished,
                    teller,
                    None if full else _newest(folder),
                    with_secrets=with_secrets,
                    with_readings=with_readings,
                )
                manifest = maker.make(format_instant(wall.now().replace(microsecond=0)))
                os.sync()  # one for all: thousands of small files would each wait for the disk
                unfinished.rename(folder / name)
        except BaseException:  # also Ctrl-C: whatever it was goes on to the caller, what is half does not stay
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        removed = list_backups(folder)[:-keep] if keep and not manifest.influx_missing else []
        for old in removed:
            _remove(old, folder / name)
    return Made(folder / name, manifest, maker.copier.linked_bytes, tuple(removed))


def _remove(old: Path, made: Path) -> None:
    try:
        shutil.rmtree(old)
    except OSError as error:
        msg = f"{old} cannot be removed: {error.strerror or error}. The backup {made} was made; remove the old by hand"
        raise RetryableError(msg) from error


def _newest(folder: Path) -> Path | None:
    found = list_backups(folder)
    return found[-1] if found else None


def _disk(folder: Path) -> AbstractContextManager[None]:
    return disk_errors(folder, "Nothing of this backup was kept", "disk")


class _Maker:
    """One backup in the making."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        teller: Teller,
        earlier: Path | None,
        *,
        with_secrets: bool,
        with_readings: bool,
    ) -> None:
        self._with_readings = with_readings
        self._settings, self._folder, self._teller, self._with_secrets = settings, folder, teller, with_secrets
        known = {entry.path: entry for entry in read_manifest(earlier).files} if earlier is not None else {}
        self.copier = Copier(folder, earlier, known, teller)
        self._url = parse_url(settings.database_address())
        is_sqlite = self._url.get_backend_name() == "sqlite"
        self._database = Path(str(self._url.database)) if is_sqlite else None
        # What has no instant is made anew each time and never linked: the database, and what InfluxDB holds.
        self._known_bytes = sum(entry.size for entry in known.values() if entry.modified_ns)
        self._influx_bytes = sum(entry.size for path, entry in known.items() if path.startswith(f"{INFLUX}/"))

    def make(self, made_at: str) -> Manifest:
        started = perf_counter()
        live = find_live(self._settings, self._database, with_secrets=self._with_secrets)
        var, size = live.var, _size(live, self._database)
        anew = self._influx_bytes if self._takes_influx else 0
        check_space(self._folder, max(0, size - self._known_bytes) + anew, "The backup")
        self._teller.begin("files and readings", size)
        self._copy(live, live.state_files())
        self._hide_roster()
        for store in live.stores if self._with_readings else ():
            copy_store(var / store, f"{VAR}/{store}", self.copier)
        influx, influx_missing = self._influx()
        moves = wait_until_still(self._url, self._teller)
        self._teller.begin("database")
        facts, tables = self._dump()
        self._teller.begin("pictures and journal", sum(_folder_size(var / name) for name in live.journals))
        self._copy(live, live.picture_files())
        journals = tuple(copy_journal(var / name, self._folder, f"{VAR}/{name}", self.copier) for name in live.journals)
        check_still(self._url, moves)
        check_consistent(facts, journals, [shard.engine for shard in self._settings.all_shards])
        own = copy_own(self._settings, self._folder, self.copier, with_secrets=self._with_secrets)
        _, hidden = ("", 0) if self._with_secrets else hidden_roster(self._settings)
        files = tuple(self.copier.entries[path] for path in sorted(self.copier.entries))
        manifest = Manifest(
            FORMAT, __version__, made_at, round(perf_counter() - started, 3), self._with_secrets, hidden, facts, tables,
            journals, own, files, influx, influx_missing,
        )  # fmt: skip
        write_manifest(self._folder, manifest)
        return manifest

    @property
    def _takes_influx(self) -> bool:
        return self._settings.store is StoreKind.INFLUX and self._with_readings

    def _influx(self) -> tuple[InfluxFacts | None, str]:
        """What was taken, or why nothing was: everything else is worth a backup also while InfluxDB is away."""
        if not self._takes_influx:
            return None, ""
        try:
            return copy_influx(self._settings, self._folder, self.copier, self._teller), ""
        except RetryableError as error:
            for path in [path for path in self.copier.entries if path.startswith(f"{INFLUX}/")]:
                self.copier.forget(path)
            shutil.rmtree(self._folder / INFLUX, ignore_errors=True)
            return None, str(error)

    def _copy(self, live: Live, files: Iterator[Path]) -> None:
        for path in files:
            try:
                self.copier.take(live.var / path, f"{VAR}/{path}")
            except FileNotFoundError:
                continue  # a control event went into the journal, a picture that nobody names was swept out

    def _hide_roster(self) -> None:
        """A roster under `var` with labels for what is secret in it; `copy_own` sees to one elsewhere."""
        roster, var = self._settings.roster, self._settings.var.resolve()
        if roster is not None and not self._with_secrets and roster.resolve().is_relative_to(var):
            path = f"{VAR}/{roster.resolve().relative_to(var)}"
            text, hidden = hidden_roster(self._settings)
            if hidden and path in self.copier.entries:
                self.copier.forget(path)
                (self._folder / path).write_text(text, encoding="utf-8")
                self.copier.note(path)

    def _dump(self) -> tuple[DatabaseFacts, tuple[TableFacts, ...]]:
        place = self._folder / DATABASE
        tables: tuple[TableFacts, ...] = ()
        if self._database is not None:
            facts = dump_sqlite(self._database, place)
            self.copier.note(f"{DATABASE}/{SQLITE_NAME}")
        else:
            facts, tables = dump_postgres(self._url, place, self._teller)
            for path in sorted(place.iterdir()):
                self.copier.note(f"{DATABASE}/{path.name}")
        return facts, tables


def check_consistent(
    facts: DatabaseFacts, journals: tuple[JournalFacts, ...], named: Sequence[str] = ("engine",)
) -> None:
    """Raises BackupError when an engine could not go on from these. Each must fit the journal of its own shard; one of
    a shard that is gone, with its journal, and not among the engines `named` is of no account."""
    own = {journal_of(name): name for name in facts.engines}
    present = [one.path for one in journals]
    for path, name in own.items():
        cursor, snapshot = facts.engines[name]
        begin = (snapshot or 0) + 1
        if path not in present and name not in named:
            continue
        if not any(one.path == path and one.first_seq <= begin and cursor <= one.last_seq for one in journals):
            spans = ", ".join(f"{one.path} {one.first_seq:,} to {one.last_seq:,}" for one in journals) or "none"
            msg = (
                f"the database's engine {name!r} needs the journal from commit {begin:,} to {cursor:,}, and there is: "
                f"{spans}. Take the backup again; if that does not help, the journal and the database are not of one "
                "instance"
            )
            raise BackupError(msg)


def journal_of(engine: str) -> str:
    """Where a backup has the journal of an engine of this name: `engine`, or `engine/NAME` of a further shard."""
    _, _, shard = engine.partition("/")
    return f"{VAR}/{SHARDS}/{shard}/journal" if shard else f"{VAR}/journal"


def _folder_size(folder: Path) -> int:
    return sum(segment_bytes(path) for _, path in list_segments(folder))


def _size(live: Live, database: Path | None) -> int:
    """About what there is to copy, in bytes."""
    total = sum(_folder_size(live.var / name) for name in live.journals)
    total += sum(path.stat().st_size for store in live.stores for path in (live.var / store).rglob("*.parquet"))
    total += sum((live.var / path).stat().st_size for path in live.picture_files())
    return total + (database.stat().st_size if database is not None and database.exists() else 0)


def report(made: Made) -> list[str]:
    """What to say about a backup that was made."""
    manifest, facts = made.manifest, made.manifest.database
    lines = [
        f"{made.folder}: {len(manifest.files):,} files, {format_bytes(manifest.total_bytes)}, {manifest.seconds:.1f} s",
        f"of these {format_bytes(made.linked_bytes)} are linked to the backup before",
        f"database: {facts.kind}, schema {facts.schema}, {facts.rows.get('work_order', 0):,} orders",
        *(f"journal: {one.path}, commits {one.first_seq:,} to {one.last_seq:,}" for one in manifest.journals),
    ]
    if manifest.influx is not None:
        lines.append(f"InfluxDB: {sum(manifest.influx.rows.values()):,} rows of readings, old ones and means")
    if manifest.influx_missing:
        lines.append(f"WITHOUT the readings in InfluxDB: {manifest.influx_missing}")
    if not manifest.with_secrets:
        lines.append("without secrets: token, passwords" + (", addresses in the roster" if manifest.hidden else ""))
    return [*lines, *(f"removed: {path}" for path in made.removed)]
