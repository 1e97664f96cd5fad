"""Carries out the verbs that relate an order to another one: merge, link, parent."""

from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session

from ticketing import repository
from ticketing.placement import Line
from ticketing.relation import decide_relation
from ticketing.relation_rows import add_link, kin_of, move_relations
from ticketing.said import Said, together, typed
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
        return Related(
            _worded(decision, Said("Part of no other order now.", "现不属于其他工单。"), None),
            {"parent_id": None},
            None,
        )
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
    name = str(kin_of(session, other))
    related = _worded(decision, Said(f"{word.en} {name}.", f"{word.zh} {name}。"), other.id)
    return Related(related, {column: other.id} if column else {}, other)


_WORDS = {
    Verb.MERGE: (Said("Into", "并入"), "merged_into"),
    Verb.PARENT: (Said("Part of", "属于"), "parent_id"),
    Verb.LINK: (Said("With", "关联"), ""),
}


def tell_other(session: Session, row: WorkOrderRow, decision: Transition, other: WorkOrderRow) -> None:
    """Append the other side of the relation to the other order's history, and let it take over what was merged."""
    says = {
        Verb.MERGE: (
            MERGED,
            Said("was merged into this order, with its findings and its cause.", "连同其发现与原因并入本工单。"),
        ),
        Verb.PARENT: (CHILD, Said("is part of this order.", "属于本工单。")),
        Verb.LINK: (LINKED, Said("was linked with this order.", "已与本工单关联。")),
    }
    verb, text = says[decision.verb]
    if decision.verb is Verb.MERGE:
        move_relations(session, row.id, other.id)
    status = Status(other.status)
    note = together(typed(f"WO-{row.number:06d}"), text)
    change = Change(other.version, decision.change.at, verb, decision.change.by, status, status, reason=row.id)
    repository.append_lines(session, [Line(other.id, change.saying(note))])


def _worded(decision: Transition, text: Said, other_id: str | None) -> Transition:
    change = replace(decision.change, reason=other_id)
    return replace(decision, change=change.saying(together(text, change.said)))
