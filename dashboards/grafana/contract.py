"""How well contracts are kept: deadlines met and missed, visits on time, what it costs whom."""

from grafana_foundation_sdk.models import dashboard

from dashboards.grafana import variables
from dashboards.grafana.catalogue import CONTRACT
from dashboards.grafana.frame import frame
from dashboards.grafana.layout import Layout
from dashboards.grafana.order_panels import ORDERS, order_rows
from dashboards.grafana.panels import BLUE, GREEN, ORANGE, RED, column, curve, figure, page, rows
from dashboards.grafana.queries import SqlQuery, spell_out

ABOUT = (
    "For the manager and the customer: which deadlines were met, which were missed and where. By the deadlines kept on "
    "the orders; what the contract makes of them, with waivers and penalties, is on Plantroom's own page of the month."
)
WHERE = "<building> AND contract_id ~ '^(${contract:pipe})$'"
FAULTS = "kind = 'fault' AND <where> AND $__timeFilter(opened_at)"
SHARE = "SELECT 100.0 * avg(<met>::int) FROM grafana.work_order WHERE <faults>"
MISSED = "SELECT count(*) FROM grafana.work_order WHERE (NOT response_met OR NOT resolution_met) AND <faults>"
REPEATS = "SELECT count(*) FROM grafana.work_order WHERE repeats > 0 AND <faults>"
WEEKS = """SELECT date_trunc('week', opened_at) AS time, what AS metric, 100.0 * avg(met::int) AS value
FROM grafana.work_order,
  LATERAL (VALUES ('response', response_met), ('resolution', resolution_met)) AS deadline(what, met)
WHERE met IS NOT NULL AND <faults> GROUP BY 1, 2 ORDER BY 1"""
LEVELS = """SELECT contract_id AS "Contract", service_level AS "Service level", count(*) AS "Orders",
  100.0 * avg(response_met::int) AS "Response met", 100.0 * avg(resolution_met::int) AS "Resolution met",
  percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM arrived_at - opened_at)) AS "Arrival took",
  contract_id AS "contract"
FROM grafana.work_order WHERE <faults> GROUP BY contract_id, service_level ORDER BY 1, 2"""
VISITS = """SELECT asset AS "Asset", title AS "Visit", planned_due_at AS "Planned until", completed_at AS "Done",
  CASE WHEN completed_at <= planned_due_at THEN 'on time' WHEN completed_at IS NOT NULL THEN 'late'
    WHEN planned_due_at < now() THEN 'overdue' ELSE 'to come' END AS "State", work_order_id AS "order"
FROM grafana.work_order WHERE kind = 'preventive' AND <where> ORDER BY planned_due_at DESC NULLS LAST LIMIT 100"""
COSTS = """SELECT payer AS "Payer", kind AS "Kind", currency AS "Currency", sum(amount) AS "Amount"
FROM grafana.cost WHERE <where> AND $__timeFilter(at) GROUP BY 1, 2, 3 ORDER BY 4 DESC"""
GOOD = ((None, RED), (90, ORANGE), (98, GREEN))


def contract() -> dashboard.Dashboard:
    """The whole dashboard."""
    frame_of = frame(
        CONTRACT, "Contract performance", ABOUT, "<building>", variables.contracts(), span="now-90d", refresh="5m"
    )
    layout = Layout(frame_of)
    layout.row(
        4,
        figure("Response met", "Arrived before the deadline, of faults opened in the shown time.",
               _sql(SHARE, met="response_met"), GOOD, "percent"),
        figure("Resolution met", "Completed before the deadline, of faults opened in the shown time.",
               _sql(SHARE, met="resolution_met"), GOOD, "percent"),
        figure("Missed", "Faults with a missed deadline.", _sql(MISSED), ((None, GREEN), (1, RED))),
        figure("Came back", "Faults whose cause returned inside the contract's window.", _sql(REPEATS),
               ((None, BLUE), (1, ORANGE))),
    )  # fmt: skip
    levels = rows("By service level", "A row leads to the contract's page.", _sql(LEVELS))
    for name, unit in (
        ("Orders", "none"),
        ("Response met", "percent"),
        ("Resolution met", "percent"),
        ("Arrival took", "s"),
    ):
        column(levels, name, unit)
    weeks = curve("Deadlines met by week", "Of the faults opened in each week.", _sql(WEEKS, over_time=True), "percent")
    levels.data_links([page("Contract", "/contracts/${__data.fields.contract}")])
    layout.row(9, weeks, levels)
    chosen = spell_out(FAULTS, where=WHERE)
    layout.row(
        9,
        order_rows(
            "Missed deadlines",
            "The newest first.",
            spell_out(ORDERS, where=f"(NOT response_met OR NOT resolution_met) AND {chosen}", by="opened_at DESC"),
        ),
    )
    visits = rows("Visits of the plan", "The latest first.", _sql(VISITS))
    for name in ("Planned until", "Done"):
        column(visits, name, "dateTimeAsLocal")
    visits.data_links([page("Order", "/work-orders/${__data.fields.order}")])
    costs = column(rows("Costs", "Of the shown time, by who pays.", _sql(COSTS)), "Amount", "none")
    layout.row(9, visits, costs, widths=(15, 9))
    return layout.build()


def _sql(query: str, *, met: str = "", over_time: bool = False) -> SqlQuery:
    return SqlQuery(spell_out(query, met=met, faults=FAULTS, where=WHERE), over_time=over_time)
