"""An order as the terms of a contract ask about it."""

from dataclasses import dataclass

from facility.finding import OrderKind, Severity
from ticketing.tables import WorkOrderRow


@dataclass(frozen=True, slots=True)
class Subject:
    """What has a place, a rule, a kind and a severity."""

    asset_id: str
    building_id: str
    rule_id: str
    kind: OrderKind
    severity: Severity

    @classmethod
    def of_order(cls, row: WorkOrderRow) -> "Subject":
        """Of an order."""
        return cls(row.asset_id, row.building_id, row.rule_id, OrderKind(row.kind), Severity(row.severity))
