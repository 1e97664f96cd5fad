"""Carries out what a person does to an order: reads it, decides, writes the decision and its line of history."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from ticketing import repository
from ticketing.contract import PauseReason
from ticketing.contract_book import ContractBook
from ticketing.order_clock import decide_clocks
from ticketing.placement import Line
from ticketing.tables import WorkOrderRow
from ticketing.work_order import Order, Refusal, Refused, Transition, Verb, allowed_verbs, decide_transition


@dataclass(frozen=True, slots=True)
class Act:
    """What a person wants: the verb, who she is, when (aware UTC), and the version of the order she saw."""

    verb: Verb
    by: str
    at: datetime
    note: str = ""
    reason: PauseReason | None = None
    version: int | None = None


def carry_out(session: Session, book: ContractBook, row: WorkOrderRow, act: Act) -> Transition | Refused:
    """Do it, or say why not. `row` should be locked (`find_order(lock=True)`); the caller commits.

    Of two people at once one succeeds and the other is refused with what changed.
    """
    order = _order(session, row)
    decision = decide_transition(order, act.verb, act.by, act.at, note=act.note, reason=act.reason, version=act.version)
    if isinstance(decision, Refused):
        return decision
    decision, values = _outcome(book, row, order, decision)
    if not repository.advance_order(session, row.id, order.version, values):
        what, hint = "another person was first", "Read the order again and decide anew."
        return Refused(Refusal.STALE, what, hint, allowed_verbs(order.status))
    repository.append_lines(session, [Line(row.id, decision.change)])
    session.refresh(row)
    return decision


def _order(session: Session, row: WorkOrderRow) -> Order:
    return repository.as_order(row, repository.histories(session, [row.id])[row.id])


def _outcome(
    book: ContractBook, row: WorkOrderRow, order: Order, decision: Transition
) -> tuple[Transition, dict[str, Any]]:
    """The fields the decision changes, the deadlines among them, and the decision with what the contract says to it."""
    change = decision.change
    values: dict[str, Any] = {"status": change.to_status.value, "version": change.version}
    if decision.stamp is not None:
        values[decision.stamp] = change.at
    level = book.level(row.contract_id, row.contract_revision, row.service_level)
    if level is None:
        lost = "Its contract is not loaded: the deadlines stay as they were."
        values["next_due_at"] = _next_due_at(row, values)
        return _noted(decision, lost), values
    if decision.verb is Verb.HOLD and change.reason not in level.response.pauses | level.resolution.pauses:
        decision = _noted(decision, f"The clocks run on: level {level.id} does not pause for {change.reason}.")
    clocks = decide_clocks(level, row.opened_at, (*order.history, change), change.at)
    values["response_due_at"] = clocks.response.deadline.due_at
    values["resolution_due_at"] = clocks.resolution.deadline.due_at
    values["next_due_at"] = clocks.next_due_at
    return decision, values


def _next_due_at(row: WorkOrderRow, values: dict[str, Any]) -> datetime | None:
    if row.arrived_at is None and "arrived_at" not in values and "cancelled_at" not in values:
        return row.response_due_at
    running = row.completed_at is None and not {"completed_at", "cancelled_at"} & values.keys()
    return row.resolution_due_at if running else None


def _noted(decision: Transition, text: str) -> Transition:
    change = decision.change
    return replace(decision, change=replace(change, note=f"{change.note} {text}".strip()))
