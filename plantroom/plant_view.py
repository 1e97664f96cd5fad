"""What the pages show, gathered from the engine, the stores and the database (the Protocol is the pages' own)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dashboards.web.order_view import EVERY, OrderCount, OrderFilter, OrderView
from dashboards.web.protocols import (
    ClockState,
    DeviceClockView,
    DeviceValue,
    DeviceView,
    FindingMark,
    Health,
    PlantView,
    RuleGap,
    RuleView,
    SilentDevice,
    StageHealth,
    UnknownCodeView,
)
from facility.clock import Clock, JournalClock, ScaledClock
from facility.errors import PermanentError
from facility.finding import Finding, Severity
from facility.instant import from_us, to_us
from facility.reading import ControlEvent, DeadLetter, Reading
from facility.registry import Registry
from ingest.dead_letters import DeadLetterBox
from ingest.discovery_desk import DeviceDesk
from ingest.discovery_file import Approval
from ingest.stores.base import SeriesReader
from plantroom import __version__
from plantroom.database import Database
from plantroom.finding_views import finding_of
from plantroom.judging import Judging
from plantroom.order_views import OrderReader
from plantroom.order_work import order_work
from plantroom.scoped_view import ScopedView
from plantroom.self_watch import silent_assets
from plantroom.several import Newest
from plantroom.shard_health import ShardSources
from ticketing import repository, risk_rows
from ticketing.attachment_desk import AttachmentDesk
from ticketing.contract import PauseReason
from ticketing.contract_book import ContractBook
from ticketing.order_terms import order_terms
from ticketing.repository import OrderQuery
from ticketing.tables import FindingRow
from ticketing.transition import Act, carry_out
from ticketing.views import deadline_view
from ticketing.work_order import OPEN_STATUSES, Refused, Status, Verb, Words

MOST_NARROWED = 64
"""Directories of so many sets of buildings are kept."""


@dataclass(frozen=True, slots=True)
class PlantSources:
    """Everything the pages are fed from."""

    host: Judging
    database: Database
    book: ContractBook
    store: SeriesReader
    latest: Newest
    dead_letters: DeadLetterBox
    shards: Sequence[ShardSources]
    """Those that are followed; never none."""
    clock: Clock
    refused: Callable[[], str]
    """Why the files on disk are not those in force; empty when they are."""
    devices: DeviceDesk
    attachments: AttachmentDesk
    hand_over: Callable[[ControlEvent], object]
    """Brings an event that changes a judgement to the journal, durably."""


class ProgramView:
    """Implements the pages' `PlantView`. Every method may be called from several threads."""

    def __init__(self, sources: PlantSources) -> None:
        self._from = sources
        self._narrow: dict[frozenset[str], tuple[Registry, Registry]] = {}
        self.orders = OrderReader(sources.book, sources.host.rule, self.registry, sources.clock)

    def within(self, buildings: frozenset[str] | None) -> PlantView:
        """The plant for somebody who may see these buildings only."""
        return self if buildings is None else ScopedView(self, buildings, self._narrowed)

    def _narrowed(self, buildings: frozenset[str]) -> Registry:
        """The directory of these buildings only, made once for as long as it is in force."""
        whole = self.registry()
        kept = self._narrow.get(buildings)
        if kept is None or kept[0] is not whole:
            kept = (whole, whole.within(buildings))
            if len(self._narrow) >= MOST_NARROWED:
                self._narrow.clear()
            self._narrow[buildings] = kept
        return kept[1]

    def registry(self) -> Registry:
        """The directory the engine judges by."""
        return self._from.host.registry

    def clock(self) -> ClockState:
        """The program's clock."""
        clock = self._from.clock
        if isinstance(clock, ScaledClock):
            return ClockState("scaled", clock.now(), clock.factor)
        return ClockState("journal" if isinstance(clock, JournalClock) else "real", clock.now())

    def latest(self, asset_id: str) -> Sequence[Reading]:
        """The newest reading of each own and borrowed point, under the name it has here."""
        asset = self.registry().assets.get(asset_id)
        if asset is None:
            return []
        own = self._from.latest.of(asset_id)
        found = [own[name] for name in asset.points if name in own]
        for name, origin in asset.borrows.items():
            lent = self._from.latest.find(origin.asset_id, origin.point)
            if lent is not None:
                found.append(Reading(asset_id, name, lent.at_us, lent.value, lent.quality))
        return found

    def series(
        self, asset_id: str, point: str, from_at: datetime, until_at: datetime, every: timedelta | None
    ) -> Sequence[Reading]:
        """From the series store, at most 20,000 readings."""
        found = self.registry().point(asset_id, point)
        if found is None:
            return []
        every_us = every // timedelta(microseconds=1) if every is not None else None
        rows = self._from.store.read(
            found.asset_id, found.name, to_us(from_at), to_us(until_at), every_us=every_us, limit=20_000
        )
        return [Reading(asset_id, point, row.at_us, row.value, row.quality) for row in rows]

    def findings(
        self,
        *,
        active: bool | None = None,
        asset_id: str | None = None,
        limit: int = 200,
        buildings: frozenset[str] | None = None,
    ) -> Sequence[Finding]:
        """Raised findings, newest first."""
        with self._from.database.reading() as session:
            rows = repository.list_findings(session, active=active, asset_id=asset_id, limit=limit, buildings=buildings)
            return [finding_of(row) for row in rows]

    def finding_marks(self, buildings: frozenset[str] | None = None) -> Sequence[FindingMark]:
        """Counted by the database."""
        with self._from.database.reading() as session:
            found = repository.count_active(session, buildings)
        return [FindingMark(at, asset, Severity(how), hidden, many) for at, asset, how, hidden, many in found]

    def finding(self, finding_id: str) -> Finding | None:
        """One finding."""
        with self._from.database.reading() as session:
            row = session.get(FindingRow, finding_id)
            return finding_of(row) if row is not None else None

    def pending(self) -> Sequence[Finding]:
        """True now, but not long enough yet."""
        return self._from.host.pending()

    def not_applicable(self, asset_id: str | None = None) -> Sequence[RuleGap]:
        """Rules that lack points."""
        return [
            RuleGap(gap.rule_id, gap.asset_id, gap.missing)
            for gap in self._from.host.not_applicable()
            if asset_id in (None, gap.asset_id)
        ]

    def rule(self, rule_id: str) -> RuleView | None:
        """A rule of the active set."""
        rule = self._from.host.rule(rule_id)
        if rule is None:
            return None
        return RuleView(rule.id, rule.name, rule.reference, tuple(rule.checklist), rule.chinese)

    def work_orders(
        self,
        *,
        is_open: bool | None = None,
        asset_id: str | None = None,
        limit: int = 500,
        offset: int = 0,
        only: OrderFilter = EVERY,
    ) -> Sequence[OrderView]:
        """Open ones by time left, others newest first."""
        with self._from.database.reading() as session:
            rows = repository.list_orders(session, replace(_query(is_open, asset_id, only, limit), offset=offset))
            return self.orders.views(session, rows, joins=False)

    def count_orders(
        self, *, is_open: bool | None = None, asset_id: str | None = None, only: OrderFilter = EVERY
    ) -> int:
        """How many there are of those."""
        with self._from.database.reading() as session:
            return repository.count_orders(session, _query(is_open, asset_id, only, None))

    def order_counts(self) -> Mapping[str, OrderCount]:
        """By the deadlines that are kept."""
        with self._from.database.reading() as session:
            found = risk_rows.by_building(session, self._from.clock.now())
        return {name: OrderCount(*standing) for name, standing in found.items()}

    def work_order(self, order_id: str) -> OrderView | None:
        """One order with all it has."""
        with self._from.database.reading() as session:
            row = repository.find_order(session, order_id)
            if row is None:
                return None
            order = self.orders.views(session, [row])[0]
            history = repository.histories(session, [row.id]).get(row.id, ())
            return replace(order, work=order_work(session, self._from.book, row, history, order.members))

    def orders_of_finding(self, finding_id: str) -> Sequence[OrderView]:
        """The order the finding opened or joined."""
        with self._from.database.reading() as session:
            order_id = repository.member_orders(session, [finding_id]).get(finding_id)
        found = self.work_order(order_id) if order_id is not None else None
        return [found] if found is not None else []

    def explain_deadlines(self, order_id: str, language: str = "en") -> Mapping[str, Sequence[str]]:
        """Line by line, for response and resolution."""
        with self._from.database.reading() as session:
            row = repository.find_order(session, order_id)
            if row is None:
                return {}
            history = repository.histories(session, [row.id]).get(row.id, ())
            level = order_terms(self._from.book, row, map(repository.as_change, history))
            if level is None:
                return {}
            view = deadline_view(row, history, level, self._from.clock.now(), language)
        clocks = {"response": view.response, "resolution": view.resolution, **view.clocks}
        return {name: clock.explanation for name, clock in clocks.items()}

    def apply_verb(self, order_id: str, verb: str, *, by: str, note: str, reason: str = "", proof: str = "") -> None:
        """Apply a verb now. Raises PermanentError with the reason when it is refused."""
        if verb not in set(Verb):
            msg = f"{verb!r} is not something one can do to an order"
            raise PermanentError(msg)
        words = _words(Verb(verb), note, reason, proof)
        with self._from.database.writing() as session:
            row = repository.find_order(session, order_id, lock=True)
            if row is None:
                msg = f"there is no order {order_id!r}"
                raise PermanentError(msg)
            act = Act(Verb(verb), by, self._from.clock.now(), words)
            decision = carry_out(session, self._from.book, row, act)
            if isinstance(decision, Refused):
                msg = f"{decision.what}. {decision.hint}"
                raise PermanentError(msg)
        self._from.host.touch()

    def dead_letters(self, limit: int = 100) -> Sequence[DeadLetter]:
        """Newest first."""
        return [
            DeadLetter(row.at_us, row.topic, row.payload, row.reason) for row in self._from.dead_letters.newest(limit)
        ]

    def devices(self) -> Sequence[DeviceView]:
        """The inbox with its proposals, the device heard last first."""
        found = []
        for stranger, proposal in self._from.devices.proposals():
            guessed = {one.name: one for one in proposal.guess.points}
            values = [
                DeviceValue(value.name, value.value, one.point if one else "", one.unit if one else "")
                for value in stranger.values.values()
                for one in [guessed.get(value.name)]
            ]
            found.append(
                DeviceView(
                    key=stranger.key,
                    dialect=stranger.dialect,
                    last_at=from_us(stranger.last_us),
                    messages=stranger.messages,
                    known_asset=stranger.asset_id,
                    asset_id=proposal.asset_id,
                    building_id=proposal.building_id,
                    equipment_class=proposal.guess.equipment_class,
                    values=tuple(values),
                )
            )
        return found

    def unknown_codes(self) -> Sequence[UnknownCodeView]:
        """The one said last first."""
        return [
            UnknownCodeView(one.asset_id, one.code, one.times, from_us(one.last_us))
            for one in self._from.devices.unknown_codes()
        ]

    def device_clocks(self) -> Sequence[DeviceClockView]:
        """The worst first."""
        return [
            DeviceClockView(one.asset_id, timedelta(microseconds=one.skew_us), one.scans)
            for one in self._from.devices.clocks()
        ]

    def approve_device(self, key: str, *, asset_id: str, equipment_class: str, building_id: str, name: str) -> None:
        """Write its site file and hand it to the journal. Raises PermanentError with what is wrong."""
        self._from.devices.approve(key, Approval(asset_id, equipment_class, building_id, name))

    def health(self) -> Health:
        """How each stage is doing."""
        now_us, counters = self._from.clock.now_us(), self._from.latest.counters
        host, main, *others = self._from.host, *self._from.shards
        stages = [*main.stages(self._from.clock), StageHealth("files", not self._from.refused(), self._from.refused())]
        stages += main.follower_stages()
        for one in others:
            stages += [*one.stages(self._from.clock), *one.follower_stages()]
        return Health(
            stages=tuple(stages),
            heartbeat_at=from_us(counters.at_us) if counters.at_us is not None else None,
            event_time_at=from_us(host.event_time_us) if host.event_time_us else None,
            dead_letters=self._from.dead_letters.count(),
            version=__version__,
            silent=tuple(
                SilentDevice(asset_id, from_us(last_us))
                for asset_id, last_us in silent_assets(self.registry(), self._from.latest, now_us)
            ),
            received=counters.received,
            rejected=counters.rejected,
        )


def _query(is_open: bool | None, asset_id: str | None, only: OrderFilter, limit: int | None) -> OrderQuery:  # noqa: FBT001 - the page's own three-valued choice
    closed = frozenset(Status) - OPEN_STATUSES
    return OrderQuery(
        statuses=frozenset(Status) if is_open is None else OPEN_STATUSES if is_open else closed,
        asset_id=asset_id,
        kind=only.kind or None,
        severity=only.severity or None,
        assignee=only.assignee,
        buildings=only.buildings,
        limit=limit,
    )


def _words(verb: Verb, note: str, reason: str, proof: str) -> Words:
    """What a page's form says to a verb: its reason, which for some is a person or why something is overridden."""
    if verb is Verb.REASSIGN:
        return Words(note, to=reason or (note.splitlines()[0].strip()[:200] if note else ""))
    if verb is Verb.ACCEPT:
        return Words(note if not reason else "", override=note if reason else "")
    if verb is Verb.COMPLETE:
        return Words(note, override=reason)
    if reason and reason not in set(PauseReason):
        msg = f"{reason!r} is not a reason to hold an order; known are: {', '.join(PauseReason)}"
        raise PermanentError(msg)
    return Words(note, PauseReason(reason) if reason else None, proof=proof)
