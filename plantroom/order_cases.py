"""Orders in the API's shape as the cases that contracts are compared over."""

from collections.abc import Iterable

from ticketing.contract_compare import Case
from ticketing.views import HistoryView, WorkOrderView
from ticketing.work_order import Change


def cases_of(orders: Iterable[WorkOrderView]) -> list[Case]:
    """The cases, oldest first."""
    found = [
        Case(
            id=order.id,
            number=order.number,
            title=order.title,
            asset_id=order.asset_id,
            building_id=order.building_id,
            rule_id=order.rule_id,
            kind=order.kind,
            severity=order.severity,
            opened_at=order.opened_at,
            history=tuple(_change(line) for line in order.history),
            planned_due_at=order.planned_due_at,
        )
        for order in orders
    ]
    return sorted(found, key=lambda case: (case.opened_at, case.id))


def _change(line: HistoryView) -> Change:
    return Change(line.version, line.at, line.verb, line.by, line.to_status, line.from_status, line.note, line.reason)
