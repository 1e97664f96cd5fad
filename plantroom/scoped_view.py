"""The plant as somebody sees it who may see some buildings only. What is elsewhere does not exist for her."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from dashboards.web.order_view import EVERY, OrderCount, OrderFilter, OrderView
from dashboards.web.protocols import (
    ClockState,
    DeviceClockView,
    DeviceView,
    FindingMark,
    Health,
    PlantView,
    RuleGap,
    RuleView,
    UnknownCodeView,
)
from facility.errors import PermanentError
from facility.finding import Finding
from facility.reading import DeadLetter, Reading
from facility.registry import Registry


class ScopedView:
    """A `PlantView` of these buildings over the whole one."""

    def __init__(
        self, whole: PlantView, buildings: frozenset[str], narrowed: Callable[[frozenset[str]], Registry]
    ) -> None:
        self._whole, self._buildings, self._narrowed = whole, buildings, narrowed

    def within(self, buildings: frozenset[str] | None) -> PlantView:
        """Never more than what is seen already."""
        return self if buildings is None else ScopedView(self._whole, self._buildings & buildings, self._narrowed)

    def registry(self) -> Registry:
        """Only these buildings, with what stands in them."""
        return self._narrowed(self._buildings)

    def clock(self) -> ClockState:
        """The program's clock."""
        return self._whole.clock()

    def latest(self, asset_id: str) -> Sequence[Reading]:
        """Empty for an asset elsewhere."""
        return self._whole.latest(asset_id) if self._sees(asset_id) else []

    def series(
        self, asset_id: str, point: str, from_at: datetime, until_at: datetime, every: timedelta | None
    ) -> Sequence[Reading]:
        """Empty for an asset elsewhere."""
        return self._whole.series(asset_id, point, from_at, until_at, every) if self._sees(asset_id) else []

    def findings(
        self,
        *,
        active: bool | None = None,
        asset_id: str | None = None,
        limit: int = 200,
        buildings: frozenset[str] | None = None,
    ) -> Sequence[Finding]:
        """Findings of these buildings."""
        seen = self._buildings if buildings is None else self._buildings & buildings
        return self._whole.findings(active=active, asset_id=asset_id, limit=limit, buildings=seen)

    def finding_marks(self, buildings: frozenset[str] | None = None) -> Sequence[FindingMark]:
        """Of these buildings."""
        return self._whole.finding_marks(self._buildings if buildings is None else self._buildings & buildings)

    def finding(self, finding_id: str) -> Finding | None:
        """None for one elsewhere."""
        found = self._whole.finding(finding_id)
        return found if found is not None and found.building_id in self._buildings else None

    def pending(self) -> Sequence[Finding]:
        """Of these buildings."""
        return [each for each in self._whole.pending() if each.building_id in self._buildings]

    def not_applicable(self, asset_id: str | None = None) -> Sequence[RuleGap]:
        """Of these buildings."""
        return [gap for gap in self._whole.not_applicable(asset_id) if self._sees(gap.asset_id)]

    def rule(self, rule_id: str) -> RuleView | None:
        """Rules are nobody's secret."""
        return self._whole.rule(rule_id)

    def work_orders(
        self,
        *,
        is_open: bool | None = None,
        asset_id: str | None = None,
        limit: int = 500,
        offset: int = 0,
        only: OrderFilter = EVERY,
    ) -> Sequence[OrderView]:
        """Orders of these buildings."""
        seen = self._seen(only)
        return self._whole.work_orders(is_open=is_open, asset_id=asset_id, limit=limit, offset=offset, only=seen)

    def count_orders(
        self, *, is_open: bool | None = None, asset_id: str | None = None, only: OrderFilter = EVERY
    ) -> int:
        """Of these buildings."""
        return self._whole.count_orders(is_open=is_open, asset_id=asset_id, only=self._seen(only))

    def order_counts(self) -> Mapping[str, OrderCount]:
        """Of these buildings."""
        return {name: count for name, count in self._whole.order_counts().items() if name in self._buildings}

    def _seen(self, only: OrderFilter) -> OrderFilter:
        asked = self._buildings if only.buildings is None else self._buildings & only.buildings
        return replace(only, buildings=asked)

    def work_order(self, order_id: str) -> OrderView | None:
        """None for one elsewhere."""
        found = self._whole.work_order(order_id)
        return found if found is not None and self._sees(found.asset_id) else None

    def orders_of_finding(self, finding_id: str) -> Sequence[OrderView]:
        """Of these buildings."""
        return [each for each in self._whole.orders_of_finding(finding_id) if self._sees(each.asset_id)]

    def explain_deadlines(self, order_id: str, language: str = "en") -> Mapping[str, Sequence[str]]:
        """Empty for an order elsewhere."""
        return self._whole.explain_deadlines(order_id, language) if self.work_order(order_id) is not None else {}

    def apply_verb(self, order_id: str, verb: str, *, by: str, note: str, reason: str = "", proof: str = "") -> None:
        """Refused for an order elsewhere as if there were none."""
        if self.work_order(order_id) is None:
            msg = f"there is no order {order_id!r}"
            raise PermanentError(msg)
        self._whole.apply_verb(order_id, verb, by=by, note=note, reason=reason, proof=proof)

    def dead_letters(self, limit: int = 100) -> Sequence[DeadLetter]:
        """None: nobody knows whose a message is that could not be read."""
        del limit
        return []

    def devices(self) -> Sequence[DeviceView]:
        """Those proposed for these buildings."""
        return [each for each in self._whole.devices() if each.building_id in self._buildings]

    def unknown_codes(self) -> Sequence[UnknownCodeView]:
        """Of assets in scope."""
        return [each for each in self._whole.unknown_codes() if self._sees(each.asset_id)]

    def device_clocks(self) -> Sequence[DeviceClockView]:
        """Of these buildings."""
        return [each for each in self._whole.device_clocks() if self._sees(each.asset_id)]

    def approve_device(self, key: str, *, asset_id: str, equipment_class: str, building_id: str, name: str) -> None:
        """Into these buildings only."""
        if building_id not in self._buildings:
            msg = f"there is no building {building_id!r}"
            raise PermanentError(msg)
        self._whole.approve_device(
            key, asset_id=asset_id, equipment_class=equipment_class, building_id=building_id, name=name
        )

    def health(self) -> Health:
        """The program's."""
        return self._whole.health()

    def _sees(self, asset_id: str) -> bool:
        asset = self._whole.registry().assets.get(asset_id)
        return asset is not None and asset.building_id in self._buildings
