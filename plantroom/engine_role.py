"""A process of the plant: the rule engine, the pages, the jobs, or several of them, with what they follow."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import structlog

from facility.clock import RealClock
from facility.errors import RetryableError
from ingest.self_report import SelfReporter
from ingest.shard import MAIN_SHARD
from plantroom.broker_address import broker_address
from plantroom.certificate_watch import CertificateWatch
from plantroom.followed import Loop
from plantroom.heap import settle_heap
from plantroom.jobs import Jobs
from plantroom.meters import CounterPoints
from plantroom.office import link_secret, open_office
from plantroom.other_shards import OtherShards
from plantroom.part import PLANT, Role
from plantroom.plant_process import PlantProcess, ShardInProcess, open_process
from plantroom.readiness import why_not_ready
from plantroom.secret_files import admin_token
from plantroom.self_watch import SelfWatch, Watched
from plantroom.settings import Settings
from plantroom.several import Newest, several_latest
from plantroom.shard import Shard, find_shard
from plantroom.status_server import serve_status
from ticketing.attachment_store import AttachmentStore
from ticketing.egress import Egress

log = structlog.get_logger(__name__)
_STOP_SECONDS = 5.0


def run(settings: Settings, stop: threading.Event, parts: frozenset[Role] = PLANT, shard: str = MAIN_SHARD) -> None:
    """Run until `stop`; `shard` is the one that is judged. Raises PermanentError for files or stores that cannot be
    used."""
    process = open_process(settings, parts, find_shard(settings.all_shards, shard, "--shard"))
    failures: list[str] = []
    threads: list[threading.Thread] = []
    closing: list[Callable[[], object]] = []

    def ready() -> list[str]:
        return [one.said for one in why_not_ready(process.judging, process.database, threads)]

    loops = _loops(process, closing)
    serve: Loop = _wait
    if Role.WEB in parts:
        from plantroom.web_role import open_pages  # noqa: PLC0415 - costs a second, and only pages need it

        pages = open_pages(process, ready)
        loops |= pages.loops
        closing.append(pages.close)
        serve = pages.serve
    threads += [_thread(name, loop, stop, failures) for name, loop in loops.items()]
    settle_heap()
    for thread in threads:
        thread.start()
    try:
        with _status(process, ready):
            serve(stop)
    finally:
        stop.set()
        for thread in threads:
            thread.join(_STOP_SECONDS)
        # While a thread still writes files, nobody else may: then the system frees the keeper's lock with the process.
        ended = not any(thread.is_alive() for thread in threads)
        kept = [end for one in process.shards for end in (one.followed.store.close, one.keeper.close)] if ended else []
        for close in (*closing, *kept, process.database.close):
            close()
    if failures:
        raise RetryableError("; ".join(failures))


def _loops(process: PlantProcess, closing: list[Callable[[], object]]) -> dict[str, Loop]:
    """Name -> what runs in a thread of its own for as long as the process."""
    parts, host = process.parts, process.own.host
    loops: dict[str, Loop] = {"roster": process.people.run, "contracts": process.contracts.run}
    for one in process.shards:
        loops[one.shard.called("rules")] = one.host.run
        loops |= _followers(one, pages=Role.WEB in parts)
    if Role.JOBS in parts:
        jobs = _jobs(process)
        loops |= {"jobs": jobs.run, "jobs_lease": jobs.keep_lease}
    if Role.ENGINE in parts:
        reporter = SelfReporter(broker_address(process.settings))
        closing.append(reporter.close)
        loops |= {"lease": host.keep_lease, "files": process.reload.run, "self": _self_watch(process, reporter).run}
        if process.own.moves is not None:
            loops["moves"] = process.own.moves.run
    elif Role.WEB in parts:
        loops["files"] = process.reload.run
    return loops


def _followers(one: ShardInProcess, *, pages: bool) -> dict[str, Loop]:
    loops = one.followed.loops(lambda: one.host.kept_cursor, pages=pages, keeps=one.leads)
    return {one.shard.called(name): loop for name, loop in loops.items()}


def _jobs(process: PlantProcess) -> Jobs:
    secret = link_secret(admin_token(process.settings))
    pictures = AttachmentStore(process.settings.attachments_folder)
    meters = CounterPoints(_latest(process))
    egress = Egress(process.settings.outbound_private)
    office = open_office(process.database, process.clock, process.people, secret, meters, pictures, egress)
    return Jobs(process.database, process.judging, process.book, process.clock, office)


def _followed(process: PlantProcess) -> list[Shard]:
    """The shards whose journals the process reads."""
    return [one.shard for one in process.shards]


def _latest(process: PlantProcess) -> Newest:
    return several_latest([one.followed.latest for one in process.shards])


def _self_watch(process: PlantProcess, reporter: SelfReporter) -> SelfWatch:
    """What the process that leads says of the plant, for the monitors of the buildings that it judges; one that stands
    by says nothing."""
    own = process.own
    others = OtherShards(
        process.database, [one for one in process.settings.all_shards if one not in _followed(process)]
    )

    def lags() -> Sequence[int]:
        return [lag for one in process.shards for lag in (one.lag(), *one.followed.lags())] + others.lags()

    def skews() -> Sequence[int]:
        return [skew for one in process.shards for skew in one.followed.skews()]

    def say(topic: str, payload: bytes) -> bool:
        return reporter.say(topic, payload) if own.host.leads else True

    certificates = CertificateWatch(process.settings, Path(), RealClock())
    watched = Watched(
        lambda: own.host.engine.registry, _latest(process), lags, lambda: process.judging.event_time_us,
        process.settings.var, process.clock, skews, certificates.days,
    )  # fmt: skip
    return SelfWatch(watched, say)


def _status(process: PlantProcess, ready: Callable[[], Sequence[str]]) -> AbstractContextManager[None]:
    """Health and metrics on the metrics port, where one is set: pages that stand by have no other."""
    settings = process.settings
    if not settings.metrics_port:
        return nullcontext()
    return serve_status(settings.http_host, settings.metrics_port, process.metrics, ready)


def _wait(stop: threading.Event) -> None:
    stop.wait()


def _thread(name: str, loop: Loop, stop: threading.Event, failures: list[str]) -> threading.Thread:
    """A loop that lives as long as the process: if it breaks, the process ends and starts again."""

    def run() -> None:
        try:
            loop(stop)
        except Exception as error:  # the journal, the database and their cursors survive; everything else is rebuilt
            log.exception("a part of the process broke", part=name)
            failures.append(f"{name}: {error}")
            stop.set()

    return threading.Thread(target=run, name=name)
