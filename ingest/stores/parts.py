"""Parts of the Parquet store: one file holds what a range of commits said about one event day.

`day=2026-11-21/part-000000000001-000000000500.parquet` has, for that day, the last value of every key up to commit
500 among the commits 1 to 500: all of them. Two consequences carry the store: where parts disagree on a key, the
one that ends later is right; and a part whose range lies inside another's of the same day is superfluous.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from ingest.stores.base import DAY_US

EPOCH_ON = date(1970, 1, 1)
_NAME = re.compile(r"part-(\d{12,})-(\d{12,})\.parquet")
_FOLDER = re.compile(r"day=(\d{4}-\d\d-\d\d)")


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One file. Parts sort by the commit they end with: in that order later ones win."""

    last_seq: int
    first_seq: int
    day: int
    path: Path
    size: int

    def covers(self, other: "Part") -> bool:
        """Whether everything `other` holds is in this one too."""
        return (
            self.day == other.day
            and self != other
            and self.first_seq <= other.first_seq
            and other.last_seq <= self.last_seq
        )


def day_of(at_us: int) -> int:
    """The UTC day of an instant, counted from 1970-01-01."""
    return at_us // DAY_US


def part_path(folder: Path, day: int, first_seq: int, last_seq: int) -> Path:
    """Where the part of a day and a range of commits is kept."""
    on = EPOCH_ON + timedelta(days=day)
    return folder / f"day={on.isoformat()}" / f"part-{first_seq:012d}-{last_seq:012d}.parquet"


def parse_part(path: Path) -> Part | None:
    """The part a file is; None for any other file. Inverse of `part_path`. Raises OSError."""
    name, folder = _NAME.fullmatch(path.name), _FOLDER.fullmatch(path.parent.name)
    if name is None or folder is None:
        return None
    day = (date.fromisoformat(folder[1]) - EPOCH_ON).days
    return Part(int(name[2]), int(name[1]), day, path, path.stat().st_size)


def superfluous(parts: Iterable[Part]) -> list[Part]:
    """Those of one day that another covers: leftovers of a crash between a merge and its clean-up."""
    every = sorted(parts)
    return [part for part in every if any(other.covers(part) for other in every)]


def choose_run(parts: Sequence[Part], fan_in: int, limit: int) -> Sequence[Part]:
    """Which parts of one day to merge into one: neighbours in their order, or nothing.

    The run is the longest of at least `fan_in` neighbours of about one size (steps of eight from 64 KiB) that make
    at most `limit` bytes together; so a day that is still being written is rewritten a few times only, whatever its
    size. Neighbours only, because a merged part must hold all its range says.
    """
    ordered, step = sorted(parts), 64 * 1024
    while step < limit * 8:
        best: list[Part] = []
        run: list[Part] = []
        for part in ordered:
            if part.size >= step:
                run = []
            elif sum(other.size for other in run) + part.size > limit:
                run = [part]
            else:
                run = [*run, part]
            best = run if len(run) > len(best) else best
        if len(best) >= fan_in:
            return best
        step *= 8
    return ()
