"""The rule that the how-to writes is a good one, and its tests pass."""

import re
import textwrap
from pathlib import Path

from rules.catalogue import shipped_files
from rules.scenario import check_scenarios


def test_the_rule_of_the_how_to_passes_its_own_tests() -> None:
    page = (Path(__file__).parents[2] / "docs/write-a-rule.md").read_text(encoding="utf-8")
    found = re.search(r"```yaml\n(.*?)\n\s*```", page, re.DOTALL)
    assert found is not None
    tallies, problems = check_scenarios({"own.yaml": textwrap.dedent(found[1])}, shipped_files())
    assert not problems
    assert tallies["own.yaml"].passed == 2
