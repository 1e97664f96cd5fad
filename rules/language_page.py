"""The reference page of the condition language, made from the tables the compiler itself uses."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from facility.catalogue import point_types
from rules import baseline, joint, storm, trend
from rules.calls import MAX_DURATION_US, spell
from rules.functions import BY, FUNCTIONS, LEARNING, Function
from rules.learning import DEFAULTS
from rules.rule_file import FlappingEntry, ParameterEntry, RuleEntry, StatesEntry
from rules.syntax import MAX_DEPTH, MAX_LENGTH

EXAMPLES: Mapping[str, str] = {
    "abs": "abs(mixed_air_temperature - return_air_temperature) > 3",
    "min": "min(return_air_temperature, outside_air_temperature) > mixed_air_temperature",
    "max": "max(return_air_temperature, outside_air_temperature) < mixed_air_temperature",
    "sqrt": "sqrt(water_flow * water_flow) > 3",
    "mean": 'mean(supply_air_temperature, "5 min") > supply_air_temperature_setpoint + 2',
    "lowest": 'lowest(water_flow, "24 h") > 0.5',
    "highest": 'highest(tank_level, "1 h") < 20',
    "total": 'total(door_reversals, "1 day") > 40',
    "deviation": 'deviation(supply_air_temperature, "30 min") > 2',
    "delta": 'delta(water_pressure, "5 min") < -50',
    "rate": 'rate(water_volume, "1 h") > 3',
    "ago": 'tank_level < ago(tank_level, "1 h") - 20',
    "changes": 'changes(car_position, "2 min") == 0',
    "count": 'count(door_status == "blocked", "1 h") >= 3',
    "starts": 'starts(run_status == 1, "1 h") > 4',
    "since": "since(supply_fan_status == 1) >= 900",
    "of_last": "of_last(abs(levelling_error) > 10, 20) >= 3",
    "held": "held(service_mode) > 3600",
    "switches": 'switches(run_status == 1, "1 h") > 7',
    "settled": 'settled(heating_valve_command > 5, "30 min")',
    "siblings": "supply_air_temperature > siblings(supply_air_temperature) + 4",
    "average": 'average(water_flow * water_pressure, "10 min") > 900',
    "sampled": 'tank_level < sampled(tank_level, "1 day") - 30',
    "cusum": 'cusum(supply_air_temperature - supply_air_temperature_setpoint - 0.5, "1 h") > 10',
    "since_visit": "since_visit(run_hours) > 4000",
    "baseline": 'water_flow > 3 * baseline(water_flow, by="weekday hour", train="28 d")',
    "off_baseline": "abs(off_baseline(vibration_z, mode=car_direction, when=car_status == 'running')) > 5",
    "off_together": 'off_together(mean(water_flow, "1 min"), mean(power, "1 min"), train="1 day") > 2',
    "trend": "trend(brake_wear) > 0.1",
    "days_to_limit": "days_to_limit(filter_differential_pressure, 250) < 21",
    "days_to_floor": 'days_to_floor(water_pressure, 150, train="30 d") < 14',
    "rising_confidence": "rising_confidence(motor_temperature) > 95",
    "silent": 'silent(tank_level, "15 min")',
    "never_seen": 'never_seen("1 day")',
    "out_of_range": "out_of_range(tank_level)",
    "flagged_stuck": "flagged_stuck(supply_air_temperature)",
    "flagged_spike": "flagged_spike(water_flow)",
    "occupied": "not occupied() and supply_fan_status == 1",
    "since_occupied": "since_occupied() >= 3600 and circuit_power > 50",
    "until_occupied": "until_occupied() > 3600 and circuit_power > 50",
    "weekday": "weekday() >= 5 and supply_fan_status == 1",
    "hour": "hour() < 5 and water_flow > 1",
    "design": 'water_flow > 1.2 * design("rated_flow")',
}
"""One condition for each function; a test compiles them all."""

_INTRODUCTION = f"""
A condition is a Python-like expression over points of the asset, parameters of the rule and terms of `let`. What is not on
this page is refused when the file is loaded, with file, line and column, and the rules that were in force stay.

## Values

| kind | written | operators |
|---|---|---|
| number | `95`, `1.5`, a point, a parameter | `+ - * /`, `< <= > >= == !=`, `in (1, 2)` |
| text | `'open'`, an enumeration, a code | `==`, `!=`, `in ('open', 'blocked')` |
| condition | a comparison, a point of unit bool, `True` | `and`, `or`, `not`, `a if condition else b` |

**Unknown.** A point that is missing, stale (three cadences, at least a minute), out of range or no number is Unknown, and so is what
is calculated with it; division by zero gives Unknown too. `false and Unknown` is false, `true or Unknown` is true, everything else with
Unknown stays Unknown, and Unknown is never true. An asset that lacks a point of a rule, or whose baseline is still being learnt, is
listed as *not applicable* with what is missing.

**Units** are checked at load. A point has its unit of the catalogue, a parameter the one it is given, a duration is in s. What measures
different things (kPa and %) or differs by a factor (kPa and Pa) is not compared or added; a factor converts:
`water_pressure * 1000 > supply_air_static_pressure`. degC less degC is K, and K is not compared with degC. A nameplate figure, a
parameter without unit and what is made of them go with everything; % and ratio are plain factors.

**Limits.** At most {MAX_LENGTH:,} characters and {MAX_DEPTH} levels; a window of at most {MAX_DURATION_US // 86_400_000_000} days. There are
no loops, attributes, indexes, assignments or other functions, so a condition always ends and sees nothing but its points.

A window of `w` is `(now - w, now]` in event time and Unknown until it is full and three quarters of it are covered by readings. A
duration is `"5 min"`, `"1 h 30 min"`, or a parameter with a unit of time.
""".strip()  # noqa: E501 - a page, not code

_LEARNING = f"""
## What is learnt

Baselines, trends and joint behaviour belong to the asset: rules that ask for the same share them, and they outlive an edit of the rule.
They are part of the snapshot and come from the journal alone.

- **Baseline.** Each slot (`by`: {", ".join(f"`{way}`" for way in BY)}; and each value of `mode`) learns from the means of whole hours in
  which `when` holds. It trains for `train`; then its centre is their median and its spread their scaled median absolute deviation
  together with the scatter inside the hours. Later it creeps by at most one spread per `follow`, and an hour that lies more than
  {baseline.FREEZE:g} spreads off teaches nothing: a fault that grows quicker is seen and never taught. A season that is quicker than `follow`
  needs a shorter `follow`, or an expression that takes the weather out. `least` is the smallest spread that counts. To learn anew
  after a change that is meant, make `train` a parameter and set it for the asset.
- **Trend.** A line through the daily means of the last `train` (at most {trend.MAX_DAYS} days), known after a third of it and at least
  {trend.MIN_DAYS} days: the median of all slopes, so single days do not move it. How sure its direction is says the test of Mann and
  Kendall, corrected for days that resemble each other; below `sure` percent nothing is in sight and {trend.NEVER_DAYS:.0f} days are left. Two days
  that undo half of the climb (a new filter) begin a new line. The finding carries the days left and the confidence.
- **Joint behaviour.** Mahalanobis' distance with robust scales, learnt over `train` from at least {joint.MIN_ROWS} readings.

| call | `by` | `train` | `follow` | `sure` | `least` |
|---|---|---|---|---|---|
""".strip()  # noqa: E501 - a page, not code

_LIFE = f"""
## From a condition to an order

A finding is **pending** while `for` runs; one false or Unknown moment starts it anew, unless `forgive` lets it pass. Then it is **active**
until `clear` (else the opposite of `when`) has held for `clear_for`. It is **suppressed** while a rule that names it under `suppresses` is
active on the same asset, or with `downstream` on what contains, feeds or controls it; **shelved** by a person with a reason until an
instant, or by planned maintenance of the asset or of what contains it; what is still wrong afterwards comes back into view at once.
**Latched** (`latch`) it stays although its cause is over, until a visit was recorded. **Flapping** (`flapping`) it stays until it has been
quiet for the whole time. {storm.LIMIT} findings that come into view within {storm.WINDOW_US // 60_000_000} minutes behind one thing (container, feeder, controller;
else space) are a storm: the further ones share one cause, and so one order. A cause that returns soon reopens its order inside the
contract's `repeat_window`. All of it is in event time, in the snapshot, and the same after a restart.
""".strip()  # noqa: E501 - a page, not code


def language_page() -> str:
    """The whole page, as Markdown."""
    lines = ["# The condition language", "", _INTRODUCTION, "", "## Functions", ""]
    lines += ["| function | gives | unit | example |", "|---|---|---|---|"]
    lines += [_row(function) for function in FUNCTIONS.values()]
    lines += ["", _LEARNING, *_settings(), "", _LIFE, "", "## Fields of a rule", ""]
    lines += [*_fields(RuleEntry), "", "A parameter:", "", *_fields(ParameterEntry), "", "`flapping`:", ""]
    lines += [*_fields(FlappingEntry), "", "## Operating states", ""]
    lines += ["`states:` beside `rules:` in a file; a rule of the file uses `id` as a text.", "", *_fields(StatesEntry)]
    lines += ["", "## Points", "", "| point | unit | kind | values |", "|---|---|---|---|"]
    lines += [
        f"| `{kind.name}` | {kind.unit} | {kind.kind} | {', '.join(f'`{value}`' for value in kind.values)} |"
        for kind in point_types().values()
    ]
    return "\n".join(lines) + "\n"


def _row(function: Function) -> str:
    forms = "<br>".join(f"`{function.name}({spell(form)})`" for form in function.arguments)
    named = f"; named: {', '.join(f'`{name}`' for name in function.named)}" if function.named else ""
    units = {"same": "that of its argument", "difference": "a difference of it", "root": "its root"}
    unit = units.get(function.unit, function.unit)
    return f"| {forms} | {function.text}{named} | {unit} | `{EXAMPLES[function.name]}` |"


def _settings() -> Iterator[str]:
    for name in FUNCTIONS:
        if name in LEARNING:
            function = FUNCTIONS[name]
            shown = []
            for setting in ("by", "train", "follow", "sure", "least"):
                value = DEFAULTS[function.learns].get(setting, "") if setting in function.named else ""
                shown.append(f"{value // 86_400_000_000} d" if isinstance(value, int) else str(value))
            yield f"| `{name}` | {' | '.join(shown)} |"


def _fields(model: type[BaseModel]) -> Iterator[str]:
    yield from ("| field | default | meaning |", "|---|---|---|")
    for name, field in model.model_fields.items():
        default = "needed" if field.is_required() else f"`{getattr(field.default, 'value', field.default)}`"
        if isinstance(field.default, BaseModel) or field.default in (None, "", [], {}):
            default = "none"
        yield f"| `{field.alias or name}` | {default} | {field.description} |"
