"""The building overview: what is open and due, what was found, and the readings of the four systems."""

from grafana_foundation_sdk.builders import dashboard as classic
from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import dashboard

from dashboards.grafana.panels import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    bands,
    figure,
    findings_annotation,
    lines,
    number_panels,
    place,
    rows,
    steps,
)
from dashboards.grafana.queries import SqlQuery, bad_readings, numbers, spell_out, states
from dashboards.grafana.variables import chosen_assets

UID = "plantroom-building"
ORDERS = """SELECT number AS "Number", title AS "What", asset_id AS "Asset", priority AS "Priority",
  severity AS "Severity", status AS "Status", response_due_at AS "Response due",
  resolution_due_at AS "Resolution due", work_order_id AS "id"
FROM grafana.work_order WHERE <open> AND <chosen> ORDER BY next_due_at NULLS LAST, priority, number LIMIT 200"""
NEXT_DUE = """SELECT extract(epoch FROM min(next_due_at)) * 1000 FROM grafana.work_order
WHERE <open> AND next_due_at >= now() AND <chosen>"""
FINDINGS = """SELECT raised_at AS time, cleared_at AS timeend, title AS text, severity || ',' || asset_id AS tags
FROM grafana.finding WHERE <chosen> AND NOT is_suppressed AND $__timeFilter(raised_at) ORDER BY raised_at"""
MODES = (
    ("normal", GREEN),
    ("inspection", BLUE),
    ("stop", "semi-dark-orange"),
    ("fire_return", RED),
    ("firefighter", RED),
    ("emergency_power", ORANGE),
    ("earthquake", RED),
    ("unknown", "text"),
)


def _count(table_name: str, condition: str) -> SqlQuery:
    query = "SELECT count(*) FROM grafana.<table> WHERE <condition> AND <chosen>"
    return SqlQuery(spell_out(query, table=table_name, condition=condition))


def _orders() -> table.Panel:
    link = classic.DashboardLink("Open the order").url("${plantroom}/work-orders/${__data.fields.id}").target_blank(
        target_blank=True
    )  # fmt: skip
    due = [dashboard.DynamicConfigValue("unit", "dateTimeFromNow")]
    return (
        rows(
            "Open orders by time left",
            "Every order before closed, the next deadline first.",
            SqlQuery(spell_out(ORDERS)),
        )
        .data_links([link])
        .override_by_name("Response due", due)
        .override_by_name("Resolution due", due)
        .override_by_name("Priority", [dashboard.DynamicConfigValue("custom.width", 80)])
        .override_by_name("id", [dashboard.DynamicConfigValue("custom.hidden", value=True)])
    )


def _figures(board: classic.Dashboard) -> None:
    overdue = _count("work_order", "<open> AND next_due_at < now()")
    calm, alarm = steps((None, GREEN), (1, ORANGE)), steps((None, GREEN), (1, RED))
    active = "state = 'active' AND NOT is_suppressed AND NOT is_shelved"
    for index, panel in enumerate(
        (
            figure("Open orders", "Orders before closed.", _count("work_order", "<open>"), calm),
            figure("Past deadline", "Open orders whose next deadline has passed.", overdue, alarm),
            figure(
                "Next deadline",
                "The first deadline still to come.",
                SqlQuery(spell_out(NEXT_DUE)),
                steps((None, "text")),
                "dateTimeFromNow",
            ),
            figure("Active findings", "Neither suppressed nor shelved.", _count("finding", active), calm),
        )
    ):
        board.with_panel(panel.grid_pos(place(6 * index, 0, 6, 4)))


def _readings(board: classic.Dashboard) -> None:
    temperature = numbers("_temperature(_setpoint)?$")
    panels = (
        lines("Temperatures", "Air and water, with their set points.", temperature, "celsius"),
        lines("Valves, dampers and speeds", "Commands and feedback.", numbers("(_command|_position)$"), "percent"),
        lines("Lighting power", "Power of each circuit.", numbers("^circuit_power$"), "watt"),
        lines("Water pressure", "At pumps and risers.", numbers("^water_pressure$"), "pressurekpa"),
        lines("Tank level", "How full each tank is.", numbers("^tank_level$"), "percent"),
        lines("Readings that are not believed", "Out of range, stuck, spikes, late.", bad_readings(), "short"),
    )
    for index, panel in enumerate(panels):
        board.with_panel(panel.grid_pos(place(12 * (index % 2), 19 + 9 * (index // 2), 12, 9)))


def build() -> dashboard.Dashboard:
    """The whole dashboard. Panels get their ids in the order they stand here."""
    address = classic.TextBoxVariable("plantroom").label("Plantroom at").default_value("http://127.0.0.1:8600")
    board = (
        classic.Dashboard("Building overview")
        .uid(UID)
        .description("Open orders with their deadlines, findings, and the readings of the four systems.")
        .tags(["plantroom"])
        .timezone("browser")
        .time("now-24h", "now")
        .refresh("30s")
        .readonly()
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .annotation(findings_annotation(FINDINGS))
    )
    for variable in (*chosen_assets(), address):
        board.with_variable(variable)
    _figures(board)
    board.with_panel(_orders().grid_pos(place(0, 4, 24, 9)))
    modes = bands(
        "Elevator mode", "The service mode each controller reports.", states("elevator", "service_mode"), MODES
    )
    board.with_panel(modes.grid_pos(place(0, 13, 24, 6)))
    _readings(board)
    return number_panels(board)
