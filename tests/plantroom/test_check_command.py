"""`plantroom check`: files and folders, and the tests inside rule files, through the command as people run it."""

import subprocess
import sys
from pathlib import Path

from running import ROOT

RULES = """\
rules:
  - id: own-tank-high
    class: tank
    name: {en: Tank high}
    severity: high
    when: tank_level > 95
    for: 1 min
    suppresses: [tank-low]
    advice: Look
    tests:
      - name: rises
        series: {tank_level: "90x3 97x3"}
        expect: [{at: 4 min, state: active}]
      - name: stays
        series: {tank_level: "90x6"}
        expect: []
  - id: own-tank-dry
    class: tank
    name: {en: Tank dry}
    severity: high
    when: tank_level < 1
    advice: Look
"""
SITE = """\
site: {id: s, zone: UTC}
buildings:
  - id: b
    assets: [{id: tank, class: tank, points: [tank_level]}]
"""


def check(*paths: Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command."""
    done = subprocess.run(
        [sys.executable, "-m", "plantroom", "check", *map(str, paths)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_the_tests_of_a_folder_of_rules_are_run_and_counted(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "own.yaml").write_text(RULES, encoding="utf-8")
    site = tmp_path / "site.yaml"
    site.write_text(SITE, encoding="utf-8")
    code, out, err = check(rules, site)
    assert (code, err) == (0, "")
    assert f"{rules}/own.yaml: good rules file: 2 rules, 1 of them without a test; 2 tests passed\n" in out
    assert f"{site}: good site file\n" in out


def test_each_failure_says_its_file_and_line_and_what_came_out(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(RULES.replace("at: 4 min", "at: 5 min").replace('"90x6"', '"97x6"'), encoding="utf-8")
    other = tmp_path / "other.yaml"
    other.write_text(
        RULES.replace('{tank_level: "90x6"}', '{tank_levle: "90x6"}').replace("own-", "other-"), encoding="utf-8"
    )
    code, _, err = check(tmp_path)
    assert code == 2
    assert f"{own}:11: own-tank-high: rises: expected raised at 5 min, active, but got raised at 4 min, active" in err
    assert f"{own}:14: own-tank-high: stays: expected no finding, but got raised at 1 min, active" in err
    assert f"{other}:14: series: " in err, "a test that cannot run says so beside the others"
    assert "'tank_levle'" in err


def test_a_rule_with_the_id_of_a_shipped_one_is_refused_as_the_program_would(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(RULES.replace("own-tank-dry", "tank-low"), encoding="utf-8")
    code, _, err = check(own)
    assert code == 2
    assert "the rule 'tank-low'" in err
    assert str(own) in err


def test_a_broken_file_is_named_with_its_line_and_nothing_is_run(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(RULES.replace("tank_level > 95", "tank_level > "), encoding="utf-8")
    code, _, err = check(own)
    assert code == 2
    assert f"{own}:6:" in err


def test_a_shipped_file_can_be_checked_by_itself() -> None:
    code, out, err = check(ROOT / "rules/catalogue/any_asset.yaml")
    assert (code, err) == (0, "")
    assert "tests passed" in out
