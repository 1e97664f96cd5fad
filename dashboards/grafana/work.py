"""Work orders and deadlines: what waits, what is late, and how quickly work is done."""

from grafana_foundation_sdk.models import dashboard

from dashboards.grafana.catalogue import ORDERS as UID
from dashboards.grafana.frame import frame
from dashboards.grafana.layout import Layout
from dashboards.grafana.order_panels import ORDERS, figures, order_rows, orders
from dashboards.grafana.panels import bars, column, curve, rows
from dashboards.grafana.queries import SqlQuery, spell_out

ABOUT = "For dispatcher and manager: what is late, what falls due next, how much comes and goes, how long it takes."
WHERE = "<building>"
LATE = "is_open AND status <> 'held' AND next_due_at < now() AND <building>"
STATUS = """SELECT status AS "Status", count(*) AS "Orders",
  count(*) FILTER (WHERE severity = 'critical') AS "Critical", count(*) FILTER (WHERE severity = 'high') AS "High",
  min(opened_at) AS "Oldest"
FROM grafana.work_order WHERE is_open AND <building> GROUP BY status ORDER BY 2 DESC"""
FLOW = """SELECT date_trunc('day', at) AS time, what AS metric, count(*) AS value FROM (
  SELECT opened_at AS at, 'opened' AS what FROM grafana.work_order WHERE <building> AND $__timeFilter(opened_at)
  UNION ALL
  SELECT completed_at, 'completed' FROM grafana.work_order WHERE <building> AND $__timeFilter(completed_at)
) AS moved GROUP BY 1, 2 ORDER BY 1"""
DUE = """SELECT span AS "Due within", count(work_order_id) AS "Orders",
  count(work_order_id) FILTER (WHERE severity IN ('critical', 'high')) AS "Critical or high"
FROM (VALUES (1, '1 hour', interval '1 hour'), (2, '4 hours', interval '4 hours'), (3, '1 day', interval '1 day'),
  (4, '3 days', interval '3 days')) AS spans(rank, span, length)
LEFT JOIN grafana.work_order ON is_open AND status <> 'held' AND next_due_at BETWEEN now() AND now() + length
  AND <building>
GROUP BY rank, span ORDER BY rank"""
TOOK = """SELECT date_trunc('day', opened_at) AS time, what AS metric,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM done - opened_at)) AS value
FROM grafana.work_order, LATERAL (VALUES ('arrival', arrived_at), ('completion', completed_at)) AS step(what, done)
WHERE kind = 'fault' AND done IS NOT NULL AND <building> AND $__timeFilter(opened_at) GROUP BY 1, 2 ORDER BY 1"""
MESSAGES = """SELECT kind AS "Kind", event AS "Event", state AS "State", count(*) AS "Messages",
  max(created_at) AS "Last"
FROM grafana.message WHERE (building_id IS NULL OR <building>) AND $__timeFilter(created_at)
GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 50"""


def work() -> dashboard.Dashboard:
    """The whole dashboard."""
    layout = Layout(frame(UID, "Work orders and deadlines", ABOUT, WHERE, (), span="now-7d", refresh="1m"))
    layout.row(4, *figures(WHERE))
    late = spell_out(ORDERS, where=LATE, by="next_due_at, priority, number")
    layout.row(9, order_rows("Past deadline", "The longest overdue first.", late))
    layout.row(9, orders(WHERE))
    status = column(rows("By status", "Open orders.", SqlQuery(STATUS)), "Oldest", "dateTimeFromNow")
    for name in ("Orders", "Critical", "High"):
        column(status, name, "none", 90)
    due = rows("Falling due", "Open orders by how soon their next deadline is.", SqlQuery(DUE))
    for name in ("Orders", "Critical or high"):
        column(due, name, "none", 130)
    layout.row(8, status, due)
    layout.row(
        8,
        bars("Opened and completed a day", "Work that comes and goes.", SqlQuery(FLOW, over_time=True)),
        curve(
            "How long work takes", "Half of the faults of each day were quicker.", SqlQuery(TOOK, over_time=True), "s"
        ),
    )
    told = rows("Messages", "What was sent to people and other programs about orders.", SqlQuery(MESSAGES))
    layout.row(8, column(column(told, "Messages", "none", 110), "Last", "dateTimeFromNow"))
    return layout.build()
