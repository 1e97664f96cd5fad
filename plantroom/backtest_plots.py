"""Which readings a backtest's report plots: the whole span of every asset with findings, and each order's beginning."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from dashboards.web.backtest_report import FindingRow, Line, OrderRow, PlotData
from facility.instant import HOUR_US
from facility.registry import Registry
from plantroom.backtest_recorder import Window, is_state

MOST_ASSETS, MOST_POINTS, MOST_ORDERS, MOST_ZOOMED = 20, 6, 24, 3
BUCKETS = 800
BEFORE_US, AFTER_US = 2 * HOUR_US, 3 * HOUR_US


@dataclass(frozen=True, slots=True)
class Plotted:
    """One plot to be: its windows, the first one names it, others stand behind it as references."""

    asset_id: str
    from_us: int
    until_us: int
    windows: tuple[Window, ...]
    names: tuple[str, ...]
    cadences_us: tuple[int, ...]
    order: str = ""


def choose_plots(
    registry: Registry, findings: Sequence[FindingRow], orders: Sequence[OrderRow], from_us: int, until_us: int
) -> list[Plotted]:
    """The assets with the most findings that nothing explains first, and the first orders of each rule in turn."""
    if until_us <= from_us:
        return []
    plain = [one for one in findings if not one.suppressed]
    counts: dict[str, int] = {}
    for one in plain:
        counts[one.asset_id] = counts.get(one.asset_id, 0) + 1
    found: list[Plotted] = []
    for asset_id in sorted(counts, key=lambda name: (-counts[name], name))[:MOST_ASSETS]:
        about = dict.fromkeys(point for one in plain if one.asset_id == asset_id for point in one.about)
        found += _plots(registry, list(about)[: MOST_POINTS * 2], (from_us, until_us + 1), MOST_POINTS, asset_id)
    for order in _in_turn(orders)[:MOST_ORDERS]:
        first = min((one for one in findings if one.order == order.number), key=lambda one: one.raised_us, default=None)
        if first is not None:
            start_us = max(first.onset_us - BEFORE_US, from_us)
            end_us = min(max(first.raised_us, first.onset_us) + AFTER_US, until_us + 1)
            if end_us > start_us:
                found += _plots(
                    registry, list(first.about), (start_us, end_us), MOST_ZOOMED, order.asset_id, order.number
                )
    return found


def finish_plots(chosen: Iterable[Plotted]) -> list[PlotData]:
    """The plots with the readings that were recorded."""
    found = []
    for plot in chosen:
        lines = [
            Line(name, cadence_us, tuple(window.finished()), is_reference=index > 0)
            for index, (name, cadence_us, window) in enumerate(
                zip(plot.names, plot.cadences_us, plot.windows, strict=True)
            )
        ]
        found.append(PlotData(plot.asset_id, plot.from_us, plot.until_us, tuple(lines), plot.order))
    return found


def _in_turn(orders: Sequence[OrderRow]) -> list[OrderRow]:
    """The first order of every rule, then the second of every rule, and so on."""
    seen: dict[str, int] = {}
    turns: list[tuple[int, int, OrderRow]] = []
    for order in orders:
        seen[order.rule_id] = seen.get(order.rule_id, 0) + 1
        turns.append((seen[order.rule_id], len(turns), order))
    return [order for _, _, order in sorted(turns, key=lambda one: one[:2])]


def _plots(
    registry: Registry, about: Sequence[str], span: tuple[int, int], most: int, asset_id: str, order: str = ""
) -> Iterable[Plotted]:
    """A plot for each point, a set point behind its sensor."""
    from_us, until_us = span
    every_us = (until_us - from_us) // BUCKETS if until_us - from_us > BUCKETS * 60_000_000 else 0
    points = [(place.rpartition("/")[0], place.rpartition("/")[2]) for place in about]
    made = 0
    for place, name in points:
        sensor = name.removesuffix("_setpoint")
        if made == most or registry.point(place, name) is None or (sensor != name and (place, sensor) in points):
            continue
        names = [name, *([f"{name}_setpoint"] if registry.point(place, f"{name}_setpoint") is not None else [])]
        windows, cadences = [], []
        for each in names:
            point = registry.point(place, each)
            if point is not None:  # a borrowed point is measured by the asset it is borrowed from
                windows.append(
                    Window(point.asset_id, point.name, from_us, until_us, every_us, is_state(registry, place, each))
                )
                cadences.append(max(point.cadence // timedelta(microseconds=1), every_us))
        yield Plotted(asset_id, from_us, until_us, tuple(windows), tuple(names), tuple(cadences), order)
        made += 1
