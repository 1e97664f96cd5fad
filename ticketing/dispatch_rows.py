"""The orders that dispatch and the plan of a day ask about."""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from facility.finding import OrderKind
from facility.registry import Registry
from ticketing.dispatch import Task
from ticketing.tables import WorkOrderRow
from ticketing.views import format_number
from ticketing.work_order import RUNNING_STATUSES, Status

_WAITING = (Status.OPEN.value, Status.ACKNOWLEDGED.value)


def task_of(row: WorkOrderRow, registry: Registry) -> Task:
    """The order as dispatch asks about it."""
    asset = registry.assets.get(row.asset_id)
    return Task(
        order_id=row.id,
        number=format_number(row.number),
        equipment_class=asset.equipment_class.name if asset is not None else "",
        building_id=row.building_id,
        priority=row.priority,
        due_at=row.next_due_at,
        assignee=row.assignee or "",
        status=Status(row.status),
    )


def assigned_tasks(session: Session, registry: Registry) -> list[Task]:
    """Every order that somebody works on or is to."""
    running = [one.value for one in RUNNING_STATUSES - {Status.HELD}]
    query = select(WorkOrderRow).where(
        col(WorkOrderRow.status).in_(sorted(running)), col(WorkOrderRow.assignee).is_not(None)
    )
    return [task_of(row, registry) for row in session.exec(query)]


def undispatched(session: Session, severities: frozenset[str], limit: int) -> list[str]:
    """The ids of open orders of these severities that are with nobody, the oldest first."""
    if not severities:
        return []
    query = (
        select(WorkOrderRow.id)
        .where(
            col(WorkOrderRow.status) == Status.OPEN.value,
            col(WorkOrderRow.assignee).is_(None),
            col(WorkOrderRow.severity).in_(sorted(severities)),
        )
        .order_by(col(WorkOrderRow.number))
        .limit(limit)
    )
    return list(session.exec(query))


def open_visits(session: Session, until: datetime, building: Callable[[str], bool]) -> list[WorkOrderRow]:
    """The preventive orders that wait and are planned for days that end by `until`, what is due first."""
    row = WorkOrderRow
    query = (
        select(WorkOrderRow)
        .where(
            col(row.kind) == OrderKind.PREVENTIVE.value,
            col(row.status).in_(_WAITING),
            col(row.planned_due_at).is_not(None),
            sa.or_(col(row.planned_due_at) <= until, col(row.opened_at) <= until),
        )
        .order_by(col(row.planned_due_at), col(row.number))
    )
    return [one for one in session.exec(query) if building(one.building_id)]
