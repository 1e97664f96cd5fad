"""What every process of the roles engine, web and jobs is made of: files, database, journal, the engine's host."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import prometheus_client

from facility.clock import Clock, JournalClock, RealClock
from facility.registry import Registry
from ingest.decoded import DecodedCommits
from ingest.journal import JournalReader
from plantroom.allowance import allowance_us
from plantroom.building_moves import BuildingMoves
from plantroom.building_owner import OneOfSeveral, buildings_are_divided
from plantroom.clocks import clock_for
from plantroom.contract_watch import ContractWatch
from plantroom.contracts import load_contracts
from plantroom.database import Database
from plantroom.engine_host import EngineHost
from plantroom.engine_metrics import EngineMetrics, HostMetrics
from plantroom.files import read_texts
from plantroom.followed import Followed, FollowedMetrics, open_followed, open_journal
from plantroom.judging import Judging
from plantroom.keeper import Keeper
from plantroom.part import Role
from plantroom.plant_files import load_registry, load_rule_files
from plantroom.process_name import process_name
from plantroom.reload import PlantFiles, Reload
from plantroom.roster_watch import RosterWatch
from plantroom.settings import Settings
from plantroom.shard import Shard
from rules.rule_set import RuleSet
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.lease import Lease


@dataclass(frozen=True, slots=True)
class ShardInProcess:
    """One shard as this process has it. `journal` is the engine's own reader, `host` its engine: leading, or following
    the process that leads."""

    shard: Shard
    leads: bool
    """Whether this process may judge for it, and keep its readings."""
    keeper: Keeper
    journal: JournalReader
    host: EngineHost
    followed: Followed
    moves: BuildingMoves | None
    """Where buildings are divided among shards, and this process may lead."""

    def lag(self) -> int:
        """How many commits are not judged yet."""
        return self.journal.last_seq() - self.host.cursor


@dataclass(frozen=True, slots=True)
class PlantProcess:
    """`shards` are those that it follows, the one that it may lead first; `judging` is the engines of them all."""

    settings: Settings
    parts: frozenset[Role]
    clock: Clock
    database: Database
    metrics: prometheus_client.CollectorRegistry
    shards: tuple[ShardInProcess, ...]
    judging: Judging
    book: ContractBook
    contracts: ContractWatch
    people: RosterWatch
    reload: Reload

    @property
    def own(self) -> ShardInProcess:
        """The shard that it may lead; with pages or jobs alone the first one."""
        return self.shards[0]


def open_process(settings: Settings, parts: frozenset[Role], led: Shard) -> PlantProcess:
    """Everything opened, and nothing running. Raises PermanentError for files or stores that cannot be used.

    A process with an engine alone follows the journal that it judges; pages and jobs are about the whole plant.
    """
    registry, found = load_registry(settings.site_files)
    files = PlantFiles(found, load_rule_files(settings.rules))
    rule_ids, texts = frozenset(RuleSet.load(files.rules).rules), read_texts(settings.contract, "contract")
    book = load_contracts(texts, registry, rule_ids)
    clock, database = clock_for(settings), _open_database(settings)
    metrics = prometheus_client.CollectorRegistry()
    with database.reading() as session:
        several = buildings_are_divided(session, [one.name for one in settings.all_shards])
    shown = (EngineMetrics(metrics), FollowedMetrics(metrics))
    opening = _Opening(settings, parts, clock, database, book, registry, *shown, several)
    others = () if parts == {Role.ENGINE} else tuple(one for one in settings.all_shards if one != led)
    shards = tuple(opening.open(shard, leads=shard == led and Role.ENGINE in parts) for shard in (led, *others))
    host, judging = shards[0].host, Judging([one.host for one in shards])
    people = RosterWatch(settings, lambda: judging.registry, first=registry)
    contracts = _contracts(settings, book, texts, judging, (registry, rule_ids), clock)
    moves = shards[0].moves
    foresee = moves.foresee if moves is not None else None
    reload = Reload(settings, led, files, contracts.texts, clock, lambda: host.leads, foresee)
    host.leveled = lambda: reload.hand_over(host.bring_up_to)
    return PlantProcess(settings, parts, clock, database, metrics, shards, judging, book, contracts, people, reload)


@dataclass(frozen=True, slots=True)
class _Opening:
    """What all shards of a process are opened with."""

    settings: Settings
    parts: frozenset[Role]
    clock: Clock
    database: Database
    book: ContractBook
    first: Registry
    engines: EngineMetrics
    followers: FollowedMetrics
    several: bool

    def open(self, shard: Shard, *, leads: bool) -> ShardInProcess:
        keeper = Keeper(shard.keeper_lock)
        if leads:
            keeper.take()
        decoded = DecodedCommits()
        journal = open_journal(shard, "engine", decoded, lambda: host.leads)
        lease = Lease(self.database, shard.engine, process_name(), RealClock()) if leads else None
        host = EngineHost(
            journal,
            self.database,
            Desk(self.book, lambda: host.registry),
            lease=lease,
            allowance_us=allowance_us(self.clock),
            clock=self.clock,
            metrics=HostMetrics(self.engines, shard.name),
            # The journal's clock lives by scans.
            directory_only=self.parts == {Role.JOBS} and not isinstance(self.clock, JournalClock),
            name=shard.engine,
            owner=OneOfSeveral(shard.name) if self.several else None,
        )
        moves = None
        if lease is not None and self.several:
            moves = BuildingMoves(shard, self.database, lease, host, journal, self.clock)
        parts = (self.database, self.clock, keeper, decoded, self.followers)
        followed = open_followed(self.settings, shard, parts, lambda: host.registry, self.first)
        return ShardInProcess(shard, leads, keeper, journal, host, followed, moves)


def _contracts(
    settings: Settings,
    book: ContractBook,
    texts: Mapping[str, str],
    judging: Judging,
    first: tuple[Registry, frozenset[str]],
    clock: Clock,
) -> ContractWatch:
    """Checked against the directory and rules in force, and against those of the files before any are."""
    registry, rule_ids = first
    in_force: tuple[Callable[[], Registry], Callable[[], frozenset[str]]] = (
        lambda: judging.registry if judging.registry.buildings else registry,
        lambda: judging.rule_ids or rule_ids,
    )
    return ContractWatch(settings, book, texts, in_force, clock)


def _open_database(settings: Settings) -> Database:
    """The order database, brought up to this version."""
    database = Database(settings.database_address())
    database.upgrade()
    return database
