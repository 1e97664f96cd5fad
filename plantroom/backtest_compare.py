"""Two rule sets, or several values of one parameter, over the same history: what differs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.web.backtest_report import Compared, OnlyRow, Tuned, TuneRow
from facility.errors import refuse
from facility.instant import parse_instant, to_us
from facility.reading import ParameterOverridden
from plantroom.backtest import Backtest
from plantroom.backtest_trial import Trial
from rules.rule import Rule
from rules.rule_set import RuleSet

STEPS = 5
MONTH_US = 365.25 / 12 * 86_400e6


@dataclass(frozen=True, slots=True)
class Tuning:
    """A parameter and the values to try, from `--tune RULE.PARAM=a..b` (five of them) or `=a..b/N`."""

    rule_id: str
    parameter: str
    values: tuple[float, ...]

    def overrides(self, value: float, site_ids: Iterable[str]) -> list[ParameterOverridden]:
        """The parameter at this value on all sites; what is set for one asset in the site file stays."""
        return [
            ParameterOverridden(f"tune-{site_id}", 0, self.rule_id, self.parameter, f"site:{site_id}", value)
            for site_id in site_ids
        ]


def parse_tuning(text: str, rules: Mapping[str, Rule]) -> Tuning:
    """Read `RULE.PARAM=a..b` or `RULE.PARAM=a..b/N`. Raises InputError."""
    hint = "Write it like zone-co2-high.limit=800..1400, or with /9 behind it for nine values."
    name, _, span = text.partition("=")
    rule_id, _, parameter = name.strip().rpartition(".")
    if rule_id not in rules or parameter not in rules[rule_id].parameters:
        raise refuse("--tune", f"there is no parameter {name.strip()!r} in these rules", hint)
    ends, _, count = span.partition("/")
    low, dots, high = ends.partition("..")
    try:
        first, last, number = float(low), float(high), int(count or STEPS)
    except ValueError as error:
        raise refuse("--tune", f"{span!r} is no span", hint) from error
    if not dots or not first < last or not 2 <= number <= 50:
        raise refuse("--tune", f"{span!r} is no span of 2 to 50 values from low to high", hint)
    step = (last - first) / (number - 1)
    return Tuning(rule_id, parameter, tuple(round(first + index * step, 9) for index in range(number)))


def tuned(trial: Trial, tuning: Tuning, rule_set: RuleSet, overrides: Sequence[ParameterOverridden] = ()) -> Tuned:
    """Runs the history once for each value of the parameter."""
    rows = []
    for value in tuning.values:
        set_too = [*overrides, *tuning.overrides(value, trial.registry.sites)]
        about = f"({tuning.parameter} = {value:g})"
        result = trial.run(rule_set.files, set_too, about)
        first_us, last_us = trial.history.span or (0, 0)
        rows.append(tune_row(value, tuning, result.work_orders, last_us - first_us))
    parameter = rule_set.rules[tuning.rule_id].parameters[tuning.parameter]
    return Tuned(tuning.rule_id, tuning.parameter, parameter.unit, parameter.value, tuple(rows))


def tune_row(value: float, tuning: Tuning, orders: Iterable[Mapping[str, Any]], span_us: int) -> TuneRow:
    """One value's orders a month: of the rule itself, and of all rules."""
    counts = Counter(order["rule_id"] == tuning.rule_id for order in orders)
    months = max(span_us / MONTH_US, 1e-9)
    return TuneRow(
        value=value,
        orders=counts[True],
        orders_per_month=round(counts[True] / months, 3),
        all_orders=counts.total(),
        all_orders_per_month=round(counts.total() / months, 3),
    )


def only_in_one(
    here: Iterable[Mapping[str, Any]], there: Iterable[Mapping[str, Any]], what: tuple[str, ...]
) -> list[dict[str, Any]]:
    """What stands in the first list and not in the second, told by the fields of `what`."""
    known = {tuple(each[field] for field in what) for each in there}
    return [
        {field: each[field] for field in ("rule_id", "asset_id", "title", *what)}
        for each in here
        if tuple(each[field] for field in what) not in known
    ]


def compare(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Findings and orders of a rule set (`here`) and another (`there`): how many, and which are in one of them only."""
    findings, orders = ("id", "raised_at"), ("cause_key", "opened_at")
    return {
        "counts": {
            "here": {"findings": len(one["findings"]), "work_orders": len(one["work_orders"])},
            "there": {"findings": len(other["findings"]), "work_orders": len(other["work_orders"])},
        },
        "findings_only_here": only_in_one(one["findings"], other["findings"], findings),
        "findings_only_there": only_in_one(other["findings"], one["findings"], findings),
        "work_orders_only_here": only_in_one(one["work_orders"], other["work_orders"], orders),
        "work_orders_only_there": only_in_one(other["work_orders"], one["work_orders"], orders),
    }


def compared(one: Backtest, other: Backtest | None, names: tuple[str, str]) -> Compared | None:
    """The same for the report's page; None without another."""
    if other is None:
        return None
    sides = (one, other)
    findings = tuple(_only(mine.findings, its.findings, ("id", "raised_at")) for mine, its in (sides, sides[::-1]))
    orders = tuple(
        _only(mine.work_orders, its.work_orders, ("cause_key", "opened_at")) for mine, its in (sides, sides[::-1])
    )
    return Compared(
        here=names[0],
        there=names[1],
        findings=(len(one.findings), len(other.findings)),
        orders=(len(one.work_orders), len(other.work_orders)),
        findings_only=(findings[0], findings[1]),
        orders_only=(orders[0], orders[1]),
    )


def _only(
    here: Iterable[Mapping[str, Any]], there: Iterable[Mapping[str, Any]], what: tuple[str, str]
) -> tuple[OnlyRow, ...]:
    return tuple(
        OnlyRow(each["rule_id"], each["asset_id"], to_us(parse_instant(each[what[1]])))
        for each in only_in_one(here, there, what)
    )
