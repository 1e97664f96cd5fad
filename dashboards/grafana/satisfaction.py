"""What people say: surveys, complaints and requests."""

from grafana_foundation_sdk.models import dashboard

from dashboards.grafana.catalogue import SATISFACTION
from dashboards.grafana.frame import frame
from dashboards.grafana.layout import Layout
from dashboards.grafana.panels import BLUE, GREEN, ORANGE, RED, bars, column, curve, figure, hidden, page, rows
from dashboards.grafana.queries import SqlQuery, spell_out

ABOUT = (
    "For the manager: are people content, do they answer, what do they complain about, and is that answered in time."
)
WHERE = "<building>"
SENT = "<building> AND $__timeFilter(sent_at)"
SCORE = "SELECT avg(score)::float FROM grafana.survey WHERE <sent>"
NPS = """SELECT 100.0 * avg(CASE WHEN nps >= 9 THEN 1 WHEN nps <= 6 THEN -1 ELSE 0 END) FROM grafana.survey
WHERE nps IS NOT NULL AND <sent>"""
ANSWERED = "SELECT 100.0 * avg((answered_at IS NOT NULL)::int) FROM grafana.survey WHERE <sent>"
COMPLAINTS = "SELECT count(*) FROM grafana.complaint WHERE resolved_at IS NULL AND <building>"
IN_TIME = """SELECT 100.0 * avg((coalesce(answered_at, now()) <= answer_due_at)::int) FROM grafana.complaint
WHERE answer_due_at IS NOT NULL AND <building> AND $__timeFilter(received_at)"""
SCORES = """SELECT date_trunc('day', answered_at) AS time, form_id AS metric, avg(score)::float AS value
FROM grafana.survey WHERE score IS NOT NULL AND <sent> GROUP BY 1, 2 ORDER BY 1"""
RECEIVED = """SELECT date_trunc('day', received_at) AS time, what AS metric, count(*) AS value FROM (
  SELECT received_at, 'complaints' AS what FROM grafana.complaint WHERE <building> AND $__timeFilter(received_at)
  UNION ALL
  SELECT received_at, 'requests' FROM grafana.request WHERE <building> AND $__timeFilter(received_at)
) AS said GROUP BY 1, 2 ORDER BY 1"""
SUPPLIERS = """SELECT coalesce(nullif(supplier, ''), 'ours') AS "Supplier", form_id AS "Form", count(*) AS "Sent",
  count(answered_at) AS "Answered", avg(score)::float AS "Score"
FROM grafana.survey WHERE <sent> GROUP BY 1, 2 ORDER BY 5 NULLS LAST"""
OPEN = """SELECT number AS "No.", asset_id AS "Asset", status AS "Status", received_at AS "Received",
  answer_due_at AS "Answer due", resolve_due_at AS "Resolution due", is_repeat AS "Again", work_order_id AS "order"
FROM grafana.complaint WHERE resolved_at IS NULL AND <building>
ORDER BY least(answer_due_at, resolve_due_at) NULLS LAST LIMIT 100"""
CATEGORIES = """SELECT category AS "About", count(*) AS "Requests", count(*) FILTER (WHERE is_urgent) AS "Urgent",
  count(*) FILTER (WHERE is_repeat) AS "Said before", count(work_order_id) AS "Became orders"
FROM grafana.request WHERE <building> AND $__timeFilter(received_at) GROUP BY category ORDER BY 2 DESC"""


def satisfaction() -> dashboard.Dashboard:
    """The whole dashboard."""
    layout = Layout(frame(SATISFACTION, "Satisfaction", ABOUT, WHERE, (), span="now-90d", refresh="5m"))
    layout.row(
        4,
        figure("Score", "Mean of the answers, 0 to 10.", _sql(SCORE),
               ((None, RED), (6, ORANGE), (8, GREEN)), "none"),
        figure("Would recommend", "Net promoter score, -100 to 100.", _sql(NPS),
               ((None, RED), (0, ORANGE), (30, GREEN)), "none"),
        figure("Answered", "Of the surveys sent.", _sql(ANSWERED), ((None, BLUE),), "percent"),
        figure("Complaints", "Not resolved yet.", SqlQuery(COMPLAINTS), ((None, GREEN), (1, ORANGE))),
        figure("Answered in time", "Of the complaints of the shown time.", SqlQuery(IN_TIME),
               ((None, RED), (90, ORANGE), (98, GREEN)), "percent"),
    )  # fmt: skip
    layout.row(
        9,
        curve("Score by day", "Mean of the answers of each form, 0 to 10.", _sql(SCORES, over_time=True), "none"),
        bars("Complaints and requests a day", "As they were received.", SqlQuery(RECEIVED, over_time=True)),
    )
    complaints = rows("Complaints to be resolved", "The next deadline first; a row leads to its order.", SqlQuery(OPEN))
    for name in ("Received", "Answer due", "Resolution due"):
        column(complaints, name, "dateTimeFromNow")
    hidden(column(complaints, "No.", "none", 80), "order")
    complaints.data_links([page("Order", "/work-orders/${__data.fields.order}")])
    layout.row(9, complaints)
    suppliers = rows("By supplier", "The least content first.", _sql(SUPPLIERS))
    categories = rows("Requests by what they are about", "Of the shown time.", SqlQuery(CATEGORIES))
    for table, names in (
        (suppliers, ("Sent", "Answered", "Score")),
        (categories, ("Requests", "Urgent", "Said before", "Became orders")),
    ):
        for name in names:
            column(table, name, "none", 110)
    layout.row(9, suppliers, categories)
    return layout.build()


def _sql(query: str, *, over_time: bool = False) -> SqlQuery:
    return SqlQuery(spell_out(query, sent=SENT), over_time=over_time)
