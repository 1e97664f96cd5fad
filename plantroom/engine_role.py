"""The engine process: rule engine and desk, series store and latest values as followers, and the web."""

import threading
from collections.abc import Callable

import prometheus_client
import structlog
import uvicorn
from fastapi import FastAPI

from dashboards.web.change_feed import ChangeFeed
from facility.clock import RealClock
from facility.errors import PermanentError, RetryableError
from facility.registry import Registry
from ingest.control import submit
from ingest.dead_letters import DeadLetterBox
from ingest.decoded import DecodedCommits
from ingest.discovery import DeviceInbox
from ingest.discovery_desk import DeviceDesk, Learned, PlantInForce
from ingest.follower import Follower, FollowerMetrics, Sink
from ingest.journal import JournalReader
from ingest.latest import LatestValues
from ingest.quality_skew import DeviceClocks
from ingest.self_report import SelfReporter
from ingest.stores.base import SeriesSink, SeriesStore
from ingest.stores.upkeep import Upkeep, UpkeepMetrics
from ingest.unknown_codes import UnknownCodes
from plantroom.access import CurrentAsker
from plantroom.allowance import allowance_us
from plantroom.broker_address import broker_address
from plantroom.changes import watch_changes
from plantroom.clocks import clock_for
from plantroom.contract_watch import ContractWatch
from plantroom.contracts import load_contracts
from plantroom.cursor_board import CursorBoard
from plantroom.database import Database
from plantroom.engine_host import LEASE, EngineHost, HostMetrics
from plantroom.files import read_texts, write_atomically
from plantroom.front import open_front
from plantroom.heap import settle_heap
from plantroom.jobs import Jobs
from plantroom.meters import CounterPoints
from plantroom.office import link_secret, open_office, process_name
from plantroom.plant_files import load_registry, load_rule_files
from plantroom.plant_view import PlantSources
from plantroom.reception import open_reception
from plantroom.reload import PlantFiles, Reload
from plantroom.roster_watch import RosterWatch
from plantroom.rule_desk import ProgramRules
from plantroom.secret_files import admin_token
from plantroom.self_watch import SelfWatch, Watched
from plantroom.series_store import open_store
from plantroom.settings import Settings
from rules.rule_set import RuleSet
from ticketing.attachment_desk import AttachmentDesk
from ticketing.attachment_store import AttachmentStore
from ticketing.desk import Desk
from ticketing.lease import Lease
from ticketing.routers import ApiParts, signed_routers, ticketing_routers
from ticketing.service_outbox import OutboxTeller

log = structlog.get_logger(__name__)
_STOP_SECONDS = 5.0


def run(settings: Settings, stop: threading.Event) -> None:
    """Run until `stop`. Raises PermanentError for files or stores that cannot be used."""
    registry, found = load_registry(settings.site_files)
    files = PlantFiles(found, load_rule_files(settings.rules))
    rule_ids, contract_texts = frozenset(RuleSet.load(files.rules).rules), read_texts(settings.contract, "contract")
    book = load_contracts(contract_texts, registry, rule_ids)
    clock, database = clock_for(settings), _open_database(settings)
    metrics = prometheus_client.CollectorRegistry()
    journal = open_journal(settings, "engine", decoded := DecodedCommits())
    host = EngineHost(
        journal,
        database,
        Desk(book, lambda: host.registry),
        lease=Lease(database, LEASE, process_name(), RealClock()),
        allowance_us=allowance_us(clock),
        clock=clock,
        metrics=HostMetrics(metrics),
    )
    host.bring_up_to(files.site, files.rules, settings.control_folder)
    people = RosterWatch(settings, lambda: host.registry, first=registry)
    contracts = ContractWatch(
        settings,
        book,
        contract_texts,
        (lambda: host.registry if host.registry.buildings else registry, lambda: host.rule_ids or rule_ids),
        clock,
    )
    reload = Reload(settings, files, contracts.texts, clock)

    store = open_store(settings, lambda: host.registry)
    letters = DeadLetterBox(database.writing, settings.var / "dead_letters.cursor")
    latest = _newest_readings(store, registry)
    devices, learned = (
        DeviceInbox(settings.var / "inbox.json", write_atomically),
        Learned(
            DeviceClocks(latest.cursor),
            UnknownCodes(lambda: host.registry, settings.var / "unknown_codes.json", write_atomically),
        ),
    )
    gauges = FollowerMetrics(metrics)
    sinks: dict[str, Sink] = {
        "readings": SeriesSink(store, Upkeep(store, clock, metrics=UpkeepMetrics(metrics)).look),
        "latest": latest,
        "dead_letters": letters,
    }
    sinks |= {"devices": devices, "device_clocks": learned.clocks, "codes": learned.codes}
    followers = {
        name: Follower(name, open_journal(settings, name, decoded), sink, metrics=gauges)
        for name, sink in sinks.items()
    }
    in_force = PlantInForce(lambda: host.registry, lambda: host.engine.site_files)
    desk = DeviceDesk(
        devices, learned, in_force, settings.devices_folder, settings.control_folder, clock, write_atomically
    )
    sources = PlantSources(
        host,
        database,
        book,
        store,
        latest,
        letters,
        followers,
        journal.last_seq,
        clock,
        lambda: reload.refused or contracts.refused or people.refused,
        desk,
        AttachmentDesk(AttachmentStore(settings.attachments_folder)),
        lambda event: submit(settings.control_folder, event),
    )
    secret = link_secret(admin_token(settings))
    office = open_office(database, clock, people, secret, CounterPoints(latest), sources.attachments.store)
    teller = OutboxTeller(people, office.wall)
    parts = ApiParts(
        database, clock, book, lambda: host.registry, people, secret, sources.attachments, teller, CurrentAsker()
    )
    rules = ProgramRules(settings, host, contracts.texts, clock)
    app = open_front(
        settings,
        sources,
        metrics,
        lambda: _not_ready(host, database, threads),
        ticketing_routers(parts),
        signed_routers(parts),
        open_reception(sources, lambda: host.registry, teller, secret),
        rules,
        (changes := watch_changes(host, database)).feed,
        people,
        contracts.check,
    )
    failures: list[str] = []
    board = CursorBoard(
        settings.cursors_file,
        {"engine": lambda: host.kept_cursor, "readings": lambda: store.cursor, "dead_letters": lambda: letters.cursor},
    )
    reporter = SelfReporter(broker_address(settings))

    def device_skews() -> list[int]:
        return [one.skew_us for one in learned.clocks.all()]

    def lags() -> list[int]:
        return [journal.last_seq() - host.cursor, *(one.state.lag for one in followers.values())]

    watched = Watched(
        lambda: host.registry, latest, lags, lambda: host.event_time_us, settings.var, clock, device_skews
    )
    watch = SelfWatch(watched, reporter.say)
    loops = {
        "rules": host.run,
        "files": reload.run,
        "roster": people.run,
        "contracts": contracts.run,
        "jobs": Jobs(database, host, book, clock, office).run,
        **{name: one.run for name, one in followers.items()},
        "cursors": board.run,
        "self": watch.run,
        "changes": changes.run,
    }
    threads = [_thread(name, loop, stop, failures) for name, loop in loops.items()]
    for thread in threads:
        thread.start()
    try:
        _serve(app, settings, stop, changes.feed)
    finally:
        stop.set()
        for thread in threads:
            thread.join(_STOP_SECONDS)
        for part in (rules, reporter, store, database):
            part.close()
    if failures:
        raise RetryableError("; ".join(failures))


def _open_database(settings: Settings) -> Database:
    """The order database, brought up to this version."""
    database = Database(settings.database_address())
    database.upgrade()
    return database


def open_journal(settings: Settings, follower: str, decoded: DecodedCommits) -> JournalReader:
    """A reader of the journal that knows after a restart too what this follower has read."""
    return JournalReader(settings.journal_folder, seen=settings.var / "cursors" / f"{follower}.runs", decoded=decoded)


def _thread(
    name: str, loop: Callable[[threading.Event], None], stop: threading.Event, failures: list[str]
) -> threading.Thread:
    """A loop that lives as long as the process: if it breaks, the process ends and starts again."""

    def run() -> None:
        try:
            loop(stop)
        except Exception as error:  # the journal, the database and their cursors survive; everything else is rebuilt
            log.exception("a part of the engine process broke", part=name)
            failures.append(f"{name}: {error}")
            stop.set()

    return threading.Thread(target=run, name=name)


def _newest_readings(store: SeriesStore, registry: Registry) -> LatestValues:
    """Seeded from the store; from the journal alone while the store is away."""
    latest = LatestValues(store.cursor)
    try:
        for asset_id in registry.assets:
            latest.seed(store.last(asset_id).values())
    except RetryableError as error:
        log.warning("the newest readings come from the journal alone", reason=str(error))
    return latest


def _serve(app: FastAPI, settings: Settings, stop: threading.Event, feed: ChangeFeed) -> None:
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        server_header=False,
        forwarded_allow_ips=settings.http_proxies,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="web")
    settle_heap()
    thread.start()
    while not stop.wait(0.2):
        if not thread.is_alive():
            msg = f"the pages cannot be served on {settings.http_host}:{settings.http_port}; is the port taken?"
            raise PermanentError(msg)
    feed.close()  # or the server would wait for every open page
    server.should_exit = True
    thread.join(_STOP_SECONDS)


def _not_ready(host: EngineHost, database: Database, threads: list[threading.Thread]) -> list[str]:
    reasons = [f"the {thread.name} thread has ended" for thread in threads if not thread.is_alive()]
    if host.away:
        reasons.append(host.away)
    if host.awaits_files():
        reasons.append("the site and rule files are not in force yet: ingest has to write them into the journal first")
    try:
        database.check()
    except (RetryableError, PermanentError) as error:
        reasons.append(str(error))
    return reasons
