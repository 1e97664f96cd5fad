"""`plantroom backtest --compare` and `--tune`: what another rule set or another value would have changed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from facility.errors import InputError
from plantroom.backtest_compare import parse_tuning
from plantroom.plant_files import load_rule_files
from rules.rule_set import RuleSet

SITE = """\
site: {id: s, zone: UTC}
buildings:
  - id: b
    assets: [{id: tank, class: tank, points: [tank_level]}]
"""
MAP = "time: {column: time}\nasset: tank\ncolumns: {level: {point: tank_level}}\n"


def rules(folder: Path, limit: float) -> Path:
    """A folder with one rule."""
    folder.mkdir()
    text = (
        "rules:\n  - {id: own-high, class: tank, name: {en: High}, severity: high, advice: Look,\n"
        f"     parameters: {{limit: {{value: {limit}, unit: '%'}}}}, when: tank_level > limit}}\n"
    )
    (folder / "own.yaml").write_text(text, encoding="utf-8")
    return folder


def run(folder: Path, *flags: str) -> dict[str, Any]:
    """The answer of a backtest over levels that rise to 60, 70 and 80 % for an hour each, from 50 %."""
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    (folder / "map.yaml").write_text(MAP, encoding="utf-8")
    levels = [level for peak in (60, 70, 80) for level in [50] * 120 + [peak] * 60] + [50] * 120
    rows = [f"2026-03-02T{minute // 60:02}:{minute % 60:02}:00Z,{level}" for minute, level in enumerate(levels)]
    (folder / "levels.csv").write_text("\n".join(["time,level", *rows]), encoding="utf-8")
    command = [sys.executable, "-m", "plantroom", "backtest", "--readings", "levels.csv", "--site", "site.yaml"]
    command += ["--map", "map.yaml", "--out", "out.json", "--attended", "1 h", "--workers", "1", *flags]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    return answer


def test_compare_and_tune_tell_what_would_change(tmp_path: Path) -> None:
    rules(tmp_path / "one", 55)
    rules(tmp_path / "two", 75)
    answer = run(tmp_path, "--rules", "one", "--compare", "two", "--tune", "own-high.limit=55..75/3")
    assert [order["rule_id"] for order in answer["work_orders"]] == ["own-high"] * 3
    compared = answer["compare"]
    assert compared["counts"] == {
        "here": {"findings": 3, "work_orders": 3}, "there": {"findings": 1, "work_orders": 1},
    }  # fmt: skip
    assert [order["opened_at"][11:16] for order in compared["work_orders_only_here"]] == ["02:00", "05:00"]
    assert compared["work_orders_only_there"] == []
    assert [(row["value"], row["orders"]) for row in answer["tune"]] == [(55, 3), (65, 2), (75, 1)]


@pytest.mark.parametrize(
    "text", ["zone-co2-high.limits=1..2", "zone-co2-high.limit=2..1", "zone-co2-high.limit=1..2/1"]
)
def test_a_span_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="Write it like"):
        parse_tuning(text, RuleSet.load(load_rule_files(None)).rules)
