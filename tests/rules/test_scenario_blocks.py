"""Every rule of the catalogue keeps what its own tests promise."""

import pytest

from rules.catalogue import shipped_files
from rules.scenario import Scenario, find_scenarios, run_scenario

SCENARIOS = list(find_scenarios(shipped_files()))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_a_rule_keeps_the_promise_of_its_test(scenario: Scenario) -> None:
    assert run_scenario(scenario, shipped_files()) == [], scenario.where
