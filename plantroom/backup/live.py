"""What of a running instance belongs into a backup, found by looking at its folder.

Whatever a folder is called: one with segments is a journal, one with parts is a store of readings. What is not known
is copied as it is, so that nothing is forgotten.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.segment import list_segments
from plantroom.settings import Settings
from plantroom.shard import SHARDS

LEFT_OUT = frozenset({"run", "lock", "once", "broker", ".restore", ".restored", "lost+found"})
"""Names right under `var`, or a shard's folder in it, that belong to running processes alone, or to the disk."""
_TEMPORARY = (".tmp", ".fresh", ".aside", "-wal", "-shm", "-journal", ".lock")


@dataclass(frozen=True, slots=True)
class Live:
    """Paths relative to `var`. `state` is everything that is neither journal nor readings nor named by the database;
    `left_out` are files with secrets, resolved."""

    var: Path
    journals: tuple[Path, ...]
    stores: tuple[Path, ...]
    pictures: tuple[Path, ...]
    state: tuple[Path, ...]
    left_out: frozenset[Path] = frozenset()

    def state_files(self) -> Iterator[Path]:
        """Files under `state`, relative to `var`."""
        yield from self._files(self.state)

    def picture_files(self) -> Iterator[Path]:
        """Files that the database names by their content."""
        yield from self._files(self.pictures)

    def _files(self, tops: tuple[Path, ...]) -> Iterator[Path]:
        for top in tops:
            start = self.var / top
            for path in sorted(start.rglob("*")) if start.is_dir() else [start]:
                is_passing = path.name.endswith(_TEMPORARY) or path.name.startswith(".")
                if path.is_file() and not is_passing and path.resolve() not in self.left_out:
                    yield path.relative_to(self.var)


def _tops(var: Path) -> Iterator[Path]:
    """What lies in `var` and in the folder of each further shard, named by the settings or not."""
    for path in sorted(var.iterdir()):
        if path.name == SHARDS and path.is_dir():
            yield from (
                inner for shard in sorted(path.iterdir()) if shard.is_dir() for inner in sorted(shard.iterdir())
            )
        else:
            yield path


def find_live(settings: Settings, database: Path | None, *, with_secrets: bool) -> Live:
    """What there is under `var`; `database` is SQLite's file."""
    var, main = settings.var, settings.main
    journals, stores, pictures, state = [], [], [], []
    for path in _tops(var):
        name = path.relative_to(var)
        if path.name in LEFT_OUT or (database is not None and path.resolve() == database.resolve()):
            continue
        if path.is_dir() and (list_segments(path) or path.name == main.journal_folder.name):
            journals.append(name)
        elif path.is_dir() and (path.name == main.parquet_folder.name or any(path.glob("day=*"))):
            stores.append(name)
        elif path in (settings.attachments_folder, settings.manuals_folder):
            pictures.append(name)
        else:
            state.append(name)
    left_out = frozenset() if with_secrets else settings.secret_files()
    return Live(var, tuple(journals), tuple(stores), tuple(pictures), tuple(state), left_out)
