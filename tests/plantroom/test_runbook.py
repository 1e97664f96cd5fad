"""The runbook has a place for everything the monitor says about itself, and what it shows is what the program says."""

import ast
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown import Page
from ruamel.yaml import YAML
from running import ROOT

from plantroom.database import Database
from plantroom.doctor import Verdict
from plantroom.metrics import instruments
from plantroom.plant_files import shipped_rule_files
from plantroom.readiness import Cause, why_not_ready

RUNBOOK = ROOT / "docs/runbook"
MONITOR = {
    rule["id"]: rule
    for text in shipped_rule_files().values() if "class: monitor" in text
    for rule in YAML(typ="safe").load(text)["rules"] if rule["class"] == "monitor"
}  # fmt: skip
PARTS = ["What it means", "How to look", "What to do", "How to know that it is over"]
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_METRIC = re.compile(r"plantroom_[a-z0-9_]+")


def headings(name: str) -> list[str]:
    return _HEADING.findall(Page(RUNBOOK / name).text)


def doctors_checks() -> Iterator[str]:
    """The names that the doctor's modules give to what they look at."""
    for path in (ROOT / "plantroom").glob("doctor_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("good", "warn", "bad", "_problems")
                and isinstance(node.args[0], ast.Constant)
            ):
                yield str(node.args[0].value)


@pytest.mark.parametrize("rule_id", sorted(MONITOR))
def test_a_rule_on_the_monitor_has_a_page_in_four_parts_and_names_it(rule_id: str) -> None:
    assert headings(f"{rule_id}.md") == PARTS
    assert f"docs/runbook/{rule_id}.md" in MONITOR[rule_id]["reference"]
    page = Page(RUNBOOK / f"{rule_id}.md")
    assert page.commands()
    assert page.blocks("text"), "what the command prints"
    assert f"]({rule_id}.md)" in Page(RUNBOOK / "README.md").text


def test_every_check_of_the_doctor_has_a_section() -> None:
    names = set(doctors_checks())
    assert len(names) >= 10
    assert names <= set(headings("doctor-findings.md"))


def test_what_the_doctor_is_shown_to_print_are_its_verdicts_and_checks() -> None:
    names, shown = set(doctors_checks()), 0
    for path in RUNBOOK.glob("*.md"):
        for line in (line for block in Page(path).blocks("text") for line in block.splitlines()):
            if line.split()[0] in set(Verdict):
                verdict, name = line.split()[:2]
                assert name in names
                assert line.startswith(f"{verdict:<4}  {name:<10}  ")
                shown += 1
    assert shown > 10


def test_the_rules_for_prometheus_ask_for_metrics_that_there_are_and_each_has_a_section() -> None:
    (block,) = Page(RUNBOOK / "alerts.md").blocks("yaml")
    (group,) = YAML(typ="safe").load(block)["groups"]
    names: set[str] = set()
    for one in (one for found in instruments().values() for one in found):
        (family,) = one.describe()
        names.add(family.name)
    for rule in group["rules"]:
        for metric in _METRIC.findall(rule["expr"].replace('job="plantroom"', "")):
            assert metric.removesuffix("_total").removesuffix("_count") in names, metric
    assert [rule["alert"] for rule in group["rules"]] == headings("alerts.md")


class Waiting:
    """A host whose engine cannot go on."""

    away = "cannot keep which runs of the journal were read: no space left on device; check space and permissions"

    def awaits_files(self) -> bool:
        return True


def test_every_reason_of_readyz_has_a_section_that_quotes_it(tmp_path: Path) -> None:
    found: dict[Cause, str] = {}
    for address in (f"sqlite:///{tmp_path}/empty.db", "postgresql://nobody@127.0.0.1:1/nothing"):
        database = Database(address)
        found |= {one.cause: one.said for one in why_not_ready(Waiting(), database, [threading.Thread(name="rules")])}
        database.close()
    assert set(found) == set(Cause)
    assert headings("not-ready.md") == list(Cause)
    sections = re.split(r"^## ", Page(RUNBOOK / "not-ready.md").text, flags=re.MULTILINE)[1:]
    for section in sections:
        cause = Cause(section.splitlines()[0])
        quoted = [line[2:] for line in section.splitlines() if line.startswith("> ")]
        patterns = [re.escape(line).replace(re.escape("..."), ".*") for line in quoted]
        assert any(re.fullmatch(one, found[cause]) for one in patterns), found[cause]
        for part in ("It means", "Look", "Do", "It is over"):
            assert f"**{part}**" in section
