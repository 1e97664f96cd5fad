"""What every process of the roles engine, web and jobs is made of: files, database, journal, the engine's host."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import prometheus_client

from facility.clock import Clock, JournalClock, RealClock
from facility.registry import Registry
from ingest.decoded import DecodedCommits
from ingest.journal import JournalReader
from plantroom.allowance import allowance_us
from plantroom.clocks import clock_for
from plantroom.contract_watch import ContractWatch
from plantroom.contracts import load_contracts
from plantroom.database import Database
from plantroom.engine_host import LEASE, EngineHost, HostMetrics
from plantroom.files import read_texts
from plantroom.followed import Followed, open_followed, open_journal
from plantroom.keeper import Keeper
from plantroom.part import Role
from plantroom.plant_files import load_registry, load_rule_files
from plantroom.process_name import process_name
from plantroom.reload import PlantFiles, Reload
from plantroom.roster_watch import RosterWatch
from plantroom.settings import Settings
from rules.rule_set import RuleSet
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.lease import Lease


@dataclass(frozen=True, slots=True)
class PlantProcess:
    """`journal` is the engine's own reader, `host` its engine: leading, or following the process that leads."""

    settings: Settings
    parts: frozenset[Role]
    clock: Clock
    database: Database
    metrics: prometheus_client.CollectorRegistry
    keeper: Keeper
    journal: JournalReader
    host: EngineHost
    book: ContractBook
    contracts: ContractWatch
    people: RosterWatch
    reload: Reload
    followed: Followed


def open_process(settings: Settings, parts: frozenset[Role]) -> PlantProcess:
    """Everything opened, and nothing running. Raises PermanentError for files or stores that cannot be used."""
    registry, found = load_registry(settings.site_files)
    files = PlantFiles(found, load_rule_files(settings.rules))
    rule_ids, texts = frozenset(RuleSet.load(files.rules).rules), read_texts(settings.contract, "contract")
    book = load_contracts(texts, registry, rule_ids)
    clock, database = clock_for(settings), _open_database(settings)
    metrics = prometheus_client.CollectorRegistry()
    keeper = Keeper(settings.var / "run" / "keeper.lock")
    if Role.ENGINE in parts:
        keeper.take()
    decoded = DecodedCommits()
    journal = open_journal(settings, "engine", decoded, lambda: host.leads)
    host = EngineHost(
        journal,
        database,
        Desk(book, lambda: host.registry),
        lease=Lease(database, LEASE, process_name(), RealClock()) if Role.ENGINE in parts else None,
        allowance_us=allowance_us(clock),
        clock=clock,
        metrics=HostMetrics(metrics),
        directory_only=parts == {Role.JOBS} and not isinstance(clock, JournalClock),  # that one lives by scans
    )
    people = RosterWatch(settings, lambda: host.registry, first=registry)
    contracts = _contracts(settings, book, texts, host, (registry, rule_ids), clock)
    reload = Reload(settings, files, contracts.texts, clock, lambda: host.leads)
    host.leveled = lambda: reload.hand_over(host.bring_up_to)
    followed = open_followed(settings, (database, clock, keeper, decoded, metrics), lambda: host.registry, registry)
    return PlantProcess(
        settings, parts, clock, database, metrics, keeper, journal, host, book, contracts, people, reload, followed
    )


def _contracts(
    settings: Settings,
    book: ContractBook,
    texts: Mapping[str, str],
    host: EngineHost,
    first: tuple[Registry, frozenset[str]],
    clock: Clock,
) -> ContractWatch:
    """Checked against the directory and rules in force, and against those of the files before any are."""
    registry, rule_ids = first
    in_force: tuple[Callable[[], Registry], Callable[[], frozenset[str]]] = (
        lambda: host.registry if host.registry.buildings else registry,
        lambda: host.rule_ids or rule_ids,
    )
    return ContractWatch(settings, book, texts, in_force, clock)


def _open_database(settings: Settings) -> Database:
    """The order database, brought up to this version."""
    database = Database(settings.database_address())
    database.upgrade()
    return database
