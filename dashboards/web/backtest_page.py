"""Draws a backtest's report: a part for a page of the program, or a page of its own without any other file. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape

from dashboards.web import wording
from dashboards.web.backtest_report import Assumption, BacktestReport, FindingRow, Line, OrderRow, PlotData
from dashboards.web.language import Language, Words
from dashboards.web.plot import Plot, draw_plot
from dashboards.web.plot_curve import Curve, draw_curve, draw_days
from dashboards.web.plot_frame import Frame, Mark, PlotSeries, Shade
from facility.catalogue import PointKind, point_types
from facility.instant import from_us
from facility.reading import Reading

_STEPPED = (PointKind.SETPOINT, PointKind.COMMAND, PointKind.STATUS)
_UTC = ZoneInfo("UTC")
MOST_MARKS = 6


@dataclass(frozen=True, slots=True)
class Drawn:
    """A plot with its heading."""

    title: str
    unit: str
    plot: Plot


def report_part(report: BacktestReport, language: Language) -> str:
    """What stands inside a page of the program, as HTML."""
    return _templates().get_template("backtest.html").render(sheet=Sheet(report, Words(language)))


def report_page(report: BacktestReport, language: Language) -> str:
    """A whole page: no script, no other file, no request to anywhere."""
    style = files("dashboards").joinpath("web/static/style.css").read_text(encoding="utf-8")
    sheet = Sheet(report, Words(language))
    return _templates().get_template("backtest_alone.html").render(sheet=sheet, style=style) + "\n"


@dataclass(frozen=True)
class Sheet:
    """What the template can say about a report in one language. Times are those of each asset's building."""

    report: BacktestReport
    t: Words

    @cached_property
    def _assets(self) -> dict[str, tuple[str, ZoneInfo]]:
        return {one.id: (one.name, ZoneInfo(one.zone)) for one in self.report.assets}

    @property
    def zone(self) -> ZoneInfo:
        """Of most of what is shown."""
        return next((zone for _, zone in self._assets.values()), _UTC)

    def asset(self, asset_id: str) -> str:
        """An asset's name."""
        return self._assets.get(asset_id, (asset_id, _UTC))[0]

    def rule(self, rule_id: str) -> str:
        """A rule's name in this language."""
        return self.t.pick(self.report.names.get(rule_id, {}), rule_id)

    def time(self, at_us: int | None, asset_id: str = "") -> str:
        """A local date and time; a dash for none."""
        if at_us is None:
            return "–"
        zone = self._assets.get(asset_id, ("", self.zone))[1]
        return f"{from_us(at_us).astimezone(zone):%Y-%m-%d %H:%M}"

    def span(self, span_us: float) -> str:
        """A duration of microseconds in words."""
        return wording.format_span(timedelta(microseconds=round(span_us)), self.t)

    def number(self, value: float) -> str:
        """A number without digits that say nothing."""
        return wording.format_number(value)

    def percent(self, share: float) -> str:
        """A share as whole percent; never 100 unless it is all."""
        return f"{min(share * 100, 99.9 if share < 1 else 100):.3g} %"

    def point(self, name: str) -> str:
        """A point's label."""
        kind = point_types().get(name)
        return self.t.pick(kind.label, name) if kind is not None else name.replace("_", " ")

    @property
    def zone_label(self) -> str:
        """The zone with its offset at the end of the history."""
        return wording.zone_label(self.zone, from_us(self.report.ran.until_us))

    @property
    def first(self) -> Assumption | None:
        """The default assumption; None without a contract."""
        return next(iter(self.report.assumptions), None)

    def breached(self, number: str) -> list[str]:
        """The clocks of an order that would have run out under the default assumption."""
        rows = self.first.breaches if self.first is not None else ()
        return [self.t.or_raw("deadline", one.clock) for one in rows if one.number == number]

    def overviews(self) -> list[tuple[str, list[Drawn]]]:
        """By asset, its plots over the whole span with its findings and orders."""
        found: dict[str, list[Drawn]] = {}
        for index, plot in enumerate(self.report.plots):
            if not plot.order:
                found.setdefault(plot.asset_id, []).append(self._drawn(f"o{index}", plot))
        return [(self.asset(asset_id), drawn) for asset_id, drawn in found.items()]

    def zooms(self) -> list[tuple[OrderRow, list[Drawn]]]:
        """By order, the plots around its beginning."""
        found: dict[str, list[Drawn]] = {}
        for index, plot in enumerate(self.report.plots):
            if plot.order:
                found.setdefault(plot.order, []).append(self._drawn(f"z{index}", plot))
        return [(order, found[order.number]) for order in self.report.orders if order.number in found]

    def days(self) -> str:
        """Findings and orders by day."""
        rows = [(one.day, one.findings, one.orders) for one in self.report.days]
        about = self.t("backtest.days.about", days=len(rows), findings=sum(row[1] for row in rows),
                       orders=sum(row[2] for row in rows))  # fmt: skip
        return draw_days("days", self.t("backtest.days"), about, rows)

    def tuned(self) -> str:
        """The curve of `--tune`."""
        tuned = self.report.tuned
        if tuned is None or not tuned.rows:
            return ""
        curves = [Curve("", [(row.value, row.orders_per_month) for row in tuned.rows])]
        title = self.t("backtest.tune", parameter=f"{tuned.rule_id}.{tuned.parameter}")
        about = "; ".join(f"{row.value:g}: {row.orders_per_month:g}" for row in tuned.rows)
        unit = wording.format_unit(tuned.unit)
        mark = (
            tuned.current,
            self.t("backtest.tune.now", value=f"{wording.format_number(tuned.current)} {unit}".strip()),
        )
        return draw_curve("tune", title, about, curves, mark)

    def _drawn(self, key: str, plot: PlotData) -> Drawn:
        zone = self._assets.get(plot.asset_id, ("", _UTC))[1]
        frame = Frame(plot.from_us, plot.until_us, self.report.ran.until_us, zone, self.t)
        name = plot.lines[0].point
        series = [self._series(plot.asset_id, line) for line in plot.lines]
        findings = [
            one
            for one in self.report.findings
            if not one.suppressed and (one.order == plot.order if plot.order else one.asset_id == plot.asset_id)
        ]
        shades = [
            Shade(one.onset_us, one.cleared_us, self.rule(one.rule_id), one.severity, is_about=_is_about(one, name))
            for one in findings
        ]
        marks = [
            Mark(one.opened_us, one.number)
            for one in self.report.orders
            if (one.number == plot.order if plot.order else one.asset_id == plot.asset_id)
        ]
        if len(marks) > MOST_MARKS:
            marks = []  # their words would stand above each other higher than the plot
        drawn = draw_plot(key, f"{self.asset(plot.asset_id)}: {series[0].label}", series, frame, shades=shades,
                          marks=marks, height=150)  # fmt: skip
        return Drawn(series[0].label, wording.format_unit(series[0].unit), drawn)

    def _series(self, asset_id: str, line: Line) -> PlotSeries:
        kind = point_types().get(line.point)
        readings = [Reading(asset_id, line.point, *one) for one in line.readings]
        cadence = timedelta(microseconds=line.cadence_us)
        if kind is None:
            return PlotSeries(line.point, "", readings, cadence, is_reference=line.is_reference)
        return PlotSeries(
            self.point(line.point), kind.unit, readings, cadence, kind.values, kind.kind in _STEPPED, line.is_reference
        )


def _is_about(finding: FindingRow, point: str) -> bool:
    return any(place.rpartition("/")[2] == point for place in finding.about)


@cache
def _templates() -> Environment:
    def load(name: str) -> str | None:
        source = files("dashboards").joinpath("web/templates", name)
        return source.read_text(encoding="utf-8") if source.is_file() else None

    return Environment(
        loader=FunctionLoader(load),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
