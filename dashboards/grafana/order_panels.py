"""Panels about findings and orders that several dashboards have. `where` is the condition of SQL for what is chosen."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import stat, statetimeline, table

from dashboards.grafana.panels import BLUE, GREEN, GREY, ORANGE, RED, bands, column, figure, hidden, page, rows
from dashboards.grafana.queries import MOST_SERIES, SqlQuery, spell_out

SEVERITIES = (
    ("0", "nothing", "transparent"), ("1", "low", BLUE), ("2", "medium", "yellow"), ("3", "high", ORANGE),
    ("4", "critical", RED),
)  # fmt: skip
OPEN = "SELECT count(*) FROM grafana.work_order WHERE is_open AND <where>"
LATE = "SELECT count(*) FROM grafana.work_order WHERE is_open AND status <> 'held' AND next_due_at < now() AND <where>"
FOUND = "SELECT count(*) FROM grafana.finding WHERE <standing> AND <where>"
NEXT = """SELECT extract(epoch FROM min(next_due_at)) * 1000 FROM grafana.work_order
WHERE is_open AND status <> 'held' AND next_due_at >= now() AND <where>"""
ORDERS = """SELECT number AS "No.", title AS "What", asset AS "Asset", priority AS "Priority", severity AS "Severity",
  status AS "Status", response_due_at AS "Response due", resolution_due_at AS "Resolution due",
  work_order_id AS "order", asset_id AS "asset"
FROM grafana.work_order WHERE <where> ORDER BY <by> LIMIT 200"""
TIMELINE = """WITH shown AS (
  SELECT asset || ' (' || asset_id || ')' AS asset, severity_rank, raised_at, cleared_at FROM grafana.finding
  WHERE raised_at <= $__timeTo() AND (cleared_at IS NULL OR cleared_at >= $__timeFrom()) AND NOT is_suppressed
    AND <where>
), worst AS (
  SELECT asset FROM shown GROUP BY asset ORDER BY max(severity_rank) DESC, count(*) DESC, asset LIMIT <most>
), edges AS (
  SELECT asset, severity_rank, greatest(raised_at, $__timeFrom()) AS at, 1 AS change FROM shown JOIN worst USING (asset)
  UNION ALL
  SELECT asset, severity_rank, cleared_at, -1 FROM shown JOIN worst USING (asset) WHERE cleared_at <= $__timeTo()
), standing AS (
  SELECT asset, at, sum(sum(change) FILTER (WHERE severity_rank = 4)) OVER one AS critical,
    sum(sum(change) FILTER (WHERE severity_rank = 3)) OVER one AS high,
    sum(sum(change) FILTER (WHERE severity_rank = 2)) OVER one AS medium,
    sum(sum(change) FILTER (WHERE severity_rank = 1)) OVER one AS low
  FROM edges GROUP BY asset, at WINDOW one AS (PARTITION BY asset ORDER BY at)
)
SELECT at AS time, asset AS metric,
  CASE WHEN critical > 0 THEN 4 WHEN high > 0 THEN 3 WHEN medium > 0 THEN 2 WHEN low > 0 THEN 1 ELSE 0 END AS value
FROM standing ORDER BY 1"""


def figures(where: str) -> Sequence[stat.Panel]:
    """Open orders, those past their deadline, the next deadline, findings that stand."""
    return (
        figure("Open orders", "Orders before closed.", _sql(OPEN, where), ((None, GREEN), (1, ORANGE))),
        figure(
            "Past deadline", "Open orders whose next deadline has passed.", _sql(LATE, where), ((None, GREEN), (1, RED))
        ),
        figure(
            "Next deadline", "The first deadline still to come.", _sql(NEXT, where), ((None, GREY),), "dateTimeFromNow"
        ),
        figure(
            "Findings",
            "Those that stand, neither suppressed nor shelved.",
            _sql(FOUND, where),
            ((None, GREEN), (1, ORANGE)),
        ),
    )


def orders(where: str) -> table.Panel:
    """Open orders, the next deadline first. A row leads to the order's page and the asset's."""
    query = spell_out(ORDERS, where=f"is_open AND {where}", by="next_due_at NULLS LAST, priority, number")
    return order_rows("Open orders by time left", "Every order before closed, the next deadline first.", query)


def order_rows(title: str, about: str, query: str) -> table.Panel:
    """Rows of orders with the columns of ORDERS."""
    panel = rows(title, about, SqlQuery(query)).data_links(
        [page("Order", "/work-orders/${__data.fields.order}"), page("Asset", "/assets/${__data.fields.asset}")]
    )
    for name in ("Response due", "Resolution due"):
        column(panel, name, "dateTimeFromNow")
    return hidden(column(column(panel, "No.", "none", 80), "Priority", "none", 80), "order", "asset")


def findings(where: str) -> statetimeline.Panel:
    """The worst finding that stood on each asset, over time."""
    query = SqlQuery(spell_out(TIMELINE, where=where, most=str(MOST_SERIES)), over_time=True)
    about = f"The worst finding on each asset over time, of the {MOST_SERIES} assets with the worst ones."
    return bands("Findings", about, query, SEVERITIES, "none").data_links([page("Findings", "/findings")])


def _sql(query: str, where: str) -> SqlQuery:
    return SqlQuery(spell_out(query, where=where))
