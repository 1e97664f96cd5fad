"""The tables of docs/rules.md: every shipped rule in a row, by the system an engineer files its class under."""

from collections.abc import Mapping
from datetime import timedelta

from facility.catalogue import System, equipment_classes
from facility.finding import OrderKind
from facility.instant import format_duration
from plantroom.plant_files import shipped_rule_files
from plantroom.score_page import put_table
from rules.calls import TIME_UNITS
from rules.rule import Rule
from rules.rule_set import RuleSet

MARKS = ("<!-- rules -->", "<!-- /rules -->")
MOST_NAMED = 5
_HEAD = ("| rule | on | finding | severity | holds for | explains |", "|---|---|---|---|---|---|")
_MONITOR = (
    "A `monitor` asset in the site file is Plantroom watching itself, through the same path as everything else.",
    "",
)


def fill_tables(page: str) -> str:
    """docs/rules.md with its tables as the rule files say. Raises InputError when it has no place for them."""
    return put_table(page, "docs/rules.md", tables(RuleSet.load(shipped_rule_files()).rules), MARKS)


def tables(rules: Mapping[str, Rule]) -> str:
    """A heading and a table for each group, in the order in which the rules judge."""
    groups: dict[str, list[Rule]] = {name: [] for name in (*_GROUPS.values(), "The monitor itself")}
    for rule in rules.values():
        groups[_group(rule)].append(rule)
    lines: list[str] = []
    for name, members in groups.items():
        lines += [f"## {name}", "", *(_MONITOR if name == "The monitor itself" else ()), *_HEAD]
        lines += [_row(rule) for rule in members]
        lines.append("")
    return "\n".join(lines)


_GROUPS = {
    System.ELEVATOR: "Elevators",
    System.HVAC: "Air",
    System.LIGHTING: "Light",
    System.WATER: "Water",
    System.OTHER: "Any asset",
}


def _group(rule: Rule) -> str:
    if rule.classes == ("monitor",):
        return "The monitor itself"
    system = equipment_classes()[rule.classes[0]].system if rule.classes else System.OTHER
    return _GROUPS[system]


def _row(rule: Rule) -> str:
    classes = ", ".join(rule.classes) or "any"
    english, chinese = rule.name["en"].replace("|", "\\|"), rule.name.get("zh", "").replace("|", "\\|")
    name = f"[{english}](rules/{rule.id}.md)" + (f" / {chinese}" if chinese else "")
    severity = rule.severity.value + (" **preventive**" if rule.kind is OrderKind.PREVENTIVE else "")
    explained = f"{len(rule.suppresses)} rules" if len(rule.suppresses) > MOST_NAMED else ", ".join(
        f"`{other}`" for other in rule.suppresses)  # fmt: skip
    return f"| `{rule.id}` | {classes} | {name} | {severity} | {_holds(rule)} | {explained} |"


def _holds(rule: Rule) -> str:
    length = rule.persistence
    if isinstance(length, str):
        parameter = rule.parameters[length]
        length = round(parameter.value * TIME_UNITS[parameter.unit] * 1e6)
    return format_duration(timedelta(microseconds=length)) if length else "at once"
