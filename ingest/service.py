"""The ingest service: messages in, group commits out, acknowledged only after the commit.

One thread does everything in order: read from the broker, decode, judge, commit, acknowledge. While it commits, the
broker and the socket hold what comes; nothing is queued in between that could be lost.
"""

import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry

from facility.clock import Clock, JournalClock
from facility.errors import InputError
from facility.reading import BuildingsAssigned, Entry, SiteEdited
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.broker_losses import BrokerLosses
from ingest.clock_watch import ClockWatch
from ingest.control import Submitted, reject, waiting
from ingest.hearing import SETTLE_S, Hearing
from ingest.heartbeat import Pulse, steady_us
from ingest.intake import Batch, Intake
from ingest.limits import Limits
from ingest.link import BrokerAddress, ClientKind, Delivery, LinkError
from ingest.metrics import IngestMetrics
from ingest.mqtt_link import make_link
from ingest.payload import MAX_PAYLOAD_BYTES
from ingest.quality import QualityJudge
from ingest.recall import assigned_in, recall
from ingest.routing import HEARTBEAT_TOPIC
from ingest.shard import ShardFeed

log = structlog.get_logger(__name__)

_WINDOW = 20
_IDLE_S = 0.002
_GROUP_BYTES = 4 * 2**20
_DISK_RETRY_S = 1.0
_UNTOLD = (
    "the journal does not say yet which buildings are this shard's, and the broker keeps what comes: its engine says "
    "so as soon as it runs; where the journal was lost, `plantroom db new-journal --shard NAME` comes before"
)


class Journal(Protocol):
    """Where group commits become durable; `ingest.journal.JournalWriter`."""

    @property
    def last_seq(self) -> int:
        """The newest durable commit, 0 without any."""

    def append(self, arrived_us: int, entries: Sequence[Entry]) -> int:
        """Durable when it returns. Raises OSError or sqlite3.Error when nothing was written."""


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Real seconds throughout, but `allowance_us` (event time). Messages above `message_bytes`, and those above
    `device_per_s` a second on one topic for long (0: no limit), become dead letters.

    `redelivery_s`: how long to stay away from the broker before connecting again, so that it redelivers what was not
    acknowledged before anything newer; `ingest.broker.redelivery_s` for the embedded one, 0 for Mosquitto, which
    always does. `hears_all`: a shard hears every topic, and leaves alone what is of others; so it must be where the
    broker keeps the order of messages within a subscription only, as the embedded one does. `settle_s`: how old the
    broker's grant is before a shard counts on it; Mosquitto forgets in a kill what its last snapshot
    (`autosave_interval`) does not hold.
    """

    allowance_us: int
    future_tolerance_us: int = 60 * 10**6
    redelivery_s: float = 0.0
    group_messages: int = 1_000
    group_s: float = 0.05
    heartbeat_s: float = 1.0
    spool_s: float = 0.25
    backoff_s: tuple[float, float] = (0.1, 10.0)
    message_bytes: int = MAX_PAYLOAD_BYTES
    device_per_s: float = 0.0
    client: ClientKind = ClientKind.RAW
    hears_all: bool = False
    settle_s: float = SETTLE_S

    def __post_init__(self) -> None:
        if self.allowance_us < 0 or self.redelivery_s < 0:
            msg = f"allowance_us {self.allowance_us} and redelivery_s {self.redelivery_s} must not be negative"
            raise ValueError(msg)
        if not 1 <= self.group_messages <= 1_000 or not 0 < self.group_s <= 0.05:
            msg = f"a group of {self.group_messages} messages or {self.group_s} s; expected at most 1,000 and 0.05 s"
            raise ValueError(msg)


class IngestService:
    """Writes to the journal alone while it runs. `listening` is set while it is subscribed (for /readyz).

    `journal_folder` is where the journal's segments are: what is in there already is no news when it comes again.
    `shard` is the part of the plant it is for; which buildings those are is said in the journal.
    """

    def __init__(
        self,
        address: BrokerAddress,
        journal: Journal,
        journal_folder: Path,
        spool: Path,
        registry: Registry,
        clock: Clock,
        settings: IngestSettings,
        metrics: CollectorRegistry,
        shard: ShardFeed | None = None,
    ) -> None:
        self._journal, self._spool, self._clock, self._settings = journal, spool, clock, settings
        self._link = make_link(settings.client, address)
        self._pulse = Pulse()
        judge = QualityJudge(
            registry, clock, allowance_us=settings.allowance_us, tolerance_us=settings.future_tolerance_us
        )
        limits = Limits(message_bytes=settings.message_bytes, device_per_s=settings.device_per_s)
        self._registry, self._hearing = (
            registry,
            Hearing(shard, assigned_in(journal_folder), hears_all=settings.hears_all, settle_s=settings.settle_s),
        )
        self._heartbeat_topic = HEARTBEAT_TOPIC if shard is None else shard.heartbeat_topic
        self._intake = Intake(
            registry,
            judge,
            clock,
            self._pulse,
            limits,
            own=self._hearing.reads(registry),
            heartbeat_topic=self._heartbeat_topic,
            keeps_strangers=self._hearing.is_main,
        )
        self._link.want(self._hearing.filters(self._intake.topics()), self._hearing.held_before())
        self._metrics = IngestMetrics(metrics)
        self._clock_watch = ClockWatch(clock)
        self._broker_losses = BrokerLosses()
        self._trouble: str | None = None
        self._spool_trouble = ""
        self._beat_at = self._spool_at = 0.0
        self.listening = threading.Event()
        newest_us = recall(journal_folder, self._intake)
        if isinstance(clock, JournalClock):
            clock.advance(newest_us)

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop`; reconnects for ever. What was not acknowledged on return, the broker sends again."""
        away_s = self._settings.redelivery_s if self._journal.last_seq > 0 else 0.0
        least_s, most_s = self._settings.backoff_s
        backoff_s = least_s
        # Before the first message: a building that is on the way here is read from the first one on.
        self._commit(Batch(), stop)
        while not stop.is_set():
            self._stay_away(away_s, stop)
            if self._hearing.is_untold:
                self._say_trouble(_UNTOLD)
                self._stay_away(self._settings.spool_s, stop)
                continue
            try:
                if not self._link.open(stop):
                    break
            except LinkError as error:
                self._say_trouble(str(error))
                self._stay_away(backoff_s, stop)
                backoff_s = min(backoff_s * 2, most_s)
                # Nothing was delivered on a connection that was never subscribed: no need to stay away again.
                away_s = 0.0
                continue
            self._trouble, backoff_s, away_s = None, least_s, self._settings.redelivery_s
            self._hearing.reconnected()
            self._serve(stop)
        self._link.close()

    def _stay_away(self, seconds: float, stop: threading.Event) -> None:
        """Not connected: control events go into the journal all the same."""
        until = time.monotonic() + seconds
        while not stop.is_set() and (left := until - time.monotonic()) > 0:
            self._commit(Batch(), stop)
            stop.wait(min(left, self._settings.spool_s))

    def _serve(self, stop: threading.Event) -> None:
        log.info("listening", broker=str(self._link.address))
        self.listening.set()
        self._metrics.listening.set(1)
        try:
            while not stop.is_set() and not self._link.is_over:
                self._send_heartbeat()
                self._look()
                deliveries, batch = self._gather()
                if self._commit(batch, stop):
                    self._link.acknowledge(deliveries)
                for topic, payload in self._intake.asked():
                    self._link.publish(topic, payload)
        finally:
            self.listening.clear()
            self._metrics.listening.set(0)
        if self._link.lost is not None:
            self._say_trouble(f"connection to {self._link.address} lost: {self._link.lost}")

    def _send_heartbeat(self) -> None:
        # The journal clock's now is the newest event of any building: to the others that would be a time they did not
        # live through. Where something waits for a heartbeat, it goes without an instant.
        keeps_time = not isinstance(self._clock, JournalClock)
        if not keeps_time and not self._hearing.waits:
            return
        now = time.monotonic()
        if now - self._beat_at >= self._settings.heartbeat_s:
            self._beat_at = now
            if keeps_time and self._clock_watch.look():
                self._metrics.clock_steps.inc()
            self._link.publish(self._heartbeat_topic, self._pulse.make(self._clock.now_us() if keeps_time else 0))

    def _look(self) -> None:
        """Say what is heard now."""
        try:
            self._hearing.look(self._link, steady_us())
        except OSError as error:
            self._say_trouble(f"cannot say what is heard: {error}; check the disk")

    def _gather(self) -> tuple[list[Delivery], Batch]:
        """The messages of one group: those of `group_s`, or `group_messages`, whichever is first.

        A group that may be all a broker sends before it wants an answer (Mosquitto: 20 by default) ends when no more
        comes.
        """
        settings, batch = self._settings, Batch()
        deliveries: list[Delivery] = []
        size = 0
        until = time.monotonic() + settings.group_s
        while (left := until - time.monotonic()) > 0 and not self._link.is_over:
            may_wait_for_us = len(deliveries) >= _WINDOW
            found = self._link.read(
                settings.group_messages - len(deliveries), min(left, _IDLE_S) if may_wait_for_us else left
            )
            if not found and may_wait_for_us:
                break
            now_us = self._clock.now_us()
            for delivery in found:
                self._intake.take(delivery, batch, now_us)
                size += len(delivery.payload)
            deliveries += found
            if len(deliveries) >= settings.group_messages or size >= _GROUP_BYTES:
                break
        return deliveries, batch

    def _commit(self, batch: Batch, stop: threading.Event) -> bool:
        """Make the batch and the waiting control events durable. False when `stop` came while the disk refused."""
        self._hearing.came_back(batch.returned_us)
        submitted = self._control_events()
        entries: list[Entry] = [*batch.entries, *(item.event for item in submitted)]
        if entries:
            began = time.monotonic()
            if not self._append(entries, stop):
                return False
            self._metrics.commit_seconds.observe(time.monotonic() - began)
            self._metrics.commits.inc()
        if isinstance(self._clock, JournalClock):
            self._clock.advance(batch.newest_us)
        for item in submitted:
            item.path.unlink(missing_ok=True)
        if any(isinstance(item.event, SiteEdited | BuildingsAssigned) for item in submitted):
            self._link.want(self._hearing.filters(self._intake.topics()))
        self._count(batch)
        return True

    def _append(self, entries: list[Entry], stop: threading.Event) -> bool:
        """Append, and try again until it works: nothing is acknowledged meanwhile, so nothing is lost."""
        backoff_s, failed = self._settings.backoff_s[0], False
        while True:
            try:
                seq = self._journal.append(self._clock.now_us(), entries)
            except (OSError, sqlite3.Error) as error:
                if not failed:
                    log.error("journal cannot be written; nothing is acknowledged until it can", reason=str(error))
                failed = True
                self._metrics.refused_commits.inc()
                if stop.wait(backoff_s):
                    return False
                backoff_s = min(backoff_s * 2, _DISK_RETRY_S)
                self._link.keep_alive()
            else:
                if failed:
                    log.info("journal can be written again", seq=seq)
                return True

    def _control_events(self) -> list[Submitted]:
        now = time.monotonic()
        if now - self._spool_at < self._settings.spool_s:
            return []
        self._spool_at = now
        accepted, is_held = [], False
        for item in self._spooled():
            if isinstance(item.event, SiteEdited) and not self._edit(item, item.event):
                continue
            if isinstance(item.event, BuildingsAssigned) and self._hearing.is_known(item.event):
                item.path.unlink(missing_ok=True)
                continue
            if isinstance(item.event, BuildingsAssigned):
                is_held = is_held or not self._assign(item.event)  # in their order: each says the whole
                if is_held:
                    continue
            accepted.append(item)
        return accepted

    def _spooled(self) -> list[Submitted]:
        try:
            found = waiting(self._spool)
        except OSError as error:
            if not self._spool_trouble:
                log.error("no control event is taken until the spool can be read", reason=str(error))
            self._spool_trouble = str(error)
            return []
        if self._spool_trouble:
            log.info("control events are taken again")
        self._spool_trouble = ""
        return found

    def _edit(self, item: Submitted, event: SiteEdited) -> bool:
        """Read the messages by these site files; False when they cannot be used."""
        try:
            registry = Registry.merge(parse_site(text, name) for name, text in event.files.items())
            self._intake.use(registry, self._hearing.reads(registry))
        except InputError as error:
            reject(item.path, str(error))
            return False
        self._registry = registry
        log.info("site files in force", files=sorted(event.files))
        return True

    def _assign(self, event: BuildingsAssigned) -> bool:
        """Read what is of these buildings; False when that has to wait."""
        if not self._hearing.may_assign(event, self._registry):
            return False
        try:
            self._hearing.assign(event)
        except OSError as error:
            self._say_trouble(f"cannot say what is heard: {error}; check the disk")
            return False
        self._intake.use(self._registry, self._hearing.reads(self._registry))
        log.info("buildings in force", buildings=len(event.buildings), expected=event.expected)
        return True

    def _count(self, batch: Batch) -> None:
        metrics = self._metrics
        metrics.received.inc(batch.received)
        metrics.readings.inc(batch.readings)
        metrics.duplicates.inc(batch.duplicates)
        metrics.ignored.inc(batch.ignored)
        for reason, count in batch.rejected.items():
            metrics.rejected.labels(reason).inc(count)
        if batch.broker_dropped:
            metrics.broker_dropped.inc(self._broker_losses.look(batch.broker_dropped))
        metrics.letters_dropped.inc(batch.letters_dropped)
        for beat in batch.own_beats:
            if (seconds := self._pulse.travelled_s(beat)) is not None:
                metrics.publish_to_commit_seconds.observe(seconds)

    def _say_trouble(self, reason: str) -> None:
        if reason != self._trouble:
            self._trouble = reason
            log.warning("not listening", reason=reason)
