"""Which order each finding belongs to: opens, joins and recoveries of one batch as a plan. Pure.

The same findings give the same plan in whatever batches they come: an order is named by its cause and first finding.
A cause that returns inside the contract's window after its order was done is a repeat: the order is reopened, or a
new one names it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from facility.asset import Criticality
from facility.finding import Finding, Severity
from facility.instant import format_duration, from_us
from facility.registry import Registry
from ticketing.contract import OnRepeat, ServiceLevel
from ticketing.contract_book import ContractBook
from ticketing.level import LevelChoice, facts_of
from ticketing.limit_zh import duration_zh
from ticketing.names_zh import SEVERITIES_ZH, STATUSES_ZH
from ticketing.order_clock import OrderClocks, decide_clocks
from ticketing.said import NOTHING, Said, together
from ticketing.terms import Circumstances
from ticketing.work_order import OPEN_STATUSES, RUNNING_STATUSES, Change, Status, Verb

DESK = "desk"
OPEN, JOIN, RECOVER = "open", "join", "recover"
_RANK = {
    severity: rank for rank, severity in enumerate((Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL))
}


@dataclass(frozen=True, slots=True)
class Standing:
    """An order as it stands in the database, as far as a plan needs it."""

    id: str
    cause_key: str
    status: Status
    version: int
    severity: Severity


@dataclass(frozen=True, slots=True)
class DoneOrder:
    """The last order of a cause whose work is done: its level (None when no longer loaded) and its whole life."""

    standing: Standing
    number: int
    level: ServiceLevel | None
    opened_at: datetime
    completed_at: datetime
    closed_at: datetime | None
    repeats: int
    history: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Reopening:
    """A done order that the return of its cause sets going again."""

    order_id: str
    seen_version: int
    change: Change
    clocks: OrderClocks
    repeats: int


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to be opened for its first finding, with the terms chosen and the clocks they start.

    `repeat_of` is the order of the same cause that did not last.
    """

    id: str
    number: int
    finding: Finding
    choice: LevelChoice
    opening: Change
    clocks: OrderClocks
    key_equipment: bool = False
    planned_due_at: datetime | None = None
    repeat_of: str | None = None
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line to append to an order's history; `finding_id` when a finding is the reason."""

    order_id: str
    change: Change
    finding_id: str | None = None


@dataclass(slots=True)
class Plan:
    """What a batch leads to. `members` are (finding id, order id)."""

    orders: list[NewOrder] = field(default_factory=list)
    members: list[tuple[str, str]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    reopened: list[Reopening] = field(default_factory=list)


def order_id(cause_key: str, finding_id: str) -> str:
    """The id of the order that this finding opens for its cause: the same in every replay and backtest."""
    return "wo_" + hashlib.blake2b(f"{cause_key}{finding_id}".encode()).hexdigest()[:20]


class Planner:
    """Plans one batch. `orders` are the open ones of the batch's causes and those its findings belong to already.

    `members` maps finding id -> order id; `number` is the next free order number; `done` maps a cause to its last
    order whose work is done; `planned` maps a finding that is a visit of the plan to the end of its day.
    """

    def __init__(
        self,
        book: ContractBook,
        registry: Registry,
        orders: dict[str, Standing],
        members: dict[str, str],
        number: int,
        done: Mapping[str, DoneOrder] | None = None,
        planned: Mapping[str, datetime] | None = None,
    ) -> None:
        self._planned = dict(planned or {})
        self._book, self._registry, self._number, self._done = book, registry, number, dict(done or {})
        self._orders, self._members = dict(orders), dict(members)
        self._open = {order.cause_key: order for order in orders.values() if order.status in OPEN_STATUSES}
        self.plan = Plan()

    def place(self, finding: Finding) -> None:
        """Put a finding into the open order of its cause, or into a new one; nothing when it is in one already."""
        if finding.id in self._members:
            return
        order = self._open.get(finding.cause_key)
        before = self._done.get(finding.cause_key)
        repeated = before if before is not None and _is_repeat(before, finding) else None
        if repeated is not None and _reopens(repeated, order, self._open.get(repeated.standing.cause_key)):
            order = self._reopen(repeated, finding)
        elif order is None:
            order = self._open_order(finding, repeated)
        else:
            self._note(order, JOIN, finding, finding.raised_us, _joined(order, finding))
        self._members[finding.id] = order.id
        self.plan.members.append((finding.id, order.id))

    def recover(self, finding: Finding) -> None:
        """Tell the order of a finding that has just cleared; one without an order is nobody's."""
        order = self._orders.get(self._members.get(finding.id, ""))
        if order is not None:
            at_us = finding.cleared_us if finding.cleared_us is not None else finding.raised_us
            what = f"{finding.title} ({finding.asset_id})"
            note = Said(f"Telemetry recovered: {what}.", f"数据已恢复：{what}。")
            if order.status in RUNNING_STATUSES:
                note = together(note, _BEFORE_THE_WORK)
            self._note(order, RECOVER, finding, at_us, note)

    def _reopen(self, done: DoneOrder, finding: Finding) -> Standing:
        """The cause is back: the order runs again, with the time its resolution had left."""
        was, level = done.standing, done.level
        if level is None or level.repeat is None:  # the callers asked `_is_repeat` first
            msg = f"order {was.id} has no term for repeats"
            raise ValueError(msg)
        at = max(from_us(finding.raised_us), done.history[-1].at)
        count = done.repeats + 1
        again = Said(f"Reopened: it counts as repeat {count}.", f"已重开：计为第 {count} 次重复。")
        change = Change(was.version + 1, at, Verb.REOPEN.value, DESK, Status.OPEN, was.status)
        change = change.saying(together(_repeated(done, finding), again))
        clocks = decide_clocks(level, done.opened_at, (*done.history, change), at)
        order = Standing(was.id, was.cause_key, Status.OPEN, change.version, was.severity)
        self._open[was.cause_key] = self._orders[order.id] = order
        for cause in [cause for cause, one in self._done.items() if one.standing.id == was.id]:
            del self._done[cause]
            self._open.setdefault(cause, order)  # causes that were merged into it come back to it too
        self.plan.reopened.append(Reopening(was.id, was.version, change, clocks, done.repeats + 1))
        self.plan.lines.append(Line(order.id, change, finding.id))
        return order

    def _open_order(self, finding: Finding, before: DoneOrder | None) -> Standing:
        opened_at = from_us(finding.raised_us)
        asset = self._registry.assets.get(finding.asset_id)
        is_key = asset is not None and asset.criticality is Criticality.KEY
        choice = self._book.choose(facts_of(finding, self._registry), opened_at)
        due_at = self._planned.get(finding.id)
        facts = Circumstances(opened_at, finding.building_id, finding.asset_id, is_key, due_at)
        terms = self._book.terms(choice.contract_id, choice.revision, choice.level.id, facts)
        if terms is not None and choice.contract_id is not None:
            choice = replace(choice, level=terms)
        again = _repeated(before, finding) if before is not None else NOTHING
        opening = Change(1, opened_at, OPEN, DESK, Status.OPEN).saying(together(choice.reason, again))
        clocks = decide_clocks(choice.level, opened_at, [opening], opened_at)
        new = NewOrder(
            id=order_id(finding.cause_key, finding.id),
            number=self._number,
            finding=finding,
            choice=choice,
            opening=opening,
            clocks=clocks,
            key_equipment=is_key,
            planned_due_at=due_at,
            repeat_of=before.standing.id if before is not None else None,
            repeats=before.repeats + 1 if before is not None else 0,
        )
        self._number += 1
        order = Standing(new.id, finding.cause_key, Status.OPEN, opening.version, finding.severity)
        self._open[finding.cause_key] = self._orders[order.id] = order
        self.plan.orders.append(new)
        self.plan.lines.append(Line(order.id, opening, finding.id))
        return order

    def _note(self, order: Standing, verb: str, finding: Finding, at_us: int, note: Said) -> None:
        change = Change(order.version, from_us(at_us), verb, DESK, order.status, order.status).saying(note)
        self.plan.lines.append(Line(order.id, change, finding.id))


def _is_repeat(done: DoneOrder, finding: Finding) -> bool:
    """Whether the finding is younger than the work and inside the window of the order's own level."""
    raised_at = from_us(finding.raised_us)
    if done.level is None or done.level.repeat is None or raised_at <= done.completed_at:
        return False
    return raised_at <= (done.closed_at or done.completed_at) + done.level.repeat.window


def _reopens(done: DoneOrder, order: Standing | None, of_its_cause: Standing | None) -> bool:
    """An order that is not closed yet is reopened whatever the contract says: its cause has no other one.

    One that took over another order's cause stays closed while its own cause has an order again.
    """
    if order is not None:
        return order.id == done.standing.id
    if of_its_cause is not None and of_its_cause.id != done.standing.id:
        return False
    return done.level is not None and done.level.repeat is not None and done.level.repeat.action is OnRepeat.REOPEN


def _repeated(done: DoneOrder, finding: Finding) -> Said:
    closed, window = done.closed_at, done.level.repeat.window if done.level and done.level.repeat else None
    since, inside = from_us(finding.raised_us) - (closed or done.completed_at), window or timedelta(0)
    what, number = f"{finding.title} ({finding.asset_id})", f"WO-{done.number:06d}"
    return Said(
        f"The same cause came back {format_duration(since)} after {number} was {'closed' if closed else 'completed'}, "
        f"inside the window of {format_duration(inside)}: {what}.",
        f"同一原因在 {number} {'归档' if closed else '完工'} {duration_zh(since)}后再次出现，"
        f"在 {duration_zh(inside)}的重复期内：{what}。",
    )


def _joined(order: Standing, finding: Finding) -> Said:
    what = f"{finding.title} ({finding.asset_id}, "
    severity, before = SEVERITIES_ZH[finding.severity], SEVERITIES_ZH[order.severity]
    note = Said(f"Finding joined: {what}{finding.severity}).", f"发现并入：{what}严重度{severity})。")
    if order.status in (Status.COMPLETED, Status.ACCEPTED):
        back = Said(
            f"The fault came back after the order was {order.status}.",
            f"工单{STATUSES_ZH[order.status]}后故障再次出现。",
        )
        note = together(note, back)
    if _RANK[finding.severity] > _RANK[order.severity]:
        worse = Said(f"It is more severe than the order ({order.severity}).", f"严重度高于工单（{before}）。")
        note = together(note, worse)
    return note


_BEFORE_THE_WORK = Said(
    "That was before the work was completed: say what the cause was (diagnose).", "恢复早于完工：请说明原因（诊断）。"
)
