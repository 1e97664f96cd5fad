"""The threat model names its tests, and each of them exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINES = [
    line
    for line in (ROOT / "docs/security.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| harm")
]


def test_every_part_of_the_threat_model_is_there() -> None:
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    for who in ("device", "occupant", "technician", "tenant", "operator", "supply chain"):
        assert any(who in head.lower() for head in heads), who


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[2:40].strip())
def test_each_line_names_a_test_that_exists(line: str) -> None:
    found = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", line)
    assert found, "a threat without a test"
    for name, test in found:
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{name} has no {test}"
