"""The ingest process: from the broker into the journal.

A journal has one writer. A second process stands by until its lock is free: everything imported, the site files read.
Only with the journal in its hands does it recall what the one before wrote, and take the session at the broker.
"""

import threading
from functools import partial

import prometheus_client
import structlog

from facility.clock import Clock
from facility.instant import SECOND_US
from ingest.broker import redelivery_s
from ingest.hearing import SETTLE_S
from ingest.journal import JournalWriter
from ingest.retention import KeepLimits, Retention, RetentionMetrics
from ingest.service import IngestService, IngestSettings
from ingest.shard import MAIN_SHARD
from plantroom.allowance import allowance_us
from plantroom.broker_address import broker_address
from plantroom.clocks import clock_for
from plantroom.journal_turn import WarmSite, await_journal
from plantroom.settings import ClockKind, Mode, Settings
from plantroom.shard import Shard, find_shard

log = structlog.get_logger(__name__)
_ASK_SECONDS = 1.0


def run(settings: Settings, stop: threading.Event, shard_name: str = MAIN_SHARD) -> None:
    """Run until `stop`. Raises PermanentError for site files or a journal that cannot be used."""
    shard = find_shard(settings.all_shards, shard_name, "--shard")
    clock = clock_for(settings)
    site = WarmSite(settings)
    metrics = prometheus_client.CollectorRegistry()
    if settings.metrics_port:
        threading.Thread(target=_show, args=(settings, metrics, stop), name="metrics", daemon=True).start()
    # A segment holds about an hour of real time; the journal clock has no such thing, so there only size counts.
    segment_us = 3_600_000_000 if settings.clock is not ClockKind.JOURNAL else 100 * 365 * 86_400_000_000
    open_journal = partial(JournalWriter, shard.journal_folder, segment_us=round(segment_us * max(1.0, clock.factor)))
    journal = await_journal(open_journal, site, stop)
    if journal is None:
        return
    with journal:
        service = IngestService(
            broker_address(settings, shard.name),
            journal,
            shard.journal_folder,
            shard.control_folder,
            site.registry,
            clock,
            IngestSettings(
                allowance_us=allowance_us(clock),
                redelivery_s=redelivery_s(settings.broker_folder) if settings.mode is Mode.EMBEDDED else 0.0,
                client=settings.mqtt_client,
                message_bytes=settings.message_max_kib * 1024,
                # The past comes as fast as it can be read, and simulated devices as often as their time is faster.
                device_per_s=0.0
                if settings.clock is ClockKind.JOURNAL
                else settings.device_messages_per_second * max(1.0, clock.factor),
                hears_all=settings.mode is Mode.EMBEDDED,
                settle_s=0.0 if settings.mode is Mode.EMBEDDED else SETTLE_S,
            ),
            metrics,
            shard.feed,
        )
        threading.Thread(
            target=_retention(settings, shard, journal, clock, metrics).run, args=(stop,), daemon=True
        ).start()
        ready = threading.Thread(target=_say_ready, args=(service, shard, stop), name="ready", daemon=True)
        ready.start()
        service.run(stop)


def _show(settings: Settings, metrics: prometheus_client.CollectorRegistry, stop: threading.Event) -> None:
    """Serve the metrics as soon as the port is free: of two processes one has it, and not always the one that writes.
    Readings are taken without it."""
    wait_s = 0.0
    while not stop.wait(wait_s):
        try:
            prometheus_client.start_http_server(settings.metrics_port, settings.http_host, metrics)
        except OSError as error:
            if not wait_s:
                where = f"{settings.http_host}:{settings.metrics_port}"
                log.warning("metrics wait for their port", address=where, reason=str(error))
            wait_s = _ASK_SECONDS
        else:
            return


def _retention(
    settings: Settings, shard: Shard, journal: JournalWriter, clock: Clock, metrics: prometheus_client.CollectorRegistry
) -> Retention:
    limits = KeepLimits(round(settings.journal_keep_hours * 3600 * SECOND_US), round(settings.journal_max_gb * 1e9))
    return Retention(shard.journal_folder, shard.cursors_file, journal, clock, limits, RetentionMetrics(metrics))


def _say_ready(service: IngestService, shard: Shard, stop: threading.Event) -> None:
    """Leave a mark for the supervisor when ingest is subscribed for the first time."""
    while not service.listening.wait(0.2):
        if stop.is_set():
            return
    shard.listening_file.parent.mkdir(parents=True, exist_ok=True)
    shard.listening_file.touch()
