"""One building, or several: what is open and due, what was found, and the readings of the four systems."""

from grafana_foundation_sdk.models import common, dashboard

from dashboards.grafana import variables
from dashboards.grafana.catalogue import BUILDING
from dashboards.grafana.frame import frame
from dashboards.grafana.layout import Layout
from dashboards.grafana.order_panels import figures, findings, orders
from dashboards.grafana.panels import bands, bars, curve, lines, page
from dashboards.grafana.queries import SqlQuery, doubted, modes, numbers, spell_out
from dashboards.grafana.texts import texts
from dashboards.grafana.units import UNITS

ABOUT = "For the building's engineer: what is open and due next, what was found where, and what the four systems read."
WHERE = "<building> AND <asset>"
STANDING = """WITH edges AS (
  SELECT system, at, change FROM grafana.finding, LATERAL (VALUES
    (greatest(raised_at, $__timeFrom()), 1), (cleared_at, -1)) AS edge(at, change)
  WHERE raised_at <= $__timeTo() AND (cleared_at IS NULL OR cleared_at >= $__timeFrom()) AND NOT is_suppressed
    AND <where>
), moved AS (
  SELECT system, sum(change) AS change, date_bin(greatest(interval '1 minute',
    ($__timeTo()::timestamptz - $__timeFrom()::timestamptz) / 300), at, $__timeFrom()::timestamptz) AS time
  FROM edges WHERE at <= $__timeTo() GROUP BY 1, 3
)
SELECT time, system AS metric, sum(change) OVER (PARTITION BY system ORDER BY time) AS value FROM moved ORDER BY 1"""
READINGS = (
    ("Air and water temperatures", "Supply air and chilled water, with their set points.",
     ("ahu", "rooftop_unit", "chiller"), ("supply_air_temperature", "supply_air_temperature_setpoint",
     "chilled_water_supply_temperature"), "degC"),
    ("Room temperatures", "In the zones.", ("vav", "zone", "fan_coil"), ("zone_air_temperature",), "degC"),
    ("Lighting power", "Of each circuit.", ("luminaire_circuit",), ("circuit_power",), "W"),
    ("Water pressure", "At pumps and meters.", ("pump", "water_meter"), ("water_pressure",), "kPa"),
    ("Tank level", "How full each tank is.", ("tank",), ("tank_level",), "%"),
)  # fmt: skip


def building() -> dashboard.Dashboard:
    """The whole dashboard."""
    chosen = (*variables.assets(()), variables.shown(WHERE), variables.store())
    layout = Layout(frame(BUILDING, "Building", ABOUT, WHERE, chosen, refresh="30s"))
    layout.row(4, *figures(WHERE))
    layout.row(9, orders(WHERE))
    layout.row(8, findings(WHERE))
    asked = modes(("elevator",), ("service_mode",))
    service = bands(
        "Elevator mode", "The service mode each controller reports.", asked, texts(("service_mode",)), "string"
    )
    asked_sql = SqlQuery(spell_out(STANDING, where=WHERE), over_time=True)
    standing = curve("Findings that stand", "How many of each technical system at a time.", asked_sql, "short")
    standing.line_interpolation(common.LineInterpolation.STEP_AFTER).show_points(common.VisibilityMode.NEVER)
    layout.row(8, service, standing.data_links([page("Findings", "/findings")]))
    plots = [lines(title, about, numbers(of, points), UNITS[unit]) for title, about, of, points, unit in READINGS]
    layout.pairs(8, [*plots, bars("Readings that are not believed", "Out of range, stuck, spikes, late.", doubted(()))])
    return layout.build()
