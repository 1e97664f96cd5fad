"""Puts a backup back: into an empty folder and an empty database, whole or not at all.

Everything is copied and checked beside its place first (`var/.restore`). Then the database is filled in one
transaction, the files are moved to their places, and the transaction ends. What a kill leaves is known by `.restore`:
the program refuses to start on it, and the next restore clears it away.
"""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy.engine import URL

from facility.errors import RetryableError, refuse
from ingest.stores.cursor import CursorFile
from plantroom.backup.check import check_version
from plantroom.backup.copying import Silent, Teller, check_file, check_space, copy_file, format_bytes
from plantroom.backup.disk import disk_errors
from plantroom.backup.influx import INFLUX, put_influx
from plantroom.backup.manifest import DATABASE, VAR, BackupError, FileEntry, Manifest, read_manifest
from plantroom.backup.moving import load_from_sqlite
from plantroom.backup.postgres import analyze_postgres, is_empty, load_postgres
from plantroom.backup.sqlite import NAME
from plantroom.backup.unfinished import DONE, STAGE
from plantroom.database import DatabaseAwayError, parse_url
from plantroom.files import write_atomically
from plantroom.lock import InstanceLock
from plantroom.settings import Settings, StoreKind

_PLACED = "placed.json"
_MAY_BE_THERE = frozenset({"lock", "token", "mqtt_password", "once"})
"""Files that may be in the folder before: secrets are given again by hand."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that was put back. `kept` are files of people that were there already and are others than in the backup;
    they stayed. `written` are those that were missing."""

    manifest: Manifest
    written: tuple[Path, ...]
    kept: tuple[tuple[Path, Path], ...]
    influx_from: int | None
    moved: bool = False
    influx_rows: int = 0
    influx_refused: int = 0


def restore_backup(settings: Settings, folder: Path, teller: Teller) -> Restored:
    """Put the backup `folder` back where the settings say. Raises InputError, BackupError, RetryableError; then folder
    and database are as empty as before."""
    manifest = read_manifest(folder)
    check_version(manifest)
    var, url = settings.var, parse_url(settings.database_address())
    _check_kind(manifest, url)
    is_new = not var.exists()
    with _disk(var):
        var.mkdir(parents=True, exist_ok=True)
    with InstanceLock(var):
        stage = var / STAGE
        try:
            with _disk(var):
                if _is_complete(stage, manifest, url):
                    restored = Restored(manifest, (), (), None)
                else:
                    _clear_away(stage)
                    _check_empty(var, url)
                    check_space(var, manifest.total_bytes, "The restore")
                    restored = _Restorer(settings, folder, manifest, url, teller).restore(stage)
        except BaseException:  # also Ctrl-C: whatever it was goes on to the caller, what is half does not stay
            if not _may_be_complete(stage, manifest, url):
                _clear_away(stage)
                if is_new:
                    shutil.rmtree(var, ignore_errors=True)
            raise
        _finish(stage, var / DONE, url)  # everything is in its place and stays, whatever happens here
    return restored


def _finish(stage: Path, done: Path, url: URL) -> None:
    try:
        stage.rename(done)  # in one step: from here on the program starts
    except OSError as error:
        msg = f"{stage} cannot be renamed: {error.strerror}. Everything was put back; restore again, and it is ended"
        raise RetryableError(msg) from error
    try:
        shutil.rmtree(done)
    except OSError as error:
        msg = f"{done} cannot be removed: {error.strerror}. Everything was put back; remove it by hand, then start"
        raise RetryableError(msg) from error
    if url.get_backend_name() != "sqlite":
        analyze_postgres(url)


def _check_kind(manifest: Manifest, url: URL) -> None:
    kind = url.get_backend_name()
    if (manifest.database.kind, kind) == ("postgresql", "sqlite"):
        msg = (
            f"the backup is of a PostgreSQL database, the settings name {url.render_as_string()}. "
            "Set PLANTROOM_DATABASE_URL to an empty one of PostgreSQL; the way back to SQLite is not there"
        )
        raise BackupError(msg)


def _check_empty(var: Path, url: URL) -> None:
    if (var / DONE).exists():
        raise refuse(str(var), "holds a restore that is complete", "Start it, or name a new folder with --var.")
    there = [path for path in var.rglob("*") if path.is_file() and str(path.relative_to(var)) not in _MAY_BE_THERE]
    if url.get_backend_name() == "sqlite" and (path := Path(str(url.database))).exists():
        there.append(path)
    if there:
        what = f"is not empty: it holds {there[0]}" + (f" and {len(there) - 1:,} more files" if there[1:] else "")
        hint = "Nothing was changed. Name a new folder with --var, or move this one away."
        raise refuse(str(var), what, hint)


def _is_complete(stage: Path, manifest: Manifest, url: URL) -> bool:
    """Whether a restore of this very backup was killed when everything was in its place already, and PostgreSQL had
    committed: only what stands beside is left to be cleared away."""
    placed = _read_placed(stage)
    if placed is None or placed.made_at != manifest.made_at or url.get_backend_name() == "sqlite":
        return False
    return all(Path(target).exists() for target in placed.targets) and not is_empty(url)


def _may_be_complete(stage: Path, manifest: Manifest, url: URL) -> bool:
    """Also where nobody can say whether PostgreSQL had committed: the next restore asks again."""
    try:
        return _is_complete(stage, manifest, url)
    except DatabaseAwayError:
        return True


def _read_placed(stage: Path) -> "_Placed | None":
    try:
        placed = msgspec.json.decode((stage / _PLACED).read_bytes(), type=_Placed | tuple[str, ...])
    except FileNotFoundError:
        return None
    return placed if isinstance(placed, _Placed) else _Placed("", placed)  # versions before wrote the targets alone


def _clear_away(stage: Path) -> None:
    """Remove what an interrupted restore left, and what it had moved to its place already."""
    if not stage.exists():
        return
    placed = _read_placed(stage)
    for target in placed.targets if placed is not None else ():
        Path(target).unlink(missing_ok=True)
    shutil.rmtree(stage)


def _disk(var: Path) -> AbstractContextManager[None]:
    return disk_errors(var, "Nothing was put back", "folder")


class _Placed(msgspec.Struct, frozen=True):
    """Where the files of the backup `made_at` go. Written before the first one does."""

    made_at: str
    targets: tuple[str, ...]


class _Restorer:
    """One restore at work."""

    def __init__(self, settings: Settings, folder: Path, manifest: Manifest, url: URL, teller: Teller) -> None:
        self._settings, self._folder, self._manifest, self._url = settings, folder, manifest, url
        self._teller = teller
        self._is_sqlite = url.get_backend_name() == "sqlite"
        self._moves = manifest.database.kind == "sqlite" and not self._is_sqlite

    def restore(self, stage: Path) -> Restored:
        targets, kept = self._plan()
        stage.mkdir()
        self._teller.begin("files, readings and journal", sum(entry.size for entry in targets))
        for entry in targets:
            self._stage(entry, stage)
        influx = self._put_influx()
        placed = _Placed(self._manifest.made_at, tuple(str(target) for target in targets.values()))
        write_atomically(stage / _PLACED, msgspec.json.encode(placed))
        with self._filled_database(stage):
            self._teller.begin("to their places")
            for entry, target in targets.items():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(stage / entry.path, target)
            influx_from = self._write_influx_again()
        var = self._settings.var.resolve()
        written = tuple(path for path in targets.values() if not path.resolve().is_relative_to(var))
        return Restored(self._manifest, written, tuple(kept), influx_from, self._moves, *influx)

    def _plan(self) -> tuple[dict[FileEntry, Path], list[tuple[Path, Path]]]:
        """Where each file belongs, and those of people that stay as they are with the backup's copy."""
        targets: dict[FileEntry, Path] = {}
        kept = []
        for entry in self._manifest.files:
            top, _, rest = entry.path.partition("/")
            if top == VAR:
                targets[entry] = self._settings.var / rest
            elif top == DATABASE and self._is_sqlite and rest == NAME:
                targets[entry] = Path(str(self._url.database))
        for own, place in self._own_places():
            for entry in self._manifest.files:
                if entry.path == own or entry.path.startswith(f"{own}/"):
                    target = place / entry.path[len(own) + 1 :] if entry.path != own else place
                    if not target.exists():
                        targets[entry] = target
                    elif target.read_bytes() != (self._folder / entry.path).read_bytes():
                        kept.append((target, self._folder / entry.path))
        return targets, kept

    def _own_places(self) -> Iterator[tuple[str, Path]]:
        """Where files of people go: where the settings of now name as many, else where they lay."""
        by_setting: dict[str, list[tuple[str, Path]]] = {}
        for own in self._manifest.own:
            by_setting.setdefault(own.setting, []).append((own.path, Path(own.original)))
        for setting, found in by_setting.items():
            value = getattr(self._settings, setting, None)
            named = list(value) if isinstance(value, tuple) else [] if value is None else [value]
            for index, (path, original) in enumerate(found):
                yield path, named[index] if len(named) == len(found) else original

    def _stage(self, entry: FileEntry, stage: Path) -> None:
        source = self._folder / entry.path
        try:
            size, sha256 = copy_file(source, stage / entry.path, self._teller)
        except FileNotFoundError as error:
            msg = f"{source} is missing. Use another backup; nothing was put back"
            raise BackupError(msg) from error
        if (size, sha256) != (entry.size, entry.sha256):
            msg = f"{source} is not what was written: its checksum differs. Use another backup; nothing was put back"
            raise BackupError(msg)
        (stage / entry.path).chmod(entry.mode)

    @contextmanager
    def _filled_database(self, stage: Path) -> Iterator[None]:
        self._teller.begin("database")
        place = self._folder / DATABASE
        if self._moves:
            with self._moved_database(stage):
                yield
            return
        for entry in () if self._is_sqlite else self._manifest.files:
            if entry.path.startswith(f"{DATABASE}/"):
                self._check(entry)
        filled = (
            nullcontext()
            if self._is_sqlite
            else load_postgres(self._url, place, self._manifest.database, self._manifest.tables, self._teller)
        )
        with filled:
            yield

    @contextmanager
    def _moved_database(self, stage: Path) -> Iterator[None]:
        """SQLite's rows in PostgreSQL; `rows` of them are told as they go."""
        (copy,) = (entry for entry in self._manifest.files if entry.path == f"{DATABASE}/{NAME}")
        self._stage(copy, stage)
        (stage / copy.path).chmod(0o600)
        with load_from_sqlite(self._url, stage / copy.path, self._teller):
            yield

    def _check(self, entry: FileEntry) -> None:
        if check_file(self._folder / entry.path, Silent()) != (entry.size, entry.sha256):
            msg = f"{self._folder / entry.path} is not what was written. Use another backup; nothing was put back"
            raise BackupError(msg)

    def _put_influx(self) -> tuple[int, int]:
        """Before anything is in its place: what is written into InfluxDB twice is there once."""
        if self._settings.store is not StoreKind.INFLUX or self._manifest.influx is None:
            return 0, 0
        files = tuple(entry for entry in self._manifest.files if entry.path.startswith(f"{INFLUX}/"))
        for entry in files:
            self._check(entry)
        return put_influx(self._settings, self._folder, files, self._teller)

    def _write_influx_again(self) -> int | None:
        """Let each shard's follower begin with the oldest commit there is, where the backup has nothing of InfluxDB."""
        if self._settings.store is not StoreKind.INFLUX or not self._manifest.journals or self._manifest.influx:
            return None
        for one in self._manifest.journals:
            shard = self._settings.var / Path(one.path).relative_to(VAR).parent
            CursorFile(shard / self._settings.main.influx_cursor.name).rewind(one.first_seq - 1)
        return min(one.first_seq for one in self._manifest.journals)


def report(restored: Restored, settings: Settings) -> list[str]:
    """What to say about a backup that was put back."""
    manifest = restored.manifest
    lines = [
        f"{settings.var}: {format_bytes(manifest.total_bytes)} of {manifest.made_at}, by plantroom {manifest.version}",
        f"database: {manifest.database.rows.get('work_order', 0):,} orders, schema {manifest.database.schema}"
        + (", moved from SQLite to PostgreSQL" if restored.moved else ""),
        *(f"journal: commits {one.first_seq:,} to {one.last_seq:,}" for one in manifest.journals),
        *(f"written: {path}" for path in restored.written),
        *(f"left as it is: {path}; the backup's is {copy}" for path, copy in restored.kept),
    ]
    if restored.influx_from is not None:
        lines.append(
            f"InfluxDB gets the readings from commit {restored.influx_from:,} on again; older ones: its own backup"
        )
    if restored.influx_rows:
        refused = f"; {restored.influx_refused:,} points were refused: older than their bucket keeps"
        lines.append(
            f"InfluxDB: {restored.influx_rows:,} rows were written again" + refused * bool(restored.influx_refused)
        )
    elif manifest.influx is not None and settings.store is not StoreKind.INFLUX:
        rows = sum(manifest.influx.rows.values())
        lines.append(f"left out: {rows:,} rows of InfluxDB; by the settings readings are kept in {settings.store}")
    if not manifest.with_secrets:
        lines.append("secrets are not in this backup: a new token is made at the start unless you set the old one")
    if manifest.hidden:
        lines.append(
            f"the roster has {manifest.hidden} labels (hidden-...) where addresses and secrets were: fill them in"
        )
    return lines
