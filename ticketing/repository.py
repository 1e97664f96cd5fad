"""Every question to and change of the tables of work orders. The caller owns the transaction; nothing commits here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import CursorResult
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from facility.finding import Finding, FindingState, Severity
from facility.instant import from_us
from ticketing.placement import Line, NewOrder, Reopening, Standing
from ticketing.tables import OPEN_CONDITION, EngineStateRow, EventRow, FindingRow, MemberRow, WorkOrderRow
from ticketing.work_order import RUNNING_STATUSES, Change, Order, Status

_STOPPED = frozenset(Status) - RUNNING_STATUSES
CHUNK = 500  # members of one IN list: below SQLite's old limit of 999 variables
Item = TypeVar("Item")


class _MovedOnError(Exception):
    """A row is no longer at the version a decision was made on; the savepoint is rolled back."""


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """Which orders a list shows. `statuses` empty means all; every other None means any, a limit
    of None all.
    """

    statuses: frozenset[Status] = frozenset()
    asset_id: str | None = None
    kind: str | None = None
    rule_id: str | None = None
    limit: int | None = 100
    offset: int = 0


def save_findings(session: Session, findings: Iterable[Finding]) -> None:
    """Write findings as they stand now, the last word of each. A cleared one stays cleared: an onset clears once."""
    last = {finding.id: finding for finding in findings}
    if last:
        values = [_finding_values(last[finding_id]) for finding_id in sorted(last)]
        session.execute(_upsert_finding(session.get_bind().dialect.name), values)


def lock_active(session: Session, finding_ids: Iterable[str]) -> frozenset[str]:
    """Those of the findings that are known and not cleared yet, held until the transaction ends."""
    found: set[str] = set()
    for part in _chunks(sorted(finding_ids)):
        state = col(FindingRow.state) != FindingState.CLEARED.value
        query = select(FindingRow.id).where(col(FindingRow.id).in_(part), state).order_by(FindingRow.id)
        found |= set(session.exec(query.with_for_update()))
    return frozenset(found)


def list_findings(
    session: Session, *, active: bool | None, limit: int | None, offset: int = 0, asset_id: str | None = None
) -> Sequence[FindingRow]:
    """Findings, the newest raised first; only active or only cleared ones when `active` says so. No limit: all."""
    query = select(FindingRow)
    if active is not None:
        state = FindingState.ACTIVE if active else FindingState.CLEARED
        query = query.where(FindingRow.state == state.value)
    if asset_id is not None:
        query = query.where(FindingRow.asset_id == asset_id)
    newest = (col(FindingRow.raised_at).desc(), col(FindingRow.id))
    return session.exec(query.order_by(*newest).limit(limit).offset(offset)).all()


def member_orders(session: Session, finding_ids: Iterable[str]) -> dict[str, str]:
    """Finding id -> order id, of those that belong to an order."""
    found: dict[str, str] = {}
    for part in _chunks(finding_ids):
        query = select(MemberRow).where(col(MemberRow.finding_id).in_(part))
        found |= {row.finding_id: row.work_order_id for row in session.exec(query)}
    return found


def lock_open_orders(session: Session, cause_keys: Iterable[str]) -> dict[str, Standing]:
    """The open orders of these causes by id, held until the transaction ends, so that nobody closes one meanwhile."""
    # The condition is written as in the unique index, else neither database would use it.
    parts = ((col(WorkOrderRow.cause_key).in_(part), sa.text(OPEN_CONDITION)) for part in _chunks(sorted(cause_keys)))
    return _standings(session, parts, lock=True)


def standings(session: Session, order_ids: Iterable[str]) -> dict[str, Standing]:
    """These orders by id."""
    parts = ((col(WorkOrderRow.id).in_(part),) for part in _chunks(sorted(order_ids)))
    return _standings(session, parts, lock=False)


def lock_done_orders(session: Session, cause_keys: Iterable[str]) -> dict[str, WorkOrderRow]:
    """Cause -> its last order whose work is done (completed, accepted or closed), held until the transaction ends."""
    found: dict[str, WorkOrderRow] = {}
    done = col(WorkOrderRow.status).in_(["completed", "accepted", "closed"])
    for part in _chunks(sorted(cause_keys)):
        query = (
            select(WorkOrderRow).where(col(WorkOrderRow.cause_key).in_(part), done).order_by(col(WorkOrderRow.number))
        )
        rows = session.exec(query.with_for_update().execution_options(populate_existing=True))
        found |= {row.cause_key: row for row in rows}
    return found


def reopen_orders(session: Session, reopened: Sequence[Reopening]) -> bool:
    """Write all, or none and False: when one has moved on, or its cause has another open order since."""
    try:
        with session.begin_nested():
            for one in reopened:
                values = one.clocks.values() | reopened_values(one.change) | {"repeats": one.repeats}
                if not advance_order(session, one.order_id, one.seen_version, values):
                    raise _MovedOnError
    except (IntegrityError, _MovedOnError):
        return False
    return True


def reopened_values(change: Change) -> dict[str, Any]:
    """The fields that a reopening changes, the deadlines aside."""
    over = dict.fromkeys(("completed_at", "accepted_at", "closed_at"))
    return over | {"status": change.to_status.value, "version": change.version, "reopened_at": change.at}


def next_number(session: Session) -> int:
    """The number after the highest one. Another process may take it first: then `insert_orders` says False."""
    return (session.exec(select(func.max(WorkOrderRow.number))).one() or 0) + 1


def insert_orders(session: Session, orders: Sequence[NewOrder]) -> bool:
    """Insert all, or none and False: when a cause has an open order already, or a number or id is taken."""
    if not orders:
        return True
    try:
        with session.begin_nested():
            session.execute(sa.insert(WorkOrderRow), [_order_values(order) for order in orders])
    except IntegrityError:
        return False
    return True


def add_members(session: Session, members: Sequence[tuple[str, str]]) -> None:
    """Add (finding id, order id). A finding that is in an order already raises IntegrityError."""
    if members:
        values = [{"finding_id": finding_id, "work_order_id": order_id} for finding_id, order_id in members]
        session.execute(sa.insert(MemberRow), values)


def append_lines(session: Session, lines: Sequence[Line]) -> None:
    """Append lines to the histories of orders, in this order."""
    if lines:
        session.execute(sa.insert(EventRow), [_line_values(line) for line in lines])


def find_order(session: Session, name: str, *, lock: bool = False) -> WorkOrderRow | None:
    """The order of this id or number (`WO-000012` or `12`); with `lock`, held until the transaction ends."""
    digits = name.upper().removeprefix("WO-")
    query = select(WorkOrderRow)
    if digits.isascii() and digits.isdecimal() and len(digits) <= 9:  # more does not fit the column
        query = query.where(WorkOrderRow.number == int(digits))
    else:
        query = query.where(WorkOrderRow.id == name)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.exec(query).one_or_none()


def list_orders(session: Session, query: OrderQuery) -> Sequence[WorkOrderRow]:
    """Orders by time left: the nearest running deadline first, then those that have none, newest first."""
    statuses = query.statuses or frozenset(Status)
    running, rest = statuses & RUNNING_STATUSES, statuses - RUNNING_STATUSES
    due, number, status = col(WorkOrderRow.next_due_at), col(WorkOrderRow.number), col(WorkOrderRow.status)
    rows: list[WorkOrderRow] = []
    before = 0
    # Each condition is the one whose index also gives the order: nothing is sorted but a few completed orders.
    if running:
        where = [due.is_not(None) if running == RUNNING_STATUSES else status.in_(sorted(running)), *_wanted(query)]
        page = select(WorkOrderRow).where(*where).order_by(due, number)
        rows += session.exec(page.limit(query.limit).offset(query.offset))
        if query.limit is not None and len(rows) >= query.limit:
            return rows
        if query.offset:
            before = session.exec(select(func.count()).select_from(WorkOrderRow).where(*where)).one()
    if rest:
        where = [due.is_(None) if rest == _STOPPED else status.in_(sorted(rest)), *_wanted(query)]
        page = select(WorkOrderRow).where(*where).order_by(number.desc())
        left = query.limit - len(rows) if query.limit is not None else None
        rows += session.exec(page.limit(left).offset(max(0, query.offset - before)))
    return rows


def _wanted(query: OrderQuery) -> list[sa.ColumnElement[bool]]:
    return [
        col(column) == value
        for column, value in (
            (WorkOrderRow.asset_id, query.asset_id),
            (WorkOrderRow.kind, query.kind),
            (WorkOrderRow.rule_id, query.rule_id),
        )
        if value is not None
    ]


def histories(session: Session, order_ids: Iterable[str]) -> dict[str, tuple[EventRow, ...]]:
    """Order id -> its whole history in order of writing."""
    found: dict[str, list[EventRow]] = {}
    for part in _chunks(order_ids):
        query = select(EventRow).where(col(EventRow.work_order_id).in_(part)).order_by(col(EventRow.id))
        for row in session.exec(query):
            found.setdefault(row.work_order_id, []).append(row)
    return {order_id: tuple(rows) for order_id, rows in found.items()}


def members(session: Session, order_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Order id -> the ids of its findings, in order of their raising."""
    found: dict[str, list[str]] = {}
    for part in _chunks(order_ids):
        query = (
            select(MemberRow)
            .join(FindingRow, col(FindingRow.id) == col(MemberRow.finding_id))
            .where(col(MemberRow.work_order_id).in_(part))
            .order_by(col(FindingRow.raised_at), col(FindingRow.id))
        )
        for row in session.exec(query):
            found.setdefault(row.work_order_id, []).append(row.finding_id)
    return {order_id: tuple(ids) for order_id, ids in found.items()}


def as_order(row: WorkOrderRow, history: Iterable[EventRow]) -> Order:
    """The row and its history as the value that decisions are made on."""
    return Order(row.id, Status(row.status), row.version, tuple(as_change(event) for event in history))


def as_change(row: EventRow) -> Change:
    """One line of history as a value."""
    before = Status(row.from_status) if row.from_status is not None else None
    return Change(row.version, row.at, row.verb, row.by, Status(row.to_status), before, row.note, row.reason)


def advance_order(session: Session, order_id: str, seen_version: int, values: dict[str, Any]) -> bool:
    """Write a decision made on `seen_version`; False, and nothing written, when the order has moved on since."""
    still = (col(WorkOrderRow.id) == order_id, col(WorkOrderRow.version) == seen_version)
    return bool(_count(session.execute(sa.update(WorkOrderRow).where(*still).values(values))))


def save_cursor(session: Session, seq: int, name: str = "engine") -> None:
    """The engine's output up to and including commit `seq` is in this database; never goes back."""
    insert = _insert(session.get_bind().dialect.name, EngineStateRow).values(name=name, cursor_seq=seq)
    newest = sa.case((insert.excluded.cursor_seq > EngineStateRow.cursor_seq, insert.excluded.cursor_seq),
                     else_=EngineStateRow.cursor_seq)  # fmt: skip
    session.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"cursor_seq": newest}))


def save_snapshot(session: Session, seq: int, blob: bytes, name: str = "engine") -> None:
    """The engine's whole state after commit `seq`; replaces the one before."""
    insert = _insert(session.get_bind().dialect.name, EngineStateRow).values(
        name=name, cursor_seq=0, snapshot=blob, snapshot_seq=seq
    )
    changed = {"snapshot": insert.excluded.snapshot, "snapshot_seq": insert.excluded.snapshot_seq}
    session.execute(insert.on_conflict_do_update(index_elements=["name"], set_=changed))


def load_engine_state(session: Session, name: str = "engine") -> EngineStateRow:
    """Cursor and snapshot; a cursor of 0 and no snapshot when the engine never ran."""
    row = session.get(EngineStateRow, name, populate_existing=True)
    return row if row is not None else EngineStateRow(name=name, cursor_seq=0)


def _finding_values(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "rule_id": finding.rule_id,
        "asset_id": finding.asset_id,
        "building_id": finding.building_id,
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "state": finding.state.value,
        "title": finding.title,
        "advice": finding.advice,
        "cause_key": finding.cause_key,
        "onset_at": from_us(finding.onset_us),
        "raised_at": from_us(finding.raised_us),
        "cleared_at": _instant(finding.cleared_us),
        "suppressed_by": finding.suppressed_by,
        "shelved_by": finding.shelved_by,
        "diagnoses": list(finding.diagnoses),
        "evidence": finding.evidence,
    }


def _order_values(order: NewOrder) -> dict[str, Any]:
    finding, choice, clocks = order.finding, order.choice, order.clocks
    return {
        "id": order.id,
        "number": order.number,
        "version": order.opening.version,
        "kind": finding.kind.value,
        "status": order.opening.to_status.value,
        "priority": choice.level.priority,
        "severity": finding.severity.value,
        "building_id": finding.building_id,
        "asset_id": finding.asset_id,
        "rule_id": finding.rule_id,
        "finding_id": finding.id,
        "cause_key": finding.cause_key,
        "title": finding.title,
        "advice": finding.advice,
        "diagnoses": list(finding.diagnoses),
        "evidence": finding.evidence,
        "contract_id": choice.contract_id,
        "contract_revision": choice.revision,
        "service_level": choice.level.id,
        "level_reason": choice.reason,
        "default_level": choice.is_default,
        "opened_at": order.opening.at,
        "key_equipment": order.key_equipment,
        "planned_due_at": order.planned_due_at,
        "repeat_of": order.repeat_of,
        "repeats": order.repeats,
        **clocks.values(),
    }


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
    }


def _standings(session: Session, parts: Iterable[Sequence[Any]], *, lock: bool) -> dict[str, Standing]:
    row = WorkOrderRow
    columns = [col(row.id), col(row.cause_key), col(row.status), col(row.version), col(row.severity)]
    found: dict[str, Standing] = {}
    for where in parts:
        query = sa.select(*columns).where(*where).order_by(col(row.id))
        for key, cause, status, version, severity in session.execute(query.with_for_update() if lock else query):
            found[key] = Standing(key, cause, Status(status), version, Severity(severity))
    return found


def _instant(at_us: int | None) -> datetime | None:
    return from_us(at_us) if at_us is not None else None


@cache
def _upsert_finding(dialect: str) -> "postgresql.Insert":
    """Built once: its many columns cost more to put together than to run."""
    insert = _insert(dialect, FindingRow)
    changed = {name: insert.excluded[name] for name in FindingRow.model_fields if name != "id"}
    keep = col(FindingRow.state) != FindingState.CLEARED.value
    return insert.on_conflict_do_update(index_elements=["id"], set_=changed, where=keep)


def _insert(dialect: str, table: type[Any]) -> "postgresql.Insert":
    """An insert that knows ON CONFLICT; both databases spell it the same."""
    if dialect == "postgresql":
        return postgresql.insert(table)
    return cast("postgresql.Insert", sqlite.insert(table))


def _count(result: sa.Result[Any]) -> int:
    return cast("CursorResult[Any]", result).rowcount


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while part := list(islice(iterator, CHUNK)):
        yield part
