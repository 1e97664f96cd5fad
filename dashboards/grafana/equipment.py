"""The dashboards of equipment, made of what `equipment.yaml` says."""

from collections.abc import Callable
from typing import Protocol

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

from dashboards.grafana import variables
from dashboards.grafana.catalogue import BoardEntry, Kind, PanelEntry, Side
from dashboards.grafana.frame import frame
from dashboards.grafana.layout import Layout
from dashboards.grafana.order_panels import figures, findings, orders
from dashboards.grafana.panels import (
    GREEN,
    ORANGE,
    RED,
    Colours,
    ReadingQueries,
    bands,
    bars,
    figure,
    lines,
    with_limits,
)
from dashboards.grafana.queries import doubted, growth, modes, newest, numbers, of_classes, switches
from dashboards.grafana.texts import texts
from dashboards.grafana.units import UNITS

SWITCHED = (("0", "off", "transparent"), ("1", "on", GREEN))


class Limits(Protocol):
    """The parameters of the shipped rules."""

    def __call__(self, rule: str, parameter: str) -> tuple[float, str]:
        """Value and unit. Raises KeyError for one that is not there."""


def equipment(uid: str, entry: BoardEntry, limits: Limits) -> dashboard.Dashboard:
    """One dashboard: figures, readings, findings over time, open orders."""
    where = of_classes(entry.classes)
    chosen = (*variables.assets(entry.classes), variables.shown(where), variables.store())
    layout = Layout(frame(uid, entry.title, entry.about, where, chosen))
    own = [_panel(panel, entry.classes, limits) for panel in entry.figures]
    if own:
        layout.row(4, *own)
    layout.row(4, *figures(where))
    believed = bars(
        "Readings that are not believed", "Out of range, stuck, spikes, late.", doubted(entry.classes), "short"
    )
    layout.pairs(8, [*(_panel(panel, entry.classes, limits) for panel in entry.plots), believed])
    layout.row(8, findings(where))
    layout.row(9, orders(where))
    return layout.build()


def _panel(entry: PanelEntry, classes: list[str], limits: Limits) -> Builder[dashboard.Panel]:
    ask: dict[Kind, Callable[[list[str], list[str]], ReadingQueries]] = {
        Kind.LINES: numbers, Kind.MODES: modes, Kind.SWITCHES: switches, Kind.NEWEST: newest, Kind.GROWTH: growth,
    }  # fmt: skip
    queries, unit = ask[entry.kind](classes, entry.points), UNITS[entry.unit]
    colours = _colours(entry, limits)
    if entry.kind is Kind.MODES:
        return bands(entry.title, entry.about, queries, texts(entry.points), unit)
    if entry.kind is Kind.SWITCHES:
        return bands(entry.title, entry.about, queries, SWITCHED, unit)
    if entry.kind is Kind.NEWEST:
        return figure(entry.title, entry.about, queries, colours, unit)
    if entry.kind is Kind.GROWTH:
        return bars(entry.title, entry.about, queries, unit)
    plot = lines(entry.title, entry.about, queries, unit)
    return with_limits(plot, colours) if entry.limits else plot


def _colours(entry: PanelEntry, limits: Limits) -> Colours:
    """From low to high: what is bad below its limit, the good between, what is bad above its limit."""
    below: list[tuple[float, str]] = []
    above: list[tuple[float, str]] = []
    for limit in entry.limits:
        value, unit = limits(limit.rule, limit.parameter)
        if unit != entry.unit:
            msg = f"{entry.title}: {limit.parameter} of {limit.rule} is in {unit}, the panel in {entry.unit}"
            raise ValueError(msg)
        (above if limit.bad is Side.ABOVE else below).append((value, RED if limit.severe else ORANGE))
    below.sort()
    starts: list[float | None] = [None, *(value for value, _ in below)]
    colours = [*(colour for _, colour in below), GREEN]
    return (*zip(starts, colours, strict=True), *sorted(above))
