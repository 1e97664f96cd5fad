"""One cause, one order: what makes one rule fire opens no second order by another rule of the catalogue."""

import pytest

from rules.catalogue import shipped_files
from rules.scenario import Scenario, find_scenarios, orders_of
from rules.scenario_file import NotApplicableEntry

# Series of the tests have readings further apart than any device is silent for; that is the tests' doing.
SILENCE = {"asset-silent", "elevator-silent"}
# The series has a second fact of its own: water that never stops for weeks, before it flows four times as much.
SECOND_FACT = {"water-flow-far-above-usual": {"water-continuous-flow"}}
FIRING = [
    scenario
    for scenario in find_scenarios(shipped_files())
    if scenario.entry.expect and not isinstance(scenario.entry.expect, NotApplicableEntry)
]


@pytest.mark.parametrize("scenario", FIRING, ids=lambda scenario: scenario.id)
def test_what_fires_one_rule_opens_one_order(scenario: Scenario) -> None:
    opened = orders_of(scenario, shipped_files())
    opened -= SILENCE - {scenario.rule.id}
    opened -= SECOND_FACT.get(scenario.rule.id, set())
    assert len(opened) <= 1, f"{sorted(opened)} open an order each"
