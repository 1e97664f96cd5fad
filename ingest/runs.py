"""Which run of the writer wrote which commits: what makes a sequence number recognisable after a cut.

Every opening of the journal for writing begins a run with a name of its own. A journal that was cut back (damaged
tail) or put back from a copy fills the same numbers again, under another run; a reader that remembers the runs it has
read notices.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from facility.errors import refuse
from ingest.stores.cursor import write_whole

KEPT_RUNS = 1_000


class Run(NamedTuple):
    """One opening of the writer: its first commit is `first_seq`, if it wrote any."""

    first_seq: int
    name: str


Runs = tuple[Run, ...]
_decode = msgspec.json.Decoder(tuple[tuple[int, str], ...]).decode


def run_of(runs: Sequence[Run], seq: int) -> Run | None:
    """The run that wrote commit `seq`; None when none is known (before the first commit, or forgotten)."""
    return next((run for run in reversed(runs) if run.first_seq <= seq), None) if seq > 0 else None


def common_seq(seen: Sequence[Run], now: Sequence[Run], seq: int) -> int | None:
    """Up to which commit, at most `seq`, a journal with the runs `now` is the one that was read under `seen`.

    None when it is another journal. What was read under no known run is taken for the same.
    """
    read = run_of(seen, seq)
    if read is None:
        return seq
    try:
        place = now.index(read)
    except ValueError:
        # Forgotten because it is so long ago, or never there.
        return seq if now and read.first_seq < now[0].first_seq and len(now) >= KEPT_RUNS else None
    later = now[place + 1 :]
    return min([seq, *(run.first_seq - 1 for run in later)])


class Place(NamedTuple):
    """A commit and the run of the writer that wrote it; an empty name when that is not known."""

    seq: int
    run: str = ""


def place_of(runs: Sequence[Run], seq: int) -> Place:
    """The commit `seq` of a journal with these runs."""
    run = run_of(runs, seq)
    return Place(seq, run.name if run is not None else "")


def common_place(place: Place, now: Sequence[Run]) -> Place | None:
    """Up to which commit, at most that of `place`, a journal with the runs `now` is the one that `place` lies in. None
    when it is another journal. A place whose run is not known is taken to be of this one."""
    if place.seq == 0:
        return Place(0)
    run = next((one for one in now if one.name == place.run), None)
    if run is not None:
        return place_of(now, common_seq((run,), now, place.seq) or 0)
    is_forgotten = len(now) >= KEPT_RUNS and place.seq < now[0].first_seq
    return place if not place.run or is_forgotten else None


class SeenRuns:
    """The runs that were read, kept in a small file when `path` is given: a cut is noticed after a restart too.

    The file says what its owner has read. While `may_write` says no, another process owns it: then it is only the
    beginning of what is remembered here.
    """

    def __init__(self, path: Path | None, may_write: Callable[[], bool] = lambda: True) -> None:
        """Raises InputError for a file that is none of ours."""
        self._path, self._may_write = path, may_write
        self.runs: Runs = ()
        if path is not None and path.exists():
            try:
                self.runs = tuple(Run(*item) for item in _decode(path.read_bytes()))
            except msgspec.DecodeError as error:
                hint = "Remove it: what was read so far is then taken to be of this journal."
                raise refuse(str(path), f"holds no runs of a journal: {error}", hint) from error
        self._written = self.runs

    def keep(self, runs: Runs) -> None:
        """Durable on return, where the file is ours. Raises OSError."""
        if self._path is not None and runs != self._written and self._may_write():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, msgspec.json.encode(runs))
            self._written = runs
        self.runs = runs
