"""The portfolio: every building at a glance, on a map and in a list, and where it hurts."""

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as classic
from grafana_foundation_sdk.builders import geomap, table
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, dashboard

from dashboards.grafana.catalogue import BUILDING, PORTFOLIO
from dashboards.grafana.frame import frame
from dashboards.grafana.layout import Layout
from dashboards.grafana.order_panels import figures, findings
from dashboards.grafana.panels import GREEN, RED, bars, column, hidden, page, rows, steps
from dashboards.grafana.queries import POSTGRES, SqlQuery, spell_out

ABOUT = (
    "For whoever answers for all of it: which building has work past its deadline, where the most is found and ordered."
)
SUMMARY = """WITH orders AS (
  SELECT building_id, count(*) AS open, count(*) FILTER (WHERE status <> 'held' AND next_due_at < now()) AS late,
    min(next_due_at) FILTER (WHERE status <> 'held' AND next_due_at >= now()) AS next_due
  FROM grafana.work_order WHERE is_open GROUP BY building_id
), found AS (
  SELECT building_id, count(*) AS findings FROM grafana.finding WHERE <standing> GROUP BY building_id
)
SELECT building AS "Building", site AS "Site", coalesce(open, 0) AS "Open orders", coalesce(late, 0) AS "Past deadline",
  coalesce(findings, 0) AS "Findings", next_due AS "Next deadline", building_id AS "building"<more>
FROM grafana.building LEFT JOIN orders USING (building_id) LEFT JOIN found USING (building_id)
WHERE <building><mapped> ORDER BY coalesce(late, 0) DESC, coalesce(open, 0) DESC, 1"""
OPENED = """SELECT date_trunc('day', opened_at) AS time, system AS metric, count(*) AS value FROM grafana.work_order
WHERE <building> AND $__timeFilter(opened_at) GROUP BY 1, 2 ORDER BY 1"""
ASSETS = """SELECT asset AS "Asset", building AS "Building", count(*) AS "Orders",
  count(*) FILTER (WHERE NOT resolution_met) AS "Missed", max(opened_at) AS "Last", asset_id AS "asset"
FROM grafana.work_order JOIN grafana.building USING (building_id)
WHERE <building> AND kind = 'fault' AND $__timeFilter(opened_at)
GROUP BY asset, building, asset_id ORDER BY 3 DESC, 1 LIMIT 20"""


def portfolio() -> dashboard.Dashboard:
    """The whole dashboard."""
    layout = Layout(frame(PORTFOLIO, "Portfolio", ABOUT, "<building>", (), span="now-30d", refresh="5m"))
    layout.row(4, *figures("<building>"))
    layout.row(12, _map(), _buildings(), widths=(10, 14))
    opened = bars("Orders opened a day", "By technical system.", SqlQuery(OPENED, over_time=True))
    layout.row(9, opened, _assets())
    layout.row(8, findings("<building>"))
    return layout.build()


def _to_building() -> list[Builder[dashboard.DashboardLink]]:
    grafana = classic.DashboardLink("Dashboard").url(f"/d/{BUILDING}?var-building=${{__data.fields.building}}")
    return [grafana, page("Building", "/buildings/${__data.fields.building}")]


def _map() -> geomap.Panel:
    """One mark for each building, as large as it has open orders and red when one is past its deadline."""
    query = spell_out(SUMMARY, more=", latitude, longitude", mapped=" AND latitude IS NOT NULL")
    style = {
        "color": {"field": "Past deadline", "fixed": GREEN},
        "size": {"field": "Open orders", "fixed": 8, "min": 8, "max": 24},
        "opacity": 0.6,
        "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
        "text": {"field": "Building", "mode": "field"},
    }
    where = common_builders.FrameGeometrySource().mode(common.FrameGeometrySourceMode.COORDS)
    marks = (
        common_builders.MapLayerOptions()
        .type("markers")
        .name("Buildings")
        .config({"style": style, "showLegend": False})
        .location(where.latitude("latitude").longitude("longitude"))
        .tooltip(tooltip=True)
    )
    return (
        geomap.Panel()
        .title("Map of buildings")
        .description(
            "As large as it has open orders, red with one past its deadline. Their places come from the site file."
        )
        .datasource(POSTGRES)
        .with_target(SqlQuery(query))
        .unit("short")
        .thresholds(steps(((None, GREEN), (1, RED))))
        .color_scheme(classic.FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS))
        .view(geomap.MapViewConfig().id("fit").all_layers(all_layers=True))
        .basemap(common_builders.MapLayerOptions().type("default").name("Map"))
        .layers([marks])
        .data_links(_to_building())
    )


def _buildings() -> table.Panel:
    query = SqlQuery(spell_out(SUMMARY, more="", mapped=""))
    panel = rows("Buildings", "Those with work past its deadline first.", query).data_links(_to_building())
    for name in ("Open orders", "Past deadline", "Findings"):
        column(panel, name, "none", 110)
    return hidden(column(panel, "Next deadline", "dateTimeFromNow"), "building")


def _assets() -> table.Panel:
    panel = rows("Assets with the most orders", "Faults opened in the shown time.", SqlQuery(ASSETS))
    for name in ("Orders", "Missed"):
        column(panel, name, "none", 90)
    return hidden(column(panel, "Last", "dateTimeFromNow"), "asset").data_links(
        [page("Asset", "/assets/${__data.fields.asset}")]
    )
