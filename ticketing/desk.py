"""The desk: takes findings and sees to it that each cause has one order and each finding is in exactly one.

The same findings again change nothing, in whatever batches they come. The caller owns the transaction.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlmodel import Session

from facility.errors import RetryableError
from facility.finding import Finding, FindingState, Severity
from facility.instant import from_us
from facility.registry import Registry
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.level import LevelChoice, facts_of
from ticketing.order_clock import decide_clocks
from ticketing.tables import WorkOrderRow
from ticketing.work_order import Change, Status

DESK = "desk"
OPEN, JOIN, RECOVER = "open", "join", "recover"
TRIES = 20
_RANK = {
    severity: rank for rank, severity in enumerate((Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL))
}


class DeskBusyError(RetryableError):
    """Other processes kept taking the same order numbers; the whole transaction may be tried again."""


@dataclass(slots=True)
class Received:
    """What a batch of findings led to: ids of orders opened, joined by a new finding, and told of a recovery."""

    opened: list[str] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    recovered: list[str] = field(default_factory=list)


def order_id(cause_key: str, finding_id: str) -> str:
    """The id of the order that this finding opens for its cause: the same in every replay and backtest."""
    return "wo_" + hashlib.blake2b(f"{cause_key}{finding_id}".encode()).hexdigest()[:20]


class Desk:
    """Opens and joins orders. `registry` gives the directory in force, so that a site edit needs no new desk."""

    def __init__(self, book: ContractBook, registry: Callable[[], Registry]) -> None:
        self._book, self._registry = book, registry

    def receive(self, session: Session, findings: Sequence[Finding]) -> Received:
        """Write findings as they stand, open or join orders, note recoveries. Pending findings are nobody's business.

        Raises DeskBusyError when other processes open orders faster than this one can number them.
        """
        known = [finding for finding in findings if finding.state is not FindingState.PENDING]
        active = [finding for finding in known if finding.state is FindingState.ACTIVE]
        repository.save_findings(session, active)
        batch = _Batch(session, self._book, self._registry())
        batch.members = repository.member_orders(session, {finding.id for finding in known})
        wanted = [finding.cause_key for finding in active if finding.opens_order and finding.id not in batch.members]
        batch.open_orders = repository.lock_open_orders(session, wanted)
        for finding in known:
            if finding.state is FindingState.CLEARED:
                batch.recover(finding)
            elif finding.opens_order and finding.id not in batch.members:
                batch.place(finding)
        return batch.received


class _Batch:
    """One call of `receive`: what it has read and done so far."""

    def __init__(self, session: Session, book: ContractBook, registry: Registry) -> None:
        self.session, self.book, self.registry = session, book, registry
        self.members: dict[str, str] = {}
        self.open_orders: dict[str, WorkOrderRow] = {}
        self.received = Received()
        self.number: int | None = None

    def place(self, finding: Finding) -> None:
        """Put a finding into the open order of its cause, or into a new one."""
        for _ in range(TRIES):
            order = self.open_orders.get(finding.cause_key)
            if order is not None:
                self.join(order, finding)
                return
            if self.open(finding):
                return
            # Another process was first, with the cause or with the number: look again.
            self.number = None
            self.open_orders |= repository.lock_open_orders(self.session, [finding.cause_key])
            self.members |= repository.member_orders(self.session, [finding.id])
            if finding.id in self.members:
                return
        msg = f"no order could be opened for {finding.cause_key!r} in {TRIES} tries; other processes were first"
        raise DeskBusyError(msg)

    def open(self, finding: Finding) -> bool:
        """Open an order; False when the database refuses because its cause, number or id is taken."""
        opened_at = from_us(finding.raised_us)
        choice = self.book.choose(facts_of(finding, self.registry), opened_at)
        if self.number is None:
            self.number = repository.next_number(self.session)
        opening = Change(1, opened_at, OPEN, DESK, Status.OPEN, note=choice.reason)
        row = _new_row(finding, choice, self.number, opening)
        if not repository.insert_order(self.session, row):
            return False
        self.number += 1
        repository.add_member(self.session, row.id, finding.id)
        repository.append_event(self.session, row.id, opening, finding.id)
        self.open_orders[finding.cause_key] = row
        self.members[finding.id] = row.id
        self.received.opened.append(row.id)
        return True

    def join(self, order: WorkOrderRow, finding: Finding) -> None:
        """Make the finding a member of an open order, with one line of history."""
        self.members[finding.id] = order.id
        if not repository.add_member(self.session, order.id, finding.id):
            return
        status = Status(order.status)
        note = f"Finding joined: {finding.title} ({finding.asset_id}, {finding.severity})."
        if status in (Status.COMPLETED, Status.ACCEPTED):
            note += f" The fault came back after the order was {status}."
        if _RANK[finding.severity] > _RANK[Severity(order.severity)]:
            note += f" It is more severe than the order ({order.severity})."
        self._note(order.id, order.version, JOIN, finding, finding.raised_us, status, note)
        self.received.joined.append(order.id)

    def recover(self, finding: Finding) -> None:
        """Write a cleared finding; its order is told once."""
        if not repository.clear_finding(self.session, finding) or finding.id not in self.members:
            return
        order = repository.find_order(self.session, self.members[finding.id])
        if order is not None:
            note = f"Telemetry recovered: {finding.title} ({finding.asset_id})."
            at_us = finding.cleared_us if finding.cleared_us is not None else finding.raised_us
            self._note(order.id, order.version, RECOVER, finding, at_us, Status(order.status), note)
            self.received.recovered.append(order.id)

    def _note(
        self, order: str, version: int, verb: str, finding: Finding, at_us: int, status: Status, note: str
    ) -> None:
        change = Change(version, from_us(at_us), verb, DESK, status, status, note)
        repository.append_event(self.session, order, change, finding.id)


def _new_row(finding: Finding, choice: LevelChoice, number: int, opening: Change) -> WorkOrderRow:
    clocks = decide_clocks(choice.level, opening.at, [opening], opening.at)
    return WorkOrderRow(
        id=order_id(finding.cause_key, finding.id),
        number=number,
        kind=finding.kind.value,
        status=opening.to_status.value,
        priority=choice.level.priority,
        severity=finding.severity.value,
        building_id=finding.building_id,
        asset_id=finding.asset_id,
        rule_id=finding.rule_id,
        finding_id=finding.id,
        cause_key=finding.cause_key,
        title=finding.title,
        advice=finding.advice,
        diagnoses=list(finding.diagnoses),
        evidence=finding.evidence,
        contract_id=choice.contract_id,
        contract_revision=choice.revision,
        service_level=choice.level.id,
        level_reason=choice.reason,
        default_level=choice.is_default,
        opened_at=opening.at,
        response_due_at=clocks.response.deadline.due_at,
        resolution_due_at=clocks.resolution.deadline.due_at,
        next_due_at=clocks.next_due_at,
    )
