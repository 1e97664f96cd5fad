"""What the API shows of key figures. Instants are aware UTC, ISO 8601 with Z; money is a decimal as text."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel

from ticketing.kpi import DEFINITIONS, Better, By, Definition, figures_by
from ticketing.kpi_figure import Figure
from ticketing.kpi_read import Reading
from ticketing.penalty import Penalty


class DefinitionView(BaseModel):
    """One figure: its names, its unit, which way is better, its target if the trade has one, and its definition."""

    id: str
    name: str
    name_zh: str
    unit: str
    better: Better
    target: float | None
    definition: str
    definition_zh: str


class FigureView(BaseModel):
    """`value` in the definition's unit, null when there was nothing to compute it from: `over` of `base`."""

    value: float | None
    over: float
    base: int
    money: dict[str, Decimal]


class PenaltyView(BaseModel):
    """What one breach cost, under which clause and why."""

    work_order_id: str
    number: str
    clock: str
    clause: str
    due_at: datetime
    amount: Decimal
    uncapped: Decimal
    currency: str
    waived: bool
    reason: str
    reason_zh: str


class KpiView(BaseModel):
    """Every figure of a period, by group. `complete` is false while the period still runs."""

    period: str
    by: By
    now: datetime
    complete: bool
    definitions: list[DefinitionView]
    groups: dict[str, dict[str, FigureView]]
    penalties: list[PenaltyView]
    corrective_actions: dict[str, int]


def kpi_view(reading: Reading, by: By) -> KpiView:
    """The figures of a period that was read, in groups."""
    scope = reading.scope
    return KpiView(
        period=str(reading.period),
        by=by,
        now=scope.now,
        complete=reading.until_at <= scope.now,
        definitions=[definition_view(one) for one in DEFINITIONS],
        groups={name: figure_views(found) for name, found in figures_by(scope, by).items()},
        penalties=[penalty_view(one) for one in reading.penalties],
        corrective_actions={one.month: one.breaches for one in reading.correctives},
    )


def figure_views(found: Mapping[str, Figure]) -> dict[str, FigureView]:
    """Figures by id."""
    return {
        name: FigureView(value=one.value, over=one.over, base=one.base, money=dict(one.money))
        for name, one in found.items()
    }


def definition_view(one: Definition) -> DefinitionView:
    """A definition."""
    return DefinitionView(
        id=one.id,
        name=one.name,
        name_zh=one.name_zh,
        unit=one.unit,
        better=one.better,
        target=one.target,
        definition=one.text,
        definition_zh=one.text_zh,
    )


def penalty_view(one: Penalty) -> PenaltyView:
    """A penalty."""
    breach = one.breach
    return PenaltyView(
        work_order_id=breach.order_id,
        number=breach.number,
        clock=breach.clock,
        clause=one.clause,
        due_at=breach.due_at,
        amount=one.amount,
        uncapped=one.uncapped,
        currency=one.currency,
        waived=breach.waived,
        reason=one.reason,
        reason_zh=one.reason_zh,
    )
