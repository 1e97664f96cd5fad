"""The made-up findings and orders of the preview, an hour into a bad afternoon."""

from datetime import datetime, timedelta

from dashboards.web.order_view import DeadlineView, OrderEventView, OrderView
from facility.finding import Evidence, Finding, FindingState, OrderKind, Severity, finding_id
from facility.instant import to_us

MINUTE_US = 60_000_000


def _finding(
    start: datetime, building: str, asset: str, rule: str, title: str, severity: Severity, minutes: tuple[float, float],
    evidence: tuple[tuple[str, float | str, str], ...], **more: object,
) -> Finding:  # fmt: skip
    onset = to_us(start) + round(minutes[0] * MINUTE_US)
    raised = to_us(start) + round(minutes[1] * MINUTE_US)
    finding = Finding(
        id=finding_id(rule, asset, onset), rule_id=rule, asset_id=asset, building_id=building, kind=OrderKind.FAULT,
        severity=severity, state=FindingState.ACTIVE, title=title, advice="", cause_key=f"{asset}/{rule}",
        onset_us=onset, raised_us=raised,
        evidence=tuple(Evidence(asset, point, raised, value, unit) for point, value, unit in evidence),
    )  # fmt: skip
    return _with(finding, **more)


def _with(finding: Finding, **more: object) -> Finding:
    fields = {name: getattr(finding, name) for name in finding.__struct_fields__}
    return Finding(**(fields | more))


def findings(start: datetime) -> list[Finding]:
    """Every finding of the story, newest first. `start` is when the afternoon goes wrong."""
    supply = _finding(
        start, "tower-a", "ahu-1", "ahu-supply-air-off-set-point", "Supply air off its set point", Severity.HIGH, (-40, -20),
        (("supply_air_temperature", 16.4, "degC"), ("supply_air_temperature_setpoint", 13.0, "degC"),
         ("cooling_valve_command", 92.0, "%"), ("difference", 3.4, "delta_degC")),
        advice="Check chilled water at the coil first, then the valve: it is nearly open and the air is not getting colder.",
        diagnoses=("No or warm chilled water at the coil", "Cooling valve stuck or its actuator slipping", "Supply air sensor drifted"),
    )  # fmt: skip
    found = [
        supply,
        _finding(
            start, "tower-a", "lift-1", "elevator-entrapment", "Passenger trapped", Severity.CRITICAL, (12, 13),
            (("passenger_present", 1.0, "bool"), ("door_zone", 0.0, "bool"), ("door_status", "closed", "enum"), ("car_status", "stopped", "enum")),
            advice="Call the passenger over the intercom now. Send two technicians; do not move the car before both are on site.",
            diagnoses=("Door lock contact open between floors", "Controller fault", "Power dip"),
            state=FindingState.CLEARED, cleared_us=to_us(start) + 40 * MINUTE_US,
        ),
        _finding(
            start, "tower-a", "zone-12e", "zone-too-warm", "Zone too warm", Severity.MEDIUM, (20, 50),
            (("zone_air_temperature", 24.9, "degC"), ("zone_air_temperature_setpoint", 23.0, "degC")),
            suppressed_by=supply.id,
        ),
        _finding(
            start, "tower-a", "pump-1", "pump-no-proof-of-run", "Pump commanded on but not running", Severity.HIGH, (0, 1),
            (("run_command", 1.0, "bool"), ("run_status", 0.0, "bool"), ("water_flow", 0.0, "m3/h")),
            advice="Look for a tripped overload at the starter; switch to the standby pump.",
            diagnoses=("Motor overload tripped", "Contactor failed", "Isolator open"),
        ),
        _finding(
            start, "tower-a", "leak-b", "water-leak", "Leak detected", Severity.CRITICAL, (30, 30), (("leak_detected", 1.0, "bool"),),
            advice="Close the riser valve in the basement and look under pump 1.", diagnoses=("Pump seal", "Pipe joint", "Condensate"),
        ),
        _finding(
            start, "tower-a", "light-3a", "lamp-failure", "Lamp failed on the circuit", Severity.LOW, (-200, -185),
            (("circuit_power", 314.0, "W"), ("lamp_command", 100.0, "%")),
            advice="Replace the failed lamps; the missing power is that of two.", diagnoses=("Two lamps out", "Driver out"),
        ),
        _finding(
            start, "tower-a", "ahu-1", "ahu-filter-loading", "Filter nearly loaded", Severity.MEDIUM, (-300, -240),
            (("filter_differential_pressure", 251.0, "Pa"),), kind=OrderKind.PREVENTIVE,
            advice="Change the filters at the next visit.", diagnoses=("Filter loaded",),
        ),
    ]  # fmt: skip
    return sorted(found, key=lambda each: -each.raised_us)


_ORDERS = (
    # rule, number, status, priority, level, clause, response and resolution minutes after opening
    ("elevator-entrapment", 41, "completed", 1, "entrapment", "3.1", 30, 240),
    ("water-leak", 44, "open", 1, "burst-or-leak", "4.2", 15, 120),
    ("pump-no-proof-of-run", 43, "acknowledged", 2, "water-supply", "4.1", 120, 1440),
    ("ahu-supply-air-off-set-point", 40, "arrived", 2, "comfort", "5.1", 120, 480),
    ("lamp-failure", 38, "open", 4, "", "1.9", 480, 2880),
    ("ahu-filter-loading", 37, "acknowledged", 3, "planned", "7.2", 2880, 10080),
)
_VERBS = {
    "open": ("acknowledge", "arrive", "cancel"), "acknowledged": ("arrive", "cancel"), "arrived": ("complete", "cancel"),
    "completed": ("accept", "close"), "accepted": ("close",),
}  # fmt: skip
STEPS = ("acknowledge", "arrive", "complete", "accept", "close")
STATUS_AFTER = {"acknowledge": "acknowledged", "arrive": "arrived", "complete": "completed", "accept": "accepted",
                "close": "closed", "cancel": "cancelled"}  # fmt: skip
CHECKLIST = ("Make the place safe", "Find the cause", "Repair and test", "Watch the value come back to normal")


def orders(start: datetime, found: list[Finding]) -> list[OrderView]:
    """Every order of the story, newest first."""
    by_rule = {each.rule_id: each for each in found}
    return sorted(
        (_order(by_rule[entry[0]], entry) for entry in _ORDERS), key=lambda each: each.opened_at, reverse=True
    )


def _order(finding: Finding, entry: tuple[str, int, str, int, str, str, int, int]) -> OrderView:
    _, number, status, priority, level, clause, respond, resolve = entry
    opened = datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(microseconds=finding.raised_us)
    done = 0 if status == "open" else 1 + [STATUS_AFTER[step] for step in STEPS].index(status)
    stamps = {step: opened + timedelta(minutes=6 + 9 * index) for index, step in enumerate(STEPS[:done])}
    history = [OrderEventView(opened, "open", "Plantroom", f"{finding.title} ({finding.rule_id})")]
    history += [
        OrderEventView(at, step, "m.chen" if step != "accept" else "property office") for step, at in stamps.items()
    ]
    paused = "parts" if finding.rule_id == "ahu-supply-air-off-set-point" else None
    return OrderView(
        id=f"wo_{finding.id[:20]}", number=f"WO-{number:06d}", kind=finding.kind, status=status, is_open=True,
        priority=priority, severity=finding.severity, asset_id=finding.asset_id, rule_id=finding.rule_id,
        title=finding.title, opened_at=opened, members=(finding.id,), advice=finding.advice,
        diagnoses=finding.diagnoses, checklist=CHECKLIST, evidence=finding.evidence,
        deadlines=(
            DeadlineView("response", opened + timedelta(minutes=respond), _limit(respond), stamps.get("arrive")),
            DeadlineView("resolution", opened + timedelta(minutes=resolve), _limit(resolve), stamps.get("complete"),
                         paused, timedelta(hours=7, minutes=12) if paused else None),
        ),
        acknowledged_at=stamps.get("acknowledge"), arrived_at=stamps.get("arrive"), completed_at=stamps.get("complete"),
        contract_id="harbour-2026", contract_revision=2, service_level=level or "default", clause=clause,
        is_default_level=not level, history=tuple(history), verbs=_VERBS[status],
    )  # fmt: skip


def _limit(minutes: int) -> str:
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def after(order: OrderView, verb: str, by: str, note: str, at: datetime) -> OrderView:
    """The order one verb later."""
    status = STATUS_AFTER[verb]
    fields = {name: getattr(order, name) for name in OrderView.__dataclass_fields__}
    stopping = {"arrive": "response", "complete": "resolution"}.get(verb)
    deadlines = tuple(
        DeadlineView(each.name, each.due_at, each.limit, at)
        if each.name == stopping and each.stopped_at is None
        else each
        for each in order.deadlines
    )
    return OrderView(
        **fields | {
            "status": status, "is_open": status not in ("closed", "cancelled"), "verbs": _VERBS.get(status, ()),
            "deadlines": deadlines, "history": (*order.history, OrderEventView(at, verb, by, note)),
        }
    )  # fmt: skip
