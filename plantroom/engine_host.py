"""Drives the rule engine from the journal by cursor and hands its findings to the desk.

One process leads: one transaction moves findings, orders and the cursor, under the epoch of a lease, so that a process
that was stopped, and replaced meanwhile, writes nothing when it wakes. Every few seconds the engine's snapshot is kept
with the cursor it belongs to; after a kill the engine goes on from there, and what it finds again changes nothing.

Every other process follows: it judges the same commits, as far as the leader has kept their findings and no further,
and writes nothing. So it shows what the leader knows, and goes on where the leader ended, warm, when the lease is free.
"""

import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import structlog
from sqlmodel import Session

from facility.clock import Clock, JournalClock, RealClock
from facility.errors import RetryableError
from facility.finding import Finding
from facility.reading import Commit, ControlEvent, RuleSetActivated, SiteEdited
from ingest.control import submit
from ingest.journal import JournalCutError
from ingest.runs import Place
from plantroom.building_owner import Changes, Owner, WholePlant
from plantroom.database import Database
from plantroom.engine_metrics import HostMetrics
from plantroom.engine_start import begin, common_with, settle, without_readings
from plantroom.engine_view import EngineView
from rules.rule_set import RuleSet
from ticketing import repository
from ticketing.lease import RENEW_S, Lease, LeaseLostError

log = structlog.get_logger(__name__)
BATCH = 500
LEASE = "engine"
_SNAPSHOT_EVERY_US = 5_000_000
_IDLE_SECONDS = 0.05
_FOLLOW_SECONDS = 0.1


class JournalSource(Protocol):
    """The journal, as far as a follower needs it."""

    def read(self, after_seq: int, limit: int = ...) -> list[Commit]:
        """The commits after this sequence number, oldest first; empty at the end."""

    def last_seq(self) -> int:
        """The newest sequence number; 0 for an empty journal."""

    def first_seq(self) -> int:
        """The oldest sequence number that is still kept; 0 for an empty journal."""

    def place(self, seq: int) -> Place:
        """Where commit `seq` is that was read last, or one before it."""

    def common(self, place: Place) -> Place | None:
        """Up to where this journal is the one that `place` was in; None when it is another one."""


class FindingsDesk(Protocol):
    """Who turns findings into orders, inside the caller's transaction."""

    def receive(self, session: Session, findings: Sequence[Finding]) -> object:
        """Idempotent: the same findings again change nothing."""


class EngineHost(EngineView):
    """The engine behind a cursor. `step` is called by one thread; pages read under `lock`.

    `name` is what the database calls this engine, `owner` says which buildings are its own (all). Without a `lease` it
    follows for ever. With `directory_only` it judges nothing either: it knows the plant in force. `leveled` is called,
    by the thread that steps, when this process leads and has judged what was waiting.
    """

    def __init__(
        self,
        journal: JournalSource,
        database: Database,
        desk: FindingsDesk,
        *,
        lease: Lease | None,
        allowance_us: int,
        clock: Clock,
        metrics: HostMetrics,
        directory_only: bool = False,
        name: str = LEASE,
        owner: Owner | None = None,
    ) -> None:
        super().__init__()
        self._lease = lease
        self._journal, self._database, self._desk, self._clock = journal, database, desk, clock
        self._metrics, self._name = metrics, name
        self._owner: Owner = owner if owner is not None else WholePlant()
        self._changes = Changes()
        self._allowance_us, self._directory_only = allowance_us, directory_only
        self._wall = RealClock()
        self._snapshot_due_us = 0
        self._rewinds, self._level_at, self._leveled = 0, 0, True
        self._cut_seen = self._stale = self._led = self._rewound = False
        self._unchecked, self._run = True, ""
        self.kept_cursor = 0
        """Up to here nobody will ever read the journal again for the engine: its snapshot is that old."""
        self.cursor = self._warm_at = 0
        self._restore()
        self.findings_total = 0
        self._handed: list[Path] = []
        self._handed_seq = 0
        self.leveled: Callable[[], None] = lambda: None
        self.away = ""
        self._reported_errors = 0

    @property
    def leads(self) -> bool:
        """Whether this process writes what is found."""
        return self._lease is not None and self._lease.epoch is not None

    def step(self) -> int:
        """Judge the next commits; how many there were. Raises RetryableError when the database is away, LeaseLostError
        when another process leads since the last step."""
        if self._led and not self.leads:
            log.warning("another process judges this journal now, this one stands by", at=self.cursor)
            self._led = False
        if self._stale:
            self._restore()
        taken = self._lead() if self.leads or self._begin() else self._follow()
        self._metrics.leads.set(self.leads)
        self._metrics.lag.set(self._journal.last_seq() - self.cursor)
        self._report_errors()
        return taken

    def _lead(self) -> int:
        try:
            if self._unchecked:
                self._check_kept()
            if self._warm_at:
                return self._warm_up()
            commits = self._read()
            if commits:
                findings = self._judge(commits)
                self._write(findings, commits[-1].seq)
                if findings:
                    self.tell(findings)
            if not self._leveled and (not commits or self.cursor >= self._level_at):
                self._level()
            elif not commits and self._snapshot_is_due(self._wall.now_us()):
                self._write([], self.cursor)
        except RetryableError:
            self._stale = True  # the engine may be ahead of the database: the next step begins at what was kept
            raise
        return len(commits)

    def _warm_up(self) -> int:
        """Judge with nobody listening up to what the last engine had kept; then tell what holds now, in its place."""
        commits = self._read(min(BATCH, self._warm_at - self.cursor)) if self._warm_at > self.cursor else []
        if commits:
            self._judge(commits)
            self.cursor = commits[-1].seq
        if self.cursor >= self._warm_at or not commits:
            with self._database.reading() as session, self.lock:
                found = settle(session, self.engine, self._owner.owns(session))
            self._write(found, self.cursor, snapshot=True, rewound=self._rewound)
            self._warm_at, self._rewound = 0, False
            log.info("the engine is warm", at=self.cursor, active=len(found))
            self.tell(found)
        return len(commits)

    def _check_kept(self) -> None:
        """Whether the journal still holds what is kept. A cut that came while nobody led, or that this process stepped
        over when it restored: it goes on as after a start of another version, warm and settled, and whoever follows
        begins where it does. Raises PermanentError for another journal."""
        with self._database.reading() as session:
            progress = repository.load_progress(session, self._name)
        common = common_with(self._journal, progress)
        if common.seq < progress.cursor_seq:
            log.error("the journal was cut back after it was judged", at=progress.cursor_seq, common=common.seq)
            with self.lock:
                self.engine.rewind(common.seq)
            self.cursor = min(self.cursor, common.seq)
            self._warm_at, self._rewound = max(1, common.seq), True
        self._run = common.run
        self._unchecked = progress.cursor_seq > 0 and self._journal.last_seq() == 0

    def _level(self) -> None:
        try:
            self.leveled()
        except OSError as error:
            msg = f"the site and rule files cannot be handed to the journal: {error}; check space and permissions"
            raise RetryableError(msg) from error
        self._leveled = True

    def _read(self, limit: int = BATCH) -> list[Commit]:
        try:
            commits = self._journal.read(self.cursor, limit)
        except JournalCutError as error:
            self._go_back(error)
            commits = self._journal.read(self.cursor, limit)
        if commits:
            self._run = self._journal.place(commits[-1].seq).run
        return commits

    def _begin(self) -> bool:
        """Take the lease if it is free: lead from here on, from where the last leader's findings are kept."""
        lease = self._lease
        if lease is None:
            return False
        with self._database.reading() as session:
            if not lease.is_free(session):
                return False
        if not lease.hold():
            return False
        log.info("this process judges the journal now", epoch=lease.epoch, at=self.cursor)
        with self._database.reading() as session:
            progress = repository.load_progress(session, self._name)
        if progress.rewinds != self._rewinds:
            self._restore()
        if self._warm_at:  # what the last leader kept beyond our place is judged before anything is settled
            self._warm_at = max(self._warm_at, progress.cursor_seq)
        self._snapshot_due_us, self._leveled, self._cut_seen, self._led = 0, False, False, True
        self._unchecked = True
        self._level_at = self._journal.last_seq()
        return True

    def _follow(self) -> int:
        """Judge what the leader has kept, and no more."""
        with self._database.reading() as session:
            progress = repository.load_progress(session, self._name)
        self.kept_cursor = progress.snapshot_seq
        if progress.run != self._run:
            common_with(self._journal, progress)
            self._run = progress.run
        try:
            if progress.rewinds != self._rewinds:
                self._restore()
            left = progress.cursor_seq - self.cursor
            commits = self._journal.read(self.cursor, min(BATCH, left)) if left > 0 else []
        except JournalCutError as error:
            if not self._cut_seen:
                log.warning("the journal was cut back; this process waits for the one that leads", reason=str(error))
            self._cut_seen = True
            return 0
        self._cut_seen = False
        if commits:
            findings = self._judge(commits)
            self._changes.clear()
            self.cursor = commits[-1].seq
            if findings:
                self.tell(findings)
        return len(commits)

    def _judge(self, commits: Sequence[Commit]) -> list[Finding]:
        """Commit by commit under the lock, so that no page waits for a whole batch."""
        findings: list[Finding] = []
        with self._metrics.batch_seconds.time():
            for commit in commits:
                with self.lock:
                    assigned = self.engine.assigned
                    findings += self.engine.feed(without_readings(commit) if self._directory_only else commit)
                    self._changes.look(self.engine, assigned, commit.seq)
                    if isinstance(self._clock, JournalClock):
                        self._clock.advance(self.event_time_us)
        self._metrics.commits.inc(len(commits))
        self._metrics.findings.inc(len(findings))
        self.findings_total += len(findings)
        return findings

    def run(self, stop: threading.Event) -> None:
        """Step until `stop`; a database that is away is waited for."""
        while not stop.is_set():
            try:
                if self.step() == 0:
                    stop.wait(_IDLE_SECONDS if self.leads else _FOLLOW_SECONDS)
                if self.away:
                    log.info("findings and orders are written and read again")
                    self.away = ""
            except LeaseLostError as error:
                log.debug("what was judged is not kept", reason=str(error))
            except RetryableError as error:
                if not self.away:
                    log.error("nothing can be kept, findings wait in the journal", error=str(error))
                self.away = str(error)
                stop.wait(1.0)
        try:
            if self.leads and self._lease is not None:
                if not self._stale:
                    self._write([], self.cursor, snapshot=True)
                self._lease.let_go()
        except RetryableError as error:
            log.warning("no last snapshot; the journal will be read again at start", error=str(error))

    def note(self, left: Iterable[str], came: Iterable[str]) -> None:
        """By what it has kept, the engine has no more of the first, and judges the others: the next write says so where
        that was not said, or not heard, when it became so. For a thread beside the one that steps."""
        with self.lock:
            self._changes.left |= dict.fromkeys(left, self.cursor)
            self._changes.came |= dict.fromkeys(came, self.cursor)

    def keep_lease(self, stop: threading.Event) -> None:
        """Renew the lease until `stop`, beside the thread that steps: a large batch takes longer than it runs."""
        while not stop.wait(RENEW_S / 2):
            try:
                if self._lease is not None and self.leads:
                    self._lease.renew()
            except RetryableError as error:
                log.debug("the lease could not be renewed", reason=str(error))

    def bring_up_to(self, files: dict[str, str], rule_files: dict[str, str], control_folder: Path) -> None:
        """Make the journal say which site and rules hold, where it does not say so yet.

        For `leveled`: the engine has caught up with what the journal holds, so that nothing is said twice.
        """
        at_us = self._clock.now_us()
        events: list[ControlEvent] = []
        if self.engine.site_files != files:
            events.append(SiteEdited(uuid.uuid4().hex, at_us, files))
        digest = RuleSet.load(rule_files).digest
        if self.engine.rule_set is None or self.engine.rule_set.digest != digest:
            events.append(RuleSetActivated(uuid.uuid4().hex, at_us, digest, rule_files))
        self._handed = [submit(control_folder, event) for event in events]

    def awaits_files(self) -> bool:
        """Whether ingest has yet to journal the files of `bring_up_to`, or the engine to take them up.

        Until then readings are kept, but nobody judges them.
        """
        if self._handed and not any(path.exists() for path in self._handed):
            self._handed, self._handed_seq = [], self._journal.last_seq()
        if bool(self._handed) or self.cursor < self._handed_seq:
            return True
        return not self._leveled if self.leads else self.engine.rule_set is None

    def _write(self, findings: Sequence[Finding], seq: int, *, snapshot: bool = False, rewound: bool = False) -> None:
        now_us = self._wall.now_us()
        with self.lock:
            changes, self._changes = self._changes, Changes()
        due = snapshot or bool(changes) or self._snapshot_is_due(now_us)
        if self._lease is None:
            msg = "this process follows the journal and writes nothing"
            raise LeaseLostError(msg)
        with self._metrics.write_seconds.time(), self._lease.writing() as session:
            if findings:
                self._desk.receive(session, self._owner.admit(session, findings))
            if changes:
                with self.lock:
                    came = self._owner.keep(session, changes, self.engine)
                    if came:  # what it found of them before they were its own was not kept
                        self._desk.receive(session, settle(session, self.engine, came.__contains__))
            repository.save_cursor(session, seq, self._name, run=self._run)
            if due:
                with self.lock:
                    blob = self.engine.snapshot()
                repository.save_snapshot(session, seq, blob, self._name)
            if rewound:
                repository.count_rewind(session, self._name)
        self.cursor = seq
        if due:
            self.kept_cursor = seq
            self._snapshot_due_us = now_us + _SNAPSHOT_EVERY_US
        if rewound:
            self._rewinds += 1

    def _snapshot_is_due(self, now_us: int) -> bool:
        """Also after the clock was set back behind the last one."""
        return not now_us < self._snapshot_due_us <= now_us + _SNAPSHOT_EVERY_US

    def _go_back(self, error: JournalCutError) -> None:
        """The journal was cut back behind us. What was judged stays judged; a snapshot says so before what is new."""
        log.error("the journal was cut back after it was judged", at=self.cursor, reason=str(error))
        with self.lock:
            self.engine.rewind(error.common)
        self._run = self._journal.place(error.common).run
        self._write([], error.common, snapshot=True, rewound=True)

    def _restore(self) -> None:
        with self._database.reading() as session:
            state = repository.load_engine_state(session, self._name)
        # Devices have clocks of their own: only heartbeats move event time, but in the journal's time there are none.
        scans_advance = isinstance(self._clock, JournalClock)
        at = begin(state, self._journal, allowance_us=self._allowance_us, scans_advance=scans_advance)
        with self.lock:
            self.engine, self.cursor, self._warm_at = at.engine, at.seq, at.warm_at
        self._changes.clear()
        self._rewinds, self.kept_cursor, self._stale = state.rewinds, state.snapshot_seq or 0, False
        self._unchecked, self._run = True, state.run

    def _report_errors(self) -> None:
        for error in self.engine.errors[self._reported_errors :]:
            log.error("a rule set or site in the journal was refused, the old one stays", error=str(error))
        self._reported_errors = len(self.engine.errors)
