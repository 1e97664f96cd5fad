"""The kinds of panel our dashboards are made of, each with the house's look.

The SDK would rather have its v2 model; file provisioning of Grafana 12 reads the classic one, so this is the classic.
"""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as classic
from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common, dashboard

from dashboards.grafana.queries import INFLUX, POSTGRES, InfluxQuery, SqlQuery, spell_out

RED, ORANGE, GREEN, BLUE = "red", "orange", "green", "blue"


def place(left: int, top: int, width: int, height: int) -> dashboard.GridPos:
    """A place on the grid."""
    return dashboard.GridPos(h=height, w=width, x=left, y=top)


def steps(*colours: tuple[float | None, str]) -> classic.ThresholdsConfig:
    """Colours from each value upward; None is the lowest."""
    return (
        classic.ThresholdsConfig()
        .mode(dashboard.ThresholdsMode.ABSOLUTE)
        .steps([dashboard.Threshold(value=value, color=colour) for value, colour in colours])
    )


def figure(
    title: str, about: str, query: SqlQuery | InfluxQuery, colours: classic.ThresholdsConfig, unit: str = "short"
) -> stat.Panel:
    """One big figure out of the order database, or the newest one of readings."""
    return (
        stat.Panel()
        .title(title)
        .description(about)
        .datasource(POSTGRES if isinstance(query, SqlQuery) else INFLUX)
        .with_target(query)
        .unit(unit)
        .no_value("–")
        .thresholds(colours)
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
    )


def lines(title: str, about: str, query: InfluxQuery, unit: str) -> timeseries.Panel:
    """Numbers over time; a gap in the data is a gap in the line."""
    legend = common_builders.VizLegendOptions().display_mode(common.LegendDisplayMode.LIST)
    return (
        timeseries.Panel()
        .title(title)
        .description(about)
        .datasource(INFLUX)
        .with_target(query)
        .unit(unit)
        .line_width(1.5)
        .fill_opacity(4)
        .show_points(common.VisibilityMode.NEVER)
        .span_nulls(900_000)
        .legend(legend.placement(common.LegendPlacement.BOTTOM).show_legend(show_legend=True))
        .tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
    )


def bands(title: str, about: str, query: InfluxQuery, colours: Sequence[tuple[str, str]]) -> statetimeline.Panel:
    """States over time, each value in its colour."""
    options = {
        value: dashboard.ValueMappingResult(text=value.replace("_", " "), color=colour, index=index)
        for index, (value, colour) in enumerate(colours)
    }
    return (
        statetimeline.Panel()
        .title(title)
        .description(about)
        .datasource(INFLUX)
        .with_target(query)
        .unit("string")
        .mappings([dashboard.ValueMap(options=options)])
        .fill_opacity(75)
        .line_width(0)
    )


def rows(title: str, about: str, query: SqlQuery) -> table.Panel:
    """Rows out of the order database."""
    return table.Panel().title(title).description(about).datasource(POSTGRES).with_target(query).unit("string")


def findings_annotation(query: str) -> classic.AnnotationQuery:
    """Findings as marks over every panel; the query's marks are filled in."""
    return (
        classic.AnnotationQuery()
        .name("Findings")
        .datasource(POSTGRES)
        .enable(enable=True)
        .icon_color(ORANGE)
        .target(SqlQuery(spell_out(query), "Anno"))
    )


def number_panels(board: classic.Dashboard) -> dashboard.Dashboard:
    """The finished dashboard, its panels numbered in the order they stand."""
    built = board.build()
    for number, panel in enumerate(built.panels or [], 1):
        assert isinstance(panel, dashboard.Panel)  # noqa: S101 - our dashboards have no rows
        panel.id_val = number
    return built
