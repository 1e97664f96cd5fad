"""Carries out what a person does to an order: reads it, decides, writes the decision and its line of history."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from facility.fields import unknown
from facility.finding import OrderKind
from ticketing import repository
from ticketing.checklist import decide_leaving_out
from ticketing.checklist_rows import unanswered_items
from ticketing.contract import ServiceLevel
from ticketing.contract_book import ContractBook
from ticketing.limit_zh import PAUSES_ZH
from ticketing.order_clock import decide_clocks
from ticketing.order_facts import active_titles, other_open_order
from ticketing.order_terms import CHANGED, order_terms
from ticketing.placement import Line
from ticketing.relating import Related, relate, tell_other
from ticketing.relation_rows import running_children
from ticketing.said import Said, together, typed
from ticketing.tables import WorkOrderRow
from ticketing.work_order import (
    RELATING,
    SILENT,
    Order,
    Refusal,
    Refused,
    Status,
    Transition,
    Verb,
    Words,
    allowed_verbs,
    decide_transition,
)


@dataclass(frozen=True, slots=True)
class Act:
    """What a person wants: the verb, who she is, when (aware UTC), her words, and the version of the order she saw."""

    verb: Verb
    by: str
    at: datetime
    words: Words = SILENT
    version: int | None = None


def carry_out(session: Session, book: ContractBook, row: WorkOrderRow, act: Act) -> Transition | Refused:
    """Do it, or say why not. `row` should be locked (`find_order(lock=True)`); the caller commits.

    Of two people at once one succeeds and the other is refused with what changed.
    """
    order = _order(session, row)
    verified = act.verb is Verb.ACCEPT and row.kind == OrderKind.FAULT
    active = active_titles(session, row.id) if verified else ()
    children = running_children(session, row.id) if act.verb is Verb.COMPLETE else ()
    decision = decide_transition(
        order, act.verb, act.by, act.at, act.words, version=act.version, active=active, children=children
    )
    if isinstance(decision, Refused):
        return decision
    decided = _beside(session, book, row, act, decision)
    if isinstance(decided, Refused):
        return decided
    decision = decided
    related: Related | None = None
    if decision.verb in RELATING:
        found = relate(session, row, decision)
        if isinstance(found, Refused):
            return found
        decision, related = found.decision, found
    decision, values = _outcome(book, row, order, decision)
    if related is not None:
        values |= related.values
    if not _advance(session, row.id, order.version, values):
        what, hint = "another person was first", "Read the order again and decide anew."
        return Refused(Refusal.STALE, what, hint, allowed_verbs(order.status))
    repository.append_lines(session, [Line(row.id, decision.change)])
    if related is not None and related.other is not None:
        tell_other(session, row, decision, related.other)
    if decision.change.to_status in (Status.COMPLETED, Status.CANCELLED):
        repository.clear_reported(session, row.id, decision.change.at)
    session.refresh(row)
    return decision


def _beside(
    session: Session, book: ContractBook, row: WorkOrderRow, act: Act, decision: Transition
) -> Transition | Refused:
    """The decision with what other orders, the contract and the check list say to it."""
    allowed = allowed_verbs(Status(row.status))
    if act.verb is Verb.REOPEN and (other := other_open_order(session, row)) is not None:
        what, hint = f"its cause has an open order, WO-{other.number:06d}", "Work on that one."
        return Refused(Refusal.CAUSE_TAKEN, what, hint, allowed)
    if act.verb is Verb.RELEVEL:
        return _relevelled(book, row, decision)
    if act.verb in _ENDING and (found := unanswered_items(session, book, row)) is not None:
        visit, unanswered = found
        against = decide_leaving_out(act.verb, visit, unanswered, act.words.note, act.words.override)
        if against is not None:
            return Refused(Refusal.LEFT_OUT, *against, allowed)
        if act.verb is Verb.COMPLETE and unanswered:
            left = len(unanswered)
            left_out = Said(f"{left} items were not answered.", f"{left} 项未填写。")
            return _noted(decision, together(left_out, typed(act.words.override)))
    return decision


_ENDING = frozenset({Verb.COMPLETE, Verb.CANCEL, Verb.MERGE})
"""Verbs after which nobody does the visit any more."""


def _pauses(level: ServiceLevel) -> frozenset[str]:
    promises = [level.response, level.resolution, *(one.promise for one in level.clocks)]
    return frozenset(reason.value for promise in promises for reason in promise.pauses)


def _advance(session: Session, order_id: str, seen_version: int, values: dict[str, Any]) -> bool:
    """False also when another order of the cause was opened in this moment: the database keeps one open."""
    try:
        with session.begin_nested():
            return repository.advance_order(session, order_id, seen_version, values)
    except IntegrityError:
        return False


def _order(session: Session, row: WorkOrderRow) -> Order:
    return repository.as_order(row, repository.histories(session, [row.id])[row.id])


def _outcome(
    book: ContractBook, row: WorkOrderRow, order: Order, decision: Transition
) -> tuple[Transition, dict[str, Any]]:
    """The fields the decision changes, the deadlines among them, and the decision with what the contract says to it."""
    change = decision.change
    values: dict[str, Any] = {"status": change.to_status.value, "version": change.version}
    if decision.verb is Verb.REOPEN:
        values = repository.reopened_values(change)
    elif decision.stamp is not None:
        first = getattr(row, decision.stamp) if decision.verb in (Verb.ACKNOWLEDGE, Verb.ARRIVE) else None
        values[decision.stamp] = first or change.at  # a reopened order was answered once already
    if decision.verb in (Verb.REASSIGN, Verb.DISPATCH):
        values["assignee"] = change.reason
    elif decision.verb is Verb.ACKNOWLEDGE:
        values["assignee"] = row.assignee or change.by
    level = order_terms(book, row, (*order.history, change))
    if decision.verb is Verb.RELEVEL and level is not None:
        values |= {"service_level": level.id, "priority": level.priority, "default_level": level.is_default}
    if level is None:
        lost = Said("Its contract is not loaded: the deadlines stay as they were.", "其合同未加载：截止时间保持不变。")
        values["next_due_at"] = _next_due_at(row, values)
        return _noted(decision, lost), values
    if decision.verb is Verb.HOLD and change.reason not in _pauses(level):
        why = PAUSES_ZH.get(change.reason or "", change.reason)
        runs_on = Said(
            f"The clocks run on: level {level.id} does not pause for {change.reason}.",
            f"继续计时：等级 {level.id} 不因{why}暂停。",
        )
        decision = _noted(decision, runs_on)
    return decision, values | decide_clocks(level, row.opened_at, (*order.history, change), change.at).values()


def _relevelled(book: ContractBook, row: WorkOrderRow, decision: Transition) -> Transition | Refused:
    """The change of level with both levels on its line, or why there is no such level."""
    wanted = decision.change.reason or ""
    revision = book.revision(row.contract_id, row.contract_revision)
    known = [level.id for level in revision.every] if revision is not None else []
    if wanted not in known or wanted == row.service_level:
        what = f"the order is at level {wanted!r} already" if wanted == row.service_level else unknown(
            "level of the order's contract", wanted, known)  # fmt: skip
        return Refused(Refusal.NO_LEVEL, what, f"Levels are: {', '.join(known)}.", allowed_verbs(Status(row.status)))
    change = decision.change
    moved = Said(f"From level {row.service_level} to {wanted}.", f"等级由 {row.service_level} 变更为 {wanted}。")
    change = replace(change, reason=f"{row.service_level}{CHANGED}{wanted}")
    return replace(decision, change=change.saying(together(moved, change.said)))


def _next_due_at(row: WorkOrderRow, values: dict[str, Any]) -> datetime | None:
    if row.arrived_at is None and "arrived_at" not in values and "cancelled_at" not in values:
        return row.response_due_at
    done = values.get("completed_at", row.completed_at) is not None or "cancelled_at" in values
    return None if done else row.resolution_due_at


def _noted(decision: Transition, text: Said) -> Transition:
    change = decision.change
    return replace(decision, change=change.saying(together(change.said, text)))
