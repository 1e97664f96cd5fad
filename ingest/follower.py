"""Follows the journal by cursor and hands commits on: to a store, the latest values, the dead letters."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from facility.errors import PermanentError, PlantroomError, refuse
from facility.reading import Commit
from ingest.journal import JournalCutError

log = structlog.get_logger(__name__)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class JournalSource(Protocol):
    """What a follower needs of the journal."""

    def read(self, after_seq: int, limit: int = 500) -> list[Commit]:
        """The next commits after `after_seq`, oldest first, without gaps; empty when there are none yet.

        Raises PermanentError when they are not held any more.
        """

    def first_seq(self) -> int:
        """The oldest commit still held."""

    def last_seq(self) -> int:
        """The newest commit's number; 0 for an empty journal."""


class Sink(Protocol):
    """Takes commits, each range perhaps more than once."""

    @property
    def cursor(self) -> int:
        """Up to which commit everything is dealt with for good."""

    def take(self, commits: Sequence[Commit]) -> None:
        """Consecutive commits. Raises RetryableError (the same come again) or PermanentError (they are skipped)."""

    def rewind(self, seq: int) -> None:
        """The journal was cut back to `seq`: what was taken after that stays taken, but its numbers come again with
        other commits. Durable on return. Raises RetryableError."""


class FollowerMetrics:
    """What all followers of a process show on /metrics, by follower."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.lag = Gauge("plantroom_follower_lag_commits", "Commits not yet taken", ["follower"], registry=registry)
        self.durable = Gauge("plantroom_follower_cursor", "Commit dealt with for good", ["follower"], registry=registry)
        self.retries = Counter("plantroom_follower_retries", "Attempts that failed", ["follower"], registry=registry)
        self.skipped = Counter("plantroom_follower_skipped_commits", "Given up on", ["follower"], registry=registry)
        self.taken = Counter("plantroom_follower_commits", "Commits taken", ["follower"], registry=registry)
        self.seconds = Histogram(
            "plantroom_follower_take_seconds",
            "Time to take a batch of commits",
            ["follower"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.cuts = Counter("plantroom_follower_cuts", "Journal found cut back", ["follower"], registry=registry)


@dataclass(frozen=True, slots=True)
class FollowerState:
    """How a follower stands: commits up to `position` are taken, up to `durable` dealt with for good, `lag` waits.

    `trouble` is why it waits, empty when all is well.
    """

    name: str
    position: int
    durable: int
    lag: int
    trouble: str


class Follower:
    """One cursor on the journal. `step` once, or `run` in a thread of its own; `reader` belongs to that thread.

    `idle_s` is the wait at the end of the journal, `backoff_s` (from, to) the wait after a retryable error, doubling;
    both real seconds.
    """

    def __init__(
        self,
        name: str,
        reader: JournalSource,
        sink: Sink,
        *,
        limit: int = 500,
        idle_s: float = 0.2,
        backoff_s: tuple[float, float] = (0.5, 30.0),
        metrics: FollowerMetrics | None = None,
    ) -> None:
        """Raises InputError when the sink has seen more than the journal holds: it followed another one."""
        self._name, self._reader, self._sink, self._limit = name, reader, sink, limit
        self._idle_s, self._backoff_s = idle_s, backoff_s
        self._metrics = metrics or FollowerMetrics(CollectorRegistry())
        self._position = sink.cursor
        self._trouble = ""
        self._newest = reader.last_seq()
        if self._position > self._newest and not self._is_cut():
            what = (
                f"has seen commit {self._position:,}, but the journal ends at {self._newest:,}: it is another journal"
            )
            hint = "Put the old journal back, or move the follower's own folder aside: its files stay readable there."
            raise refuse(f"follower {name}", what, hint)

    @property
    def state(self) -> FollowerState:
        """How it stands now; safe to ask from any thread."""
        lag = max(self._newest - self._position, 0)
        return FollowerState(self._name, self._position, self._sink.cursor, lag, self._trouble)

    def _is_cut(self) -> bool:
        """Whether the journal is ours but was cut back; `step` then deals with it."""
        try:
            self._reader.read(self._position, 1)
        except JournalCutError:
            return True
        except PermanentError:
            return False
        return False

    def step(self) -> int:
        """Hand on the next commits; returns how many. Raises RetryableError, after which nothing is lost."""
        try:
            commits = self._read()
        except JournalCutError as error:
            log.error("the journal was cut back", follower=self._name, at=self._position, reason=str(error))
            self._sink.rewind(error.common)
            self._position = error.common
            self._metrics.cuts.labels(self._name).inc()
            commits = self._read()
        if commits:
            try:
                with self._metrics.seconds.labels(self._name).time():
                    self._sink.take(commits)
            except PermanentError as error:
                self._skip(commits[0].seq, commits[-1].seq, str(error))
            self._metrics.taken.labels(self._name).inc(len(commits))
            self._position = commits[-1].seq
        self._newest = max(self._reader.last_seq(), self._position)
        self._metrics.lag.labels(self._name).set(self.state.lag)
        self._metrics.durable.labels(self._name).set(self._sink.cursor)
        return len(commits)

    def catch_up(self) -> int:
        """Step until the journal has nothing more; returns how many commits. Raises RetryableError."""
        total = 0
        while taken := self.step():
            total += taken
        return total

    def run(self, stop: threading.Event) -> None:
        """Step until told to stop. An error makes it wait, and the lag grows; the loop goes on.

        Also after a permanent one (a segment that cannot be read): an operator may put it right while we run.
        """
        wait_s, backoff_s = 0.0, self._backoff_s[0]
        while not stop.wait(wait_s):
            try:
                taken = self.step()
            except PlantroomError as error:
                self._begin_trouble(str(error))
                wait_s, backoff_s = backoff_s, min(backoff_s * 2, self._backoff_s[1])
            else:
                self._end_trouble()
                wait_s, backoff_s = 0.0 if taken else self._idle_s, self._backoff_s[0]

    def _read(self) -> list[Commit]:
        try:
            return self._reader.read(self._position, self._limit)
        except JournalCutError:
            raise
        except PermanentError as error:
            first_seq = self._reader.first_seq()
            if first_seq <= self._position + 1:
                raise
            self._skip(self._position + 1, first_seq - 1, f"{error}; keep segments longer than the longest outage")
            self._position = first_seq - 1
            return self._reader.read(self._position, self._limit)

    def _skip(self, first_seq: int, last_seq: int, reason: str) -> None:
        log.error("commits skipped", follower=self._name, first=first_seq, last=last_seq, reason=reason)
        self._metrics.skipped.labels(self._name).inc(last_seq - first_seq + 1)

    def _begin_trouble(self, reason: str) -> None:
        self._metrics.retries.labels(self._name).inc()
        self._newest = max(self._reader.last_seq(), self._position)
        self._metrics.lag.labels(self._name).set(self.state.lag)
        if not self._trouble:
            log.warning("follower waits", follower=self._name, at=self._position, reason=reason)
        self._trouble = reason

    def _end_trouble(self) -> None:
        if self._trouble:
            log.info("follower goes on", follower=self._name, at=self._position)
        self._trouble = ""
