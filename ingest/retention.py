"""How long the journal is kept: whole old segments go once every follower is done with them, never one that is needed.

The followers' process publishes up to which commit each of them is done for good; the ingest process, which owns the
journal, reads that and drops. Over its cap the journal is dropped even while it is young, and when a follower still
needs it, that is said loudly: then only the follower can help.
"""

import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from facility.clock import Clock
from ingest.segment import list_segments, open_segment, read_rows, segment_bytes
from ingest.stores.cursor import write_whole

log = structlog.get_logger(__name__)
EVERY_S = 30.0
_decode = msgspec.json.Decoder(dict[str, int]).decode


def publish_cursors(path: Path, cursors: Mapping[str, int]) -> None:
    """Say up to which commit each follower will never read the journal again. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, msgspec.json.encode(dict(cursors)))


def published_cursors(path: Path) -> dict[str, int]:
    """What was published; empty when nothing was, or nothing readable: then nothing may be dropped."""
    try:
        return _decode(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        log.warning("cursors cannot be read, so the journal keeps everything", file=str(path), reason=str(error))
        return {}


class Droppable(Protocol):
    """The journal's writer, as far as dropping goes."""

    def drop_before(self, seq: int) -> int:
        """Unlink the segments that hold only commits before `seq`; returns how many."""


@dataclass(frozen=True, slots=True)
class KeepLimits:
    """`keep_us` of event time (the clock's), and `max_bytes` on disk."""

    keep_us: int
    max_bytes: int


class RetentionMetrics:
    """What the keeping of the journal shows on /metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.bytes = Gauge("plantroom_journal_bytes", "Size of the journal on disk.", registry=registry)
        self.segments = Gauge("plantroom_journal_segments", "Segments of the journal.", registry=registry)
        self.dropped = Counter("plantroom_journal_dropped_segments", "Segments dropped.", registry=registry)
        self.over_cap = Gauge(
            "plantroom_journal_over_cap", "1 while the journal is above its cap and still needed.", registry=registry
        )


class Retention:
    """Drops what may go. `look` once, or `run` in a thread of its own beside the writer's."""

    def __init__(
        self,
        folder: Path,
        cursors: Path,
        writer: Droppable,
        clock: Clock,
        limits: KeepLimits,
        metrics: RetentionMetrics,
    ) -> None:
        self._folder, self._cursors, self._writer = folder, cursors, writer
        self._clock, self._limits, self._metrics = clock, limits, metrics
        self._ended_us: dict[Path, int] = {}
        self._alarmed = False

    def look(self) -> int:
        """Drop the segments that may go; returns how many. Raises OSError or sqlite3.Error."""
        segments = list_segments(self._folder)
        sizes = {path: segment_bytes(path) for _, path in segments}
        total, cursors = sum(sizes.values()), published_cursors(self._cursors)
        done = min(cursors.values(), default=0)
        oldest_us = self._clock.now_us() - self._limits.keep_us
        before, over = 0, total - self._limits.max_bytes
        for (_, path), (next_first, next_path) in pairwise(segments):
            if next_first - 1 > done or (over <= 0 and self._began_us(next_path) > oldest_us):
                break
            before = next_first
            over -= sizes[path]
        dropped = self._writer.drop_before(before) if before else 0
        self._say(dropped, over, total, cursors)
        self._metrics.bytes.set(sum(size for path, size in sizes.items() if path.exists()))
        self._metrics.segments.set(len(segments) - dropped)
        self._metrics.dropped.inc(dropped)
        return dropped

    def run(self, stop: threading.Event) -> None:
        """Look every 30 s until told to stop."""
        while not stop.wait(EVERY_S):
            try:
                self.look()
            except (OSError, sqlite3.Error) as error:
                log.warning("the journal's old segments cannot be dropped", reason=str(error))

    def _say(self, dropped: int, over: int, total: int, cursors: Mapping[str, int]) -> None:
        if dropped:
            log.info("journal segments dropped", count=dropped, done=min(cursors.values()))
        is_over = over > 0
        self._metrics.over_cap.set(is_over)
        if is_over and not self._alarmed:
            slowest = min(cursors, key=lambda name: cursors[name], default="no follower has said how far it is")
            log.error(
                "the journal is above its cap, and what could go is still needed",
                bytes=total, cap=self._limits.max_bytes, waits_for=slowest, at=cursors.get(slowest, 0),
                advice="bring that follower back, or raise journal_max_gb",
            )  # fmt: skip
        elif self._alarmed and not is_over:
            log.info("the journal is below its cap again", bytes=total)
        self._alarmed = is_over

    def _began_us(self, path: Path) -> int:
        """When the first commit of a segment arrived: the one before ended then. Now, while it is empty."""
        if path not in self._ended_us:
            with closing(open_segment(path, writable=False)) as db:
                rows, _left = read_rows(db, 0, 1, 0)
            if not rows:
                return self._clock.now_us()
            self._ended_us = {known: at for known, at in self._ended_us.items() if known.exists()}
            self._ended_us[path] = rows[0][1]
        return self._ended_us[path]
