"""The append-only histories of orders, as rows and as the values that decisions are made on."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from ticketing.placement import Line
from ticketing.statements import chunks, read_columns, table_of
from ticketing.tables import NO_JOIN, EventRow, WorkOrderRow
from ticketing.watch_rows import look_again
from ticketing.work_order import Change, Order, Status

_STATUS = {status.value: status for status in Status}


class StoredLine(NamedTuple):
    """A line of history as it is kept. A plain tuple: a page of orders reads thousands of them."""

    id: int
    work_order_id: str
    version: int
    at: datetime
    verb: str
    by: str
    note: str
    reason: str | None
    from_status: Status | None
    to_status: Status
    finding_id: str | None
    proof: str | None
    note_zh: str | None


class WrittenLine(NamedTuple):
    """That a line was written, and where its order is."""

    id: int
    order_id: str
    building_id: str
    asset_id: str
    verb: str


_ORDER = attrgetter("work_order_id")
_STATUSES = tuple(index for index, name in enumerate(StoredLine._fields) if name.endswith("_status"))


def newest_line(session: Session, after: int) -> tuple[int, int]:
    """The highest number of a line, and how many are higher than `after`: they change when a line is written, also one
    that was numbered before others and committed behind them. Cheap for an `after` near the end."""
    query = sa.select(sa.func.max(col(EventRow.id)), sa.func.count()).where(col(EventRow.id) > after)
    newest, count = session.execute(query).one()
    return int(newest or 0), int(count)


def lines_after(session: Session, newest: int | None, limit: int) -> list[WrittenLine]:
    """The lines with a higher number, the oldest first; with None, the newest ones."""
    query = sa.select(
        col(EventRow.id),
        col(EventRow.work_order_id),
        col(WorkOrderRow.building_id),
        col(WorkOrderRow.asset_id),
        col(EventRow.verb),
    ).join_from(EventRow, WorkOrderRow, col(EventRow.work_order_id) == col(WorkOrderRow.id))
    if newest is None:
        rows = session.execute(query.order_by(col(EventRow.id).desc()).limit(limit)).all()[::-1]
    else:
        rows = session.execute(query.where(col(EventRow.id) > newest).order_by(col(EventRow.id)).limit(limit)).all()
    return [WrittenLine(*row) for row in rows]


def append_lines(session: Session, lines: Sequence[Line]) -> None:
    """Append lines to the histories of orders, in this order; each order is looked at again for what is to be told."""
    if lines:
        session.execute(sa.insert(table_of(EventRow)), [_line_values(line) for line in lines])
        look_again(session, {line.order_id: line.change.at for line in reversed(lines)})


def histories(session: Session, order_ids: Iterable[str], *, joins: bool = True) -> dict[str, tuple[StoredLine, ...]]:
    """Order id -> its history in order of writing: all of it, or without the lines of findings that joined, of which a
    storm leaves thousands and no deadline depends on one."""
    event = EventRow
    found: dict[str, tuple[StoredLine, ...]] = {}
    for part in chunks(order_ids):

        def which(query: "sa.Select[Any]", part: Sequence[str] = part) -> "sa.Select[Any]":
            query = query.where(col(event.work_order_id).in_(part))
            query = query if joins else query.where(NO_JOIN)
            return query.order_by(col(event.work_order_id), col(event.id))  # as the indexes have them

        columns = read_columns(session, event, StoredLine._fields, which)
        for index in _STATUSES:
            columns[index] = [_STATUS.get(one) for one in columns[index]]
        lines = map(StoredLine, *columns)
        found.update((order_id, tuple(own)) for order_id, own in groupby(lines, _ORDER))
    return found


def as_order(row: WorkOrderRow, history: Iterable[StoredLine]) -> Order:
    """The row and its history as the value that decisions are made on."""
    return Order(row.id, Status(row.status), row.version, tuple(as_change(event) for event in history))


def as_change(line: StoredLine) -> Change:
    """One line of history as a value."""
    return Change(
        line.version, line.at, line.verb, line.by, line.to_status, line.from_status, line.note, line.reason,
        line.proof or "", line.note_zh or "",
    )  # fmt: skip


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
        "note_zh": change.note_zh or None,
    }
