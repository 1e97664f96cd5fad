"""A report on a period: its figures and those of the periods before it, groups, penalties, and what to change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from facility.registry import Registry
from ticketing.contract_book import ContractBook
from ticketing.kpi import By, figures, figures_by
from ticketing.kpi_figure import Figure
from ticketing.kpi_period import Period
from ticketing.kpi_read import read_period
from ticketing.penalty import Corrective, Penalty
from ticketing.report_advice import Advice, advise
from ticketing.said import Said

TREND = 6
"""So many periods before it are shown as the trend."""
GROUPED = (By.BUILDING, By.CLASS, By.SUPPLIER)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report shows. `trend` ascends and ends with the period itself."""

    period: Period
    now: datetime
    complete: bool
    figures: Mapping[str, Figure]
    trend: tuple[tuple[Period, Mapping[str, Figure]], ...]
    groups: Mapping[By, Mapping[str, Mapping[str, Figure]]]
    penalties: tuple[Penalty, ...]
    correctives: tuple[Corrective, ...]
    advice: tuple[Advice, ...]
    title: str
    labels: Mapping[tuple[By, str], Said] = field(default_factory=dict)
    """What a group is called, where it has a name besides its id."""


def make_report(
    session: Session, book: ContractBook, registry: Registry, period: Period, now: datetime, *, earlier: int = TREND
) -> Report:
    """Read the period and `earlier` ones before it, as of `now` (aware UTC)."""
    reading = read_period(session, book, registry, period, now)
    trend = [(period, figures(reading.scope))]
    for _ in range(earlier):
        before = trend[0][0].before
        trend.insert(0, (before, figures(read_period(session, book, registry, before, now).scope)))
    groups = {by: figures_by(reading.scope, by) for by in GROUPED}
    last = trend[-2][1] if earlier else {}
    return Report(
        period=period,
        now=now,
        complete=reading.until_at <= now,
        figures=trend[-1][1],
        trend=tuple(trend),
        groups=groups,
        penalties=reading.penalties,
        correctives=reading.correctives,
        advice=tuple(advise(trend[-1][1], last, groups, reading.penalties, labels_of(registry))),
        title=", ".join(contract.name for contract in book.contracts),
        labels=labels_of(registry),
    )


def labels_of(registry: Registry) -> dict[tuple[By, str], Said]:
    """The names of buildings and equipment classes, for people."""
    found = {(By.BUILDING, one.id): Said(one.name, one.name) for one in registry.buildings.values() if one.name}
    for asset in registry.assets.values():
        label = asset.equipment_class.label
        if "en" in label:
            found[By.CLASS, asset.equipment_class.name] = Said(label["en"], label.get("zh", label["en"]))
    return found
