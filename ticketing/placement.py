"""Which order each finding belongs to: opens, joins and recoveries of one batch as a plan. Pure.

The same findings give the same plan in whatever batches they come: an order is named by its cause and first finding.
"""

import hashlib
from dataclasses import dataclass, field

from facility.finding import Finding, Severity
from facility.instant import from_us
from facility.registry import Registry
from ticketing.contract_book import ContractBook
from ticketing.level import LevelChoice, facts_of
from ticketing.order_clock import OrderClocks, decide_clocks
from ticketing.work_order import OPEN_STATUSES, Change, Status

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
class NewOrder:
    """An order to be opened for its first finding, with the terms chosen and the clocks they start."""

    id: str
    number: int
    finding: Finding
    choice: LevelChoice
    opening: Change
    clocks: OrderClocks


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


def order_id(cause_key: str, finding_id: str) -> str:
    """The id of the order that this finding opens for its cause: the same in every replay and backtest."""
    return "wo_" + hashlib.blake2b(f"{cause_key}{finding_id}".encode()).hexdigest()[:20]


class Planner:
    """Plans one batch. `orders` are the open ones of the batch's causes and those its findings belong to already.

    `members` maps finding id -> order id; `number` is the next free order number.
    """

    def __init__(
        self, book: ContractBook, registry: Registry, orders: dict[str, Standing], members: dict[str, str], number: int
    ) -> None:
        self._book, self._registry, self._number = book, registry, number
        self._orders, self._members = dict(orders), dict(members)
        self._open = {order.cause_key: order for order in orders.values() if order.status in OPEN_STATUSES}
        self.plan = Plan()

    def place(self, finding: Finding) -> None:
        """Put a finding into the open order of its cause, or into a new one; nothing when it is in one already."""
        if finding.id in self._members:
            return
        order = self._open.get(finding.cause_key)
        if order is None:
            order = self._open_order(finding)
        else:
            self._note(order, JOIN, finding, finding.raised_us, _joined(order, finding))
        self._members[finding.id] = order.id
        self.plan.members.append((finding.id, order.id))

    def recover(self, finding: Finding) -> None:
        """Tell the order of a finding that has just cleared; one without an order is nobody's."""
        order = self._orders.get(self._members.get(finding.id, ""))
        if order is not None:
            at_us = finding.cleared_us if finding.cleared_us is not None else finding.raised_us
            self._note(order, RECOVER, finding, at_us, f"Telemetry recovered: {finding.title} ({finding.asset_id}).")

    def _open_order(self, finding: Finding) -> Standing:
        opened_at = from_us(finding.raised_us)
        choice = self._book.choose(facts_of(finding, self._registry), opened_at)
        opening = Change(1, opened_at, OPEN, DESK, Status.OPEN, note=choice.reason)
        clocks = decide_clocks(choice.level, opened_at, [opening], opened_at)
        new = NewOrder(order_id(finding.cause_key, finding.id), self._number, finding, choice, opening, clocks)
        self._number += 1
        order = Standing(new.id, finding.cause_key, Status.OPEN, opening.version, finding.severity)
        self._open[finding.cause_key] = self._orders[order.id] = order
        self.plan.orders.append(new)
        self.plan.lines.append(Line(order.id, opening, finding.id))
        return order

    def _note(self, order: Standing, verb: str, finding: Finding, at_us: int, note: str) -> None:
        change = Change(order.version, from_us(at_us), verb, DESK, order.status, order.status, note)
        self.plan.lines.append(Line(order.id, change, finding.id))


def _joined(order: Standing, finding: Finding) -> str:
    note = f"Finding joined: {finding.title} ({finding.asset_id}, {finding.severity})."
    if order.status in (Status.COMPLETED, Status.ACCEPTED):
        note += f" The fault came back after the order was {order.status}."
    if _RANK[finding.severity] > _RANK[order.severity]:
        note += f" It is more severe than the order ({order.severity})."
    return note
