"""The rows of orders: held, opened, moved on. The caller owns the transaction; nothing commits here."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from facility.finding import Severity
from ticketing.placement import NewOrder, Reopening, Standing
from ticketing.statements import chunks, row_count, table_of
from ticketing.tables import OPEN_CONDITION, WorkOrderRow
from ticketing.work_order import OPEN_STATUSES, Change, Status

_DONE = ("completed", "accepted", "closed")
_MERGED, _INTO = aliased(WorkOrderRow), aliased(WorkOrderRow)
"""A merged order and the one that took it over. Made once: each costs a millisecond, and every opening asks."""


class _MovedOnError(Exception):
    """A row is no longer at the version a decision was made on; the savepoint is rolled back."""


def lock_open_orders(session: Session, causes: Iterable[str]) -> dict[str, Standing]:
    """The open orders of these causes by id, held until the transaction ends, so that nobody closes one meanwhile."""
    cause_keys = sorted(causes)
    # The condition is written as in the unique index, else neither database would use it.
    parts = ((col(WorkOrderRow.cause_key).in_(part), sa.text(OPEN_CONDITION)) for part in chunks(cause_keys))
    found = _standings(session, parts, lock=True)
    return found | _merged_standings(session, set(cause_keys) - {one.cause_key for one in found.values()})


def standings(session: Session, order_ids: Iterable[str]) -> dict[str, Standing]:
    """These orders by id."""
    parts = ((col(WorkOrderRow.id).in_(part),) for part in chunks(sorted(order_ids)))
    return _standings(session, parts, lock=False)


def lock_done_orders(session: Session, cause_keys: Iterable[str]) -> dict[str, WorkOrderRow]:
    """Cause -> its last order whose work is done (completed, accepted or closed), held until the transaction ends.

    The work on a cause whose order was merged was done on the order that took it over.
    """
    found: dict[str, WorkOrderRow] = {}
    merged, into = _MERGED, _INTO
    done, done_into = col(WorkOrderRow.status).in_(_DONE), col(into.status).in_(_DONE)
    for part in chunks(sorted(cause_keys)):
        query = (
            select(WorkOrderRow).where(col(WorkOrderRow.cause_key).in_(part), done).order_by(col(WorkOrderRow.number))
        )
        rows = session.exec(query.with_for_update(key_share=True).execution_options(populate_existing=True))
        found |= {row.cause_key: row for row in rows}
        taken = (
            sa.select(col(merged.cause_key), into)
            .join(into, col(merged.merged_into) == col(into.id))
            .where(col(merged.cause_key).in_(part), done_into)
            .order_by(col(into.number))
            .with_for_update(of=into, key_share=True)
            .execution_options(populate_existing=True)
        )
        for cause, row in session.execute(taken):
            own = found.get(cause)
            if own is None or own.completed_at is None or (row.completed_at or own.completed_at) > own.completed_at:
                found[cause] = row
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
            session.execute(sa.insert(table_of(WorkOrderRow)), [_order_values(order) for order in orders])
    except IntegrityError:
        return False
    return True


def find_order(session: Session, name: str, *, lock: bool = False) -> WorkOrderRow | None:
    """The order of this id or number (`WO-000012` or `12`); with `lock`, held until the transaction ends."""
    if "\x00" in name:  # PostgreSQL refuses to compare with it
        return None
    digits = name.upper().removeprefix("WO-")
    query = select(WorkOrderRow)
    if digits.isascii() and digits.isdecimal() and len(digits) <= 9:  # more does not fit the column
        query = query.where(WorkOrderRow.number == int(digits))
    else:
        query = query.where(WorkOrderRow.id == name)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session.exec(query).one_or_none()


def advance_order(session: Session, order_id: str, seen_version: int, values: dict[str, Any]) -> bool:
    """Write a decision made on `seen_version`; False, and nothing written, when the order has moved on since."""
    still = (col(WorkOrderRow.id) == order_id, col(WorkOrderRow.version) == seen_version)
    return bool(row_count(session.execute(sa.update(WorkOrderRow).where(*still).values(values))))


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
        "level_reason": choice.reason.en,
        "level_reason_zh": choice.reason.zh,
        "default_level": choice.is_default,
        "opened_at": order.opening.at,
        "key_equipment": order.key_equipment,
        "planned_due_at": order.planned_due_at,
        "repeat_of": order.repeat_of,
        "repeats": order.repeats,
        **clocks.values(),
    }


def _standings(session: Session, parts: Iterable[Sequence[Any]], *, lock: bool) -> dict[str, Standing]:
    row = WorkOrderRow
    columns = [col(row.id), col(row.cause_key), col(row.status), col(row.version), col(row.severity)]
    found: dict[str, Standing] = {}
    for where in parts:
        query = sa.select(*columns).where(*where).order_by(col(row.id))
        for key, cause, status, version, severity in session.execute(
            query.with_for_update(key_share=True) if lock else query
        ):
            found[key] = Standing(key, cause, Status(status), version, Severity(severity))
    return found


def _merged_standings(session: Session, cause_keys: Iterable[str]) -> dict[str, Standing]:
    """The open orders that took over causes without an open order of their own, under those causes."""
    merged, into = _MERGED, _INTO
    columns = [col(merged.cause_key), col(into.id), col(into.status), col(into.version), col(into.severity)]
    found: dict[str, Standing] = {}
    for part in chunks(sorted(cause_keys)):
        query = (
            sa.select(*columns)
            .join_from(merged, into, col(merged.merged_into) == col(into.id))
            .where(col(merged.cause_key).in_(part), col(into.status).in_(sorted(OPEN_STATUSES)))
            .order_by(col(into.id))
            .with_for_update(of=into, key_share=True)
        )
        for cause, key, status, version, severity in session.execute(query):
            found[f"{key} for {cause}"] = Standing(key, cause, Status(status), version, Severity(severity))
    return found


def orders_by_id(session: Session, order_ids: Iterable[str]) -> dict[str, WorkOrderRow]:
    """These orders by id."""
    found: dict[str, WorkOrderRow] = {}
    for part in chunks(order_ids):
        found |= {row.id: row for row in session.exec(select(WorkOrderRow).where(col(WorkOrderRow.id).in_(part)))}
    return found
