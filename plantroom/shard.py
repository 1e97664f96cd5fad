"""One ingest process with its journal and the engine that judges it, and where everything of it lies.

The first is `main`: it lives in `var` itself. Each further one that the setting `shards` names lives in
`var/shards/NAME`, and in the database under `engine/NAME`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from facility.errors import refuse
from ingest.shard import MAIN_SHARD, ShardFeed

SHARDS = "shards"
"""The folder of the further ones, under `var`."""
_ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Shard:
    """`folder` is where its files lie."""

    name: str
    folder: Path

    @property
    def is_main(self) -> bool:
        """Whether it is the first one."""
        return self.name == MAIN_SHARD

    @property
    def engine(self) -> str:
        """What its engine is called in the database: the row of its cursor, and its lease."""
        return self.called(_ENGINE)

    def called(self, name: str) -> str:
        """The name of one of its parts: `readings`, and of another shard `readings/north`."""
        return name if self.is_main else f"{name}/{self.name}"

    @property
    def journal_folder(self) -> Path:
        return self.folder / "journal"

    @property
    def control_folder(self) -> Path:
        """Where control events wait for its ingest."""
        return self.folder / "control"

    @property
    def cursors_file(self) -> Path:
        """Up to where its followers are done with the journal."""
        return self.folder / "cursors" / "done.json"

    def runs_file(self, follower: str) -> Path:
        """Which stretches of the journal a follower has seen."""
        return self.folder / "cursors" / f"{follower}.runs"

    @property
    def parquet_folder(self) -> Path:
        return self.folder / "readings"

    @property
    def influx_cursor(self) -> Path:
        return self.folder / "influx.cursor"

    @property
    def inbox_file(self) -> Path:
        """The devices nobody described."""
        return self.folder / "inbox.json"

    @property
    def codes_file(self) -> Path:
        """The codes that no map explains."""
        return self.folder / "unknown_codes.json"

    @property
    def letters_cursor(self) -> Path:
        return self.folder / "dead_letters.cursor"

    @property
    def run_folder(self) -> Path:
        """What belongs to running processes alone."""
        return self.folder / "run"

    @property
    def listening_file(self) -> Path:
        """Is there when its ingest is subscribed."""
        return self.run_folder / "ingest.listening"

    @property
    def keeper_lock(self) -> Path:
        return self.run_folder / "keeper.lock"

    @property
    def feed(self) -> ShardFeed:
        """What its ingest is told of it."""
        return ShardFeed(self.name, self.run_folder)


def parse_shards(text: str) -> tuple[str, ...]:
    """`north south`: the names of further shards, separated by spaces. Raises ValueError with what is wrong."""
    names = tuple(text.split())
    for name in names:
        ShardFeed(name, Path())
    if numbers := [name for name in names if re.fullmatch(r"(.*-)?\d+", name)]:
        msg = f"the name of the shard {numbers[0]!r} ends as those of processes that stand by do; use a word"
        raise ValueError(msg)
    if MAIN_SHARD in names:
        msg = f"{MAIN_SHARD!r} is the first shard and always there; name the others only"
        raise ValueError(msg)
    if twice := [name for name in names if names.count(name) > 1]:
        msg = f"the shard {twice[0]!r} is named twice"
        raise ValueError(msg)
    return names


def shards_in(var: Path, names: Iterable[str]) -> tuple[Shard, ...]:
    """The first shard, then these."""
    return (Shard(MAIN_SHARD, var), *(Shard(name, var / SHARDS / name) for name in names))


def find_shard(shards: Iterable[Shard], name: str, where: str) -> Shard:
    """The shard of this name. Raises InputError, said of `where`, when there is none."""
    known = {shard.name: shard for shard in shards}
    if name not in known:
        hint = f"Shards are: {', '.join(known)}; the setting `shards` (PLANTROOM_SHARDS) names further ones."
        raise refuse(where, f"there is no shard {name!r}", hint)
    return known[name]


def shard_folders(var: Path) -> list[Path]:
    """The folder of each shard that ever wrote something under `var`, the first one's first."""
    return [var, *sorted(path for path in (var / SHARDS).glob("*") if path.is_dir())]
