"""What every dashboard has around its panels: title, time, variables, links, and marks of findings and visits."""

from collections.abc import Iterable

from grafana_foundation_sdk.builders import dashboard as classic
from grafana_foundation_sdk.models import dashboard

from dashboards.grafana import variables
from dashboards.grafana.panels import BLUE, ORANGE, page
from dashboards.grafana.queries import POSTGRES, SqlQuery, spell_out

TAG = "plantroom"
FINDINGS = """SELECT raised_at AS time, cleared_at AS timeend, title AS text, severity || ',' || asset_id AS tags
FROM grafana.finding WHERE <where> AND NOT is_suppressed AND $__timeFilter(raised_at)
ORDER BY raised_at DESC LIMIT 200"""
VISITS = """SELECT arrived_at AS time, completed_at AS timeend, 'No. ' || number || ': ' || title AS text,
  kind || ',' || asset_id AS tags
FROM grafana.work_order WHERE <where> AND $__timeFilter(arrived_at) ORDER BY arrived_at DESC LIMIT 200"""


def frame(
    uid: str,
    title: str,
    about: str,
    where: str,
    chosen: Iterable[classic.QueryVariable],
    *,
    span: str = "now-24h",
    refresh: str = "1m",
) -> classic.Dashboard:
    """A dashboard without panels. `where` is the condition of SQL for what it is about."""
    others = classic.DashboardLink("Dashboards").type(dashboard.DashboardLinkType.DASHBOARDS).tags([TAG])
    board = (
        classic.Dashboard(title)
        .uid(uid)
        .description(about)
        .tags([TAG])
        .timezone("browser")
        .time(span, "now")
        .refresh(refresh)
        .readonly()
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .link(others.as_dropdown(as_dropdown=True).include_vars(include_vars=True).keep_time(keep_time=True))
        .link(page("Plantroom", "/"))
        .annotation(_marks("Findings", ORANGE, FINDINGS, where))
        .annotation(_marks("Visits", BLUE, VISITS, where))
    )
    for variable in (*variables.places(), *chosen, variables.address()):
        board.with_variable(variable)
    return board


def _marks(name: str, colour: str, query: str, where: str) -> classic.AnnotationQuery:
    return (
        classic.AnnotationQuery()
        .name(name)
        .datasource(POSTGRES)
        .enable(enable=True)
        .icon_color(colour)
        .target(SqlQuery(spell_out(query, where=where), "Anno"))
    )
