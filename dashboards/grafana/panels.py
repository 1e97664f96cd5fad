"""The kinds of panel our dashboards are made of, each with the house's look.

The SDK would rather have its v2 model; file provisioning of Grafana 12 reads the classic one, so this is the classic.
"""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as classic
from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common, dashboard

from dashboards.grafana.queries import INFLUX, MEANS, POSTGRES, InfluxQuery, SqlQuery

RED, ORANGE, GREEN, BLUE, GREY = "red", "orange", "green", "blue", "text"
SINGLE_GAP_MS, MEANS_GAP_MS = 900_000, 7_500_000
"""Longer gaps are shown as gaps: of single readings, and of means, of which there may be one an hour."""
MOST_POINTS = 400
"""Points a series: what half a screen can show."""
Colours = Sequence[tuple[float | None, str]]
ReadingQueries = tuple[InfluxQuery, InfluxQuery]


def steps(colours: Colours) -> classic.ThresholdsConfig:
    """Colours from each value upward; None is the lowest."""
    return (
        classic.ThresholdsConfig()
        .mode(dashboard.ThresholdsMode.ABSOLUTE)
        .steps([dashboard.Threshold(value=value, color=colour) for value, colour in colours])
    )


def page(title: str, path: str) -> classic.DashboardLink:
    """A link to a page of Plantroom."""
    return classic.DashboardLink(title).url(f"${{plantroom}}{path}").target_blank(target_blank=True)


def figure(
    title: str, about: str, query: SqlQuery | ReadingQueries, colours: Colours, unit: str = "short"
) -> stat.Panel:
    """One big figure out of the database, or the newest one of readings."""
    is_sql = isinstance(query, SqlQuery)
    return (
        stat.Panel()
        .title(title)
        .description(about)
        .datasource(POSTGRES if is_sql else INFLUX)
        .targets([query] if isinstance(query, SqlQuery) else list(query))
        .unit(unit)
        .no_value("–")
        .thresholds(steps(colours))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
    )


def lines(title: str, about: str, queries: ReadingQueries, unit: str) -> timeseries.Panel:
    """Numbers over time; a gap in the data is a gap in the line. A series leads to its asset's page."""
    return (
        _plot(title, about, unit)
        .datasource(INFLUX)
        .targets(list(queries))
        .line_width(1.5)
        .fill_opacity(4)
        .span_nulls(SINGLE_GAP_MS)
        .override_by_query(MEANS, [dashboard.DynamicConfigValue("custom.spanNulls", MEANS_GAP_MS)])
        .data_links([page("Asset", "/assets/${__field.labels.asset}")])
    )


def bars(title: str, about: str, query: SqlQuery | ReadingQueries, unit: str = "short") -> timeseries.Panel:
    """Sums of each interval as bars, one on top of the other."""
    is_sql = isinstance(query, SqlQuery)
    return (
        _plot(title, about, unit)
        .datasource(POSTGRES if is_sql else INFLUX)
        .targets([query] if isinstance(query, SqlQuery) else list(query))
        .draw_style(common.GraphDrawStyle.BARS)
        .fill_opacity(60)
        .line_width(0)
        .stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    )


def curve(title: str, about: str, query: SqlQuery, unit: str) -> timeseries.Panel:
    """Figures of the database over time, with their points: there may be only a few."""
    return (
        _plot(title, about, unit)
        .datasource(POSTGRES)
        .with_target(query)
        .line_width(1.5)
        .show_points(common.VisibilityMode.ALWAYS)
        .span_nulls(span_nulls=True)
    )


def _plot(title: str, about: str, unit: str) -> timeseries.Panel:
    legend = common_builders.VizLegendOptions().display_mode(common.LegendDisplayMode.LIST)
    return (
        timeseries.Panel()
        .title(title)
        .description(about)
        .unit(unit)
        .max_data_points(MOST_POINTS)
        .show_points(common.VisibilityMode.NEVER)
        .legend(legend.placement(common.LegendPlacement.BOTTOM).show_legend(show_legend=True))
        .tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
    )


def with_limits(panel: timeseries.Panel, colours: Colours) -> timeseries.Panel:
    """Dashed lines where the colours change."""
    style = common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
    return panel.thresholds(steps(colours)).thresholds_style(style)


def bands(
    title: str, about: str, query: SqlQuery | ReadingQueries, colours: Sequence[tuple[str, str, str]], unit: str
) -> statetimeline.Panel:
    """States over time: of each value its text and colour."""
    options = {
        value: dashboard.ValueMappingResult(text=text, color=colour, index=index)
        for index, (value, text, colour) in enumerate(colours)
    }
    is_sql = isinstance(query, SqlQuery)
    panel = (
        statetimeline.Panel()
        .title(title)
        .description(about)
        .datasource(POSTGRES if is_sql else INFLUX)
        .targets([query] if isinstance(query, SqlQuery) else list(query))
        .unit(unit)
        .max_data_points(MOST_POINTS)
        .mappings([dashboard.ValueMap(options=options)])
        .fill_opacity(75)
        .line_width(0)
    )
    return panel if is_sql else panel.data_links([page("Asset", "/assets/${__field.labels.asset}")])


def rows(title: str, about: str, query: SqlQuery) -> table.Panel:
    """Rows out of the database."""
    return table.Panel().title(title).description(about).datasource(POSTGRES).with_target(query).unit("string")


def column(panel: table.Panel, name: str, unit: str, width: int = 0) -> table.Panel:
    """A column of numbers or instants with a unit of its own."""
    shown = [dashboard.DynamicConfigValue("unit", unit)]
    return panel.override_by_name(
        name, shown + ([dashboard.DynamicConfigValue("custom.width", width)] if width else [])
    )


def hidden(panel: table.Panel, *names: str) -> table.Panel:
    """Columns that only links need."""
    for name in names:
        panel.override_by_name(name, [dashboard.DynamicConfigValue("custom.hidden", value=True)])
    return panel
