"""The append-only histories of orders, as rows and as the values that decisions are made on."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from ticketing.placement import Line
from ticketing.statements import chunks
from ticketing.tables import EventRow, WorkOrderRow
from ticketing.watch_rows import look_again
from ticketing.work_order import Change, Order, Status


def append_lines(session: Session, lines: Sequence[Line]) -> None:
    """Append lines to the histories of orders, in this order; each order is looked at again for what is to be told."""
    if lines:
        session.execute(sa.insert(EventRow), [_line_values(line) for line in lines])
        look_again(session, {line.order_id: line.change.at for line in reversed(lines)})


def histories(session: Session, order_ids: Iterable[str]) -> dict[str, tuple[EventRow, ...]]:
    """Order id -> its whole history in order of writing."""
    found: dict[str, list[EventRow]] = {}
    for part in chunks(order_ids):
        query = select(EventRow).where(col(EventRow.work_order_id).in_(part)).order_by(col(EventRow.id))
        for row in session.exec(query):
            found.setdefault(row.work_order_id, []).append(row)
    return {order_id: tuple(rows) for order_id, rows in found.items()}


def as_order(row: WorkOrderRow, history: Iterable[EventRow]) -> Order:
    """The row and its history as the value that decisions are made on."""
    return Order(row.id, Status(row.status), row.version, tuple(as_change(event) for event in history))


def as_change(row: EventRow) -> Change:
    """One line of history as a value."""
    before = Status(row.from_status) if row.from_status is not None else None
    return Change(
        row.version, row.at, row.verb, row.by, Status(row.to_status), before, row.note, row.reason, row.proof or ""
    )


def _line_values(line: Line) -> dict[str, Any]:
    change = line.change
    return {
        "work_order_id": line.order_id,
        "version": change.version,
        "at": change.at,
        "verb": change.verb,
        "by": change.by,
        "note": change.note,
        "reason": change.reason,
        "from_status": change.from_status.value if change.from_status is not None else None,
        "to_status": change.to_status.value,
        "finding_id": line.finding_id,
        "proof": change.proof or None,
    }
