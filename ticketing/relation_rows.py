"""How orders belong together in the tables: parents and children, links, and orders merged into others."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from ticketing.relation import Kin
from ticketing.statements import chunks, insert_into
from ticketing.tables import WorkOrderRow
from ticketing.tables_work import LinkRow
from ticketing.work_order import RUNNING_STATUSES, Status

DEEPEST = 20


@dataclass(slots=True)
class Relations:
    """What belongs to one order, as numbers (`WO-000012`), each list ascending."""

    parent: str | None = None
    merged_into: str | None = None
    children: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


def kin_of(session: Session, row: WorkOrderRow) -> Kin:
    """The order with those it is part of."""
    above: list[str] = []
    parent = row.parent_id
    while parent is not None and parent not in above and len(above) < DEEPEST:
        above.append(parent)
        parent = session.exec(select(WorkOrderRow.parent_id).where(WorkOrderRow.id == parent)).one_or_none()
    return Kin(row.id, row.number, row.kind, Status(row.status), tuple(above))


def running_children(session: Session, order_id: str) -> tuple[str, ...]:
    """The numbers of the orders that are part of this one and whose work is not done."""
    running = col(WorkOrderRow.status).in_(sorted(RUNNING_STATUSES))
    query = select(WorkOrderRow.number).where(WorkOrderRow.parent_id == order_id, running)
    return tuple(_number(number) for number in session.exec(query.order_by(col(WorkOrderRow.number))))


def add_link(session: Session, one: str, other: str, by: str, at: datetime) -> bool:
    """Link two orders; False when they are linked already."""
    low, high = sorted((one, other))
    if session.get(LinkRow, (low, high)) is not None:
        return False
    values = {"work_order_id": low, "other_id": high, "by": by, "at": at}
    session.execute(insert_into(session.get_bind().dialect.name, LinkRow).values(values).on_conflict_do_nothing())
    return True


def move_relations(session: Session, merged: str, into: str) -> None:
    """What was part of a merged order, or merged into it, belongs to the one that took it over."""
    row = WorkOrderRow
    session.execute(sa.update(row).where(col(row.parent_id) == merged, col(row.id) != into).values(parent_id=into))
    session.execute(sa.update(row).where(col(row.merged_into) == merged).values(merged_into=into))


def merged_ids(session: Session, order_ids: Iterable[str]) -> dict[str, str]:
    """Id of an order that was merged -> the one of these it was merged into."""
    found: dict[str, str] = {}
    for part in chunks(order_ids):
        query = sa.select(col(WorkOrderRow.id), col(WorkOrderRow.merged_into)).where(
            col(WorkOrderRow.merged_into).in_(part)
        )
        found |= {merged: str(into) for merged, into in session.execute(query)}
    return found


def relations(session: Session, rows: Iterable[WorkOrderRow]) -> dict[str, Relations]:
    """Order id -> what belongs to it, in a few questions for all of them."""
    wanted = {row.id: row for row in rows}
    found = {order_id: Relations() for order_id in wanted}
    named = {one for row in wanted.values() for one in (row.parent_id, row.merged_into) if one is not None}
    table = WorkOrderRow
    for part in chunks(wanted):
        below = sa.select(col(table.parent_id), col(table.number)).where(col(table.parent_id).in_(part))
        for parent, number in session.execute(below.order_by(col(table.number))):
            found[str(parent)].children.append(_number(number))
        merged = sa.select(col(table.merged_into), col(table.number)).where(col(table.merged_into).in_(part))
        for into, number in session.execute(merged.order_by(col(table.number))):
            found[str(into)].merged.append(_number(number))
    pairs = _links(session, wanted)
    named |= {other for _, other in pairs}
    shown = _numbers(session, named)
    for order_id, row in wanted.items():
        found[order_id].parent = shown.get(row.parent_id or "")
        found[order_id].merged_into = shown.get(row.merged_into or "")
    for order_id, other in pairs:
        found[order_id].links.append(shown.get(other, other))
    for one in found.values():
        one.links.sort()
    return found


def _links(session: Session, wanted: Iterable[str]) -> list[tuple[str, str]]:
    one, other = col(LinkRow.work_order_id), col(LinkRow.other_id)
    pairs: list[tuple[str, str]] = []
    for part in chunks(wanted):
        pairs += [(a, b) for a, b in session.execute(sa.select(one, other).where(one.in_(part)))]
        pairs += [(b, a) for a, b in session.execute(sa.select(one, other).where(other.in_(part)))]
    return pairs


def _numbers(session: Session, order_ids: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in chunks(order_ids):
        query = sa.select(col(WorkOrderRow.id), col(WorkOrderRow.number)).where(col(WorkOrderRow.id).in_(part))
        found |= {order_id: _number(number) for order_id, number in session.execute(query)}
    return found


def _number(number: int) -> str:
    return f"WO-{number:06d}"
