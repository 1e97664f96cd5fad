"""Plantroom itself: what the monitor says of itself as readings, and the orders about it."""

from grafana_foundation_sdk.builders import dashboard as classic
from grafana_foundation_sdk.models import dashboard

from dashboards.grafana.panels import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    figure,
    findings_annotation,
    lines,
    number_panels,
    place,
    rows,
    steps,
)
from dashboards.grafana.queries import SqlQuery, newest_number, numbers, spell_out
from dashboards.grafana.variables import chosen_assets

UID = "plantroom-itself"
MONITOR = "monitor"
FOUND = """SELECT raised_at AS "Raised", cleared_at AS "Cleared", title AS "What", asset_id AS "Asset",
  severity AS "Severity", state AS "State"
FROM grafana.finding WHERE <own> AND <chosen> ORDER BY raised_at DESC LIMIT 100"""
MARKS = """SELECT raised_at AS time, cleared_at AS timeend, title AS text, severity || ',' || asset_id AS tags
FROM grafana.finding WHERE <own> AND <chosen> AND $__timeFilter(raised_at) ORDER BY raised_at"""
OWN = "left(rule_id, 8) = 'monitor-'"


def _figures(board: classic.Dashboard) -> None:
    plain = steps((None, BLUE))
    panels = (
        figure(
            "Findings late by",
            "From now back to the newest instant that rules have judged.",
            newest_number("judged_delay"),
            steps((None, GREEN), (10, ORANGE), (300, RED)),
            "s",
        ),
        figure(
            "Commits behind",
            "The slowest follower of the journal: store, rules, dead letters.",
            newest_number("follower_lag"),
            steps((None, GREEN), (1_000, ORANGE), (6_000, RED)),
        ),
        figure(
            "Disk free",
            "Under PLANTROOM_VAR. Without room nothing is acknowledged.",
            newest_number("disk_free"),
            steps((None, RED), (10, ORANGE), (20, GREEN)),
            "percent",
        ),
        figure(
            "Unreadable messages",
            "Of the messages of the last minute.",
            newest_number("rejected_rate"),
            steps((None, GREEN), (1, ORANGE), (5, RED)),
            "percent",
        ),
        figure(
            "Silent devices",
            "They spoke once and have said nothing for ten cadences, half an hour at least.",
            newest_number("silent_devices"),
            steps((None, GREEN), (1, ORANGE), (5, RED)),
        ),
        figure("Messages a second", "All that ingest received.", newest_number("message_rate"), plain),
    )
    for index, panel in enumerate(panels):
        board.with_panel(panel.grid_pos(place(4 * index, 0, 4, 4)))


def build() -> dashboard.Dashboard:
    """The whole dashboard. Panels get their ids in the order they stand here."""
    board = (
        classic.Dashboard("Plantroom itself")
        .uid(UID)
        .description("How the monitor is doing: lag, disk, unreadable messages, silent devices, and findings about it.")
        .tags(["plantroom"])
        .timezone("browser")
        .time("now-24h", "now")
        .refresh("30s")
        .readonly()
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .annotation(findings_annotation(MARKS.replace("<own>", OWN)))
    )
    for variable in chosen_assets(MONITOR):
        board.with_variable(variable)
    _figures(board)
    panels = (
        lines("Findings late by", "Seconds back to what rules have judged.", numbers("^judged_delay$"), "s"),
        lines("Commits behind", "The slowest follower of the journal.", numbers("^follower_lag$"), "short"),
        lines("Messages a second", "All that ingest received.", numbers("^message_rate$"), "short"),
        lines("Unreadable messages", "Share of each minute.", numbers("^rejected_rate$"), "percent"),
        lines("Silent devices", "Nothing heard for ten cadences.", numbers("^silent_devices$"), "short"),
        lines("Disk free", "Under PLANTROOM_VAR.", numbers("^disk_free$"), "percent"),
    )
    for index, panel in enumerate(panels):
        board.with_panel(panel.grid_pos(place(12 * (index % 2), 4 + 8 * (index // 2), 12, 8)))
    found = rows("Findings about Plantroom", "By the same way as all others.", SqlQuery(spell_out(FOUND, own=OWN)))
    board.with_panel(found.grid_pos(place(0, 28, 24, 8)))
    return number_panels(board)
