"""Carries out the verbs that relate an order to another one: merge, link, parent."""

from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session

from ticketing import repository
from ticketing.placement import Line
from ticketing.relation import decide_relation
from ticketing.relation_rows import add_link, kin_of, move_relations
from ticketing.tables import WorkOrderRow
from ticketing.work_order import Change, Refusal, Refused, Status, Transition, Verb, allowed_verbs

MERGED = "merged"
LINKED = "linked"
CHILD = "child"


@dataclass(frozen=True, slots=True)
class Related:
    """What a relating verb changes: the decision with the order it names, the order's fields, and the other order."""

    decision: Transition
    values: dict[str, Any]
    other: WorkOrderRow | None


def relate(session: Session, row: WorkOrderRow, decision: Transition) -> Related | Refused:
    """The decision with the other order found and held, or why it cannot be."""
    allowed = allowed_verbs(Status(row.status))
    if decision.verb is Verb.PARENT and decision.change.reason is None:
        if row.parent_id is None:
            what, hint = "the order is part of no other", "Name as `to` the order it is to be part of."
            return Refused(Refusal.NOT_RELATED, what, hint, allowed)
        return Related(_worded(decision, "Part of no other order now.", None), {"parent_id": None}, None)
    name = decision.change.reason or ""
    other = repository.find_order(session, name, lock=decision.verb is not Verb.LINK)
    if other is None:
        what, hint = f"there is no work order {name!r}", "Name an order by its id or number as `to`."
        return Refused(Refusal.NOT_RELATED, what, hint, allowed)
    against = decide_relation(decision.verb, kin_of(session, row), kin_of(session, other))
    if against is not None:
        return Refused(Refusal.NOT_RELATED, *against, allowed)
    if decision.verb is Verb.LINK and not add_link(session, row.id, other.id, decision.change.by, decision.change.at):
        what, hint = f"it is linked with {kin_of(session, other)} already", "Nothing is left to do."
        return Refused(Refusal.NOT_RELATED, what, hint, allowed)
    word, column = _WORDS[decision.verb]
    related = _worded(decision, f"{word} {kin_of(session, other)}.", other.id)
    return Related(related, {column: other.id} if column else {}, other)


_WORDS = {Verb.MERGE: ("Into", "merged_into"), Verb.PARENT: ("Part of", "parent_id"), Verb.LINK: ("With", "")}


def tell_other(session: Session, row: WorkOrderRow, decision: Transition, other: WorkOrderRow) -> None:
    """Append the other side of the relation to the other order's history, and let it take over what was merged."""
    says = {
        Verb.MERGE: (MERGED, "was merged into this order, with its findings and its cause."),
        Verb.PARENT: (CHILD, "is part of this order."),
        Verb.LINK: (LINKED, "was linked with this order."),
    }
    verb, text = says[decision.verb]
    if decision.verb is Verb.MERGE:
        move_relations(session, row.id, other.id)
    status = Status(other.status)
    note = f"WO-{row.number:06d} {text}"
    change = Change(other.version, decision.change.at, verb, decision.change.by, status, status, note, row.id)
    repository.append_lines(session, [Line(other.id, change)])


def _worded(decision: Transition, text: str, other_id: str | None) -> Transition:
    change = decision.change
    return replace(decision, change=replace(change, note=f"{text} {change.note}".strip(), reason=other_id))
