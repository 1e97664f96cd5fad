"""The rule cards our rules keep, against the vectors of the library they come from: every tick of every scenario."""

import csv
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from facility.reading import Heartbeat, ParameterOverridden, Value
from rules.catalogue import shipped_files
from rules.rehearsal import Rehearsal, make_scan
from rules.rule_file import parse_rule_entries

START_US = 1_772_416_800_000_000
CARDS: dict[str, dict[str, Any]] = YAML(typ="safe").load(
    (Path(__file__).parents[1] / "data/rule_cards.yaml").read_text(encoding="utf-8")
)
RULES = {
    entry.id: entry.model_dump(mode="json", by_alias=True, exclude={"tests", "suppresses"})
    for file, text in shipped_files().items()
    for entry in parse_rule_entries(text, file)[0].rules
}


@dataclass
class Vector:
    """One scenario: what changes when, and what is expected from when to when (seconds)."""

    step_s: int = 0
    horizon_s: int = 0
    inputs: dict[int, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    expected: list[tuple[str, int, int, bool]] = field(default_factory=list)


def _folder() -> Path:
    data = os.environ.get("PLANTROOM_DATA")
    if not data:
        pytest.skip("PLANTROOM_DATA names no folder with rule_vectors: these vectors are not in the repository")
    return Path(data) / "rule_vectors"


@cache
def _vectors(folder: Path) -> dict[str, dict[str, Vector]]:
    vectors: dict[str, dict[str, Vector]] = defaultdict(lambda: defaultdict(Vector))
    for row in _rows(folder / "inputs.csv"):
        vector = vectors[row["rule"]][row["scenario"]]
        vector.step_s, vector.horizon_s = int(row["step_s"]), int(row["horizon_s"])
        value = {"True": 1.0, "False": 0.0}.get(row["value"])
        vector.inputs[int(row["t_s"])][row["point"]] = float(row["value"]) if value is None else value
    for row in _rows(folder / "expect.csv"):
        expected = (row["output"], int(row["from_s"]), int(row["to_s"]), row["equals"] == "True")
        vectors[row["rule"]][row["scenario"]].expected.append(expected)
    return vectors


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _entries(card: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The card's rules as shipped, and for each output that is a term (`rule.term`) a rule that tells its truth."""
    for rule_id in sorted({rule for given in card["outputs"].values() if isinstance(given, list) for rule in given}):
        yield RULES[rule_id]
    for output, given in card["outputs"].items():
        if isinstance(given, str):
            rule_id, _, term = given.partition(".")
            keep = {key: RULES[rule_id][key] for key in ("class", "name", "severity", "parameters", "let", "advice")}
            yield {**keep, "id": f"probe-{output.lower()}", "when": term}


def _prepare(card: dict[str, Any], step_s: int) -> Rehearsal:
    points = [_name(given) for given in card["points"].values() if not str(given).startswith("parameter")]
    cadences = {name: {"cadence": step_s} for name in [*points, *card.get("constants", {})]}
    asset = {"id": "asset", "class": card["class"], "points": cadences, "design": card.get("design", {})}
    site = {"site": {"id": "s", "zone": "UTC"}, "buildings": [{"id": "b", "assets": [asset]}]}
    entries = list(_entries(card))
    rehearsal = Rehearsal(json.dumps(site), {"rules.yaml": json.dumps({"rules": entries})}, start_us=START_US)
    for name, value in card.get("parameters", {}).items():
        rule, _, parameter = name.rpartition("/")
        for entry in entries:
            if rule in ("", entry["id"]):
                _override(rehearsal, entry["id"], parameter, value, 0)
    return rehearsal


def _override(plant: Rehearsal, rule_id: str, parameter: str, value: float, seconds: float) -> None:
    event_id = f"{rule_id}/{parameter}/{seconds}"
    if plant.engine.rule_set is not None and parameter in plant.engine.rule_set.rules[rule_id].parameters:
        plant.send(ParameterOverridden(event_id, plant.at(seconds), rule_id, parameter, "asset", value))


def _name(given: Any) -> str:  # noqa: ANN401 - a name, or a name and a factor or a table of values
    return str(given[0]) if isinstance(given, list) else str(given)


def _translate(given: Any, value: float) -> dict[str, Value]:  # noqa: ANN401 - as the card's file has it
    """The card's value as readings of ours."""
    if isinstance(given, str):
        return {given: value}
    name, how = given
    if not isinstance(how, dict):
        return {name: value * how}
    meant = how[int(value)] if int(value) in how else how["else"]
    return dict(meant) if isinstance(meant, dict) else {name: meant}


def _run(card: dict[str, Any], vector: Vector) -> dict[int, set[str]]:
    """At every tick the rules that have an active finding."""
    plant = _prepare(card, vector.step_s)
    assert not plant.engine.not_applicable(), plant.engine.not_applicable()
    values: dict[str, Value] = dict(card.get("constants", {}))
    ticks: dict[int, set[str]] = {}
    for second in range(0, vector.horizon_s + 1, vector.step_s):
        for changed in [at for at in vector.inputs if second - vector.step_s < at <= second]:
            for point, value in vector.inputs[changed].items():
                given = card["points"][point]
                if str(given).startswith("parameter: "):
                    for rule_id in card["outputs"]["yFault"]:
                        _override(plant, rule_id, given.removeprefix("parameter: "), value, second)
                else:
                    values |= _translate(given, value)
        plant.send(make_scan(plant.at(second), "asset", values), Heartbeat(plant.at(second)))
        ticks[second] = {finding.rule_id for finding in plant.engine.active()}
    return ticks


@pytest.mark.parametrize("card_id", sorted(CARDS))
def test_a_rule_keeps_every_scenario_of_its_card(card_id: str) -> None:
    card, scenarios = CARDS[card_id], _vectors(_folder()).get(card_id)
    if not scenarios:
        pytest.skip("no vectors of this card among those given")
    wrong = []
    for name, vector in scenarios.items():
        ticks = _run(card, vector)
        for output, from_s, to_s, expected in vector.expected:
            given = card["outputs"][output]
            rules = set(given) if isinstance(given, list) else {f"probe-{output.lower()}"}
            late = [at for at in ticks if from_s <= at <= to_s and bool(ticks[at] & rules) is not expected]
            wrong += [f"{name}: {output} is not {expected} at {late[0]} s ({len(late)} ticks)"] if late else []
    assert not wrong, "\n".join(wrong)


def test_every_named_rule_is_shipped() -> None:
    shipped = "\n".join(shipped_files().values())
    for card in CARDS.values():
        for given in card["outputs"].values():
            rules = given if isinstance(given, list) else [given.partition(".")[0]]
            assert all(f"- id: {rule}\n" in shipped for rule in rules)


def test_the_documented_table_of_cards_is_true() -> None:
    page = (Path(__file__).parents[2] / "docs/scores.md").read_text(encoding="utf-8")
    assert f"| kept by a shipped rule | {len(CARDS)} of 137 |" in page


def test_the_documented_count_of_scenarios_is_true() -> None:
    page, vectors = (Path(__file__).parents[2] / "docs/scores.md").read_text(encoding="utf-8"), _vectors(_folder())
    if len(vectors) > 99:
        pytest.skip("the page counts the half of the vectors we were given; these are more")
    scenarios = sum(len(given) for given in vectors.values())
    assert f"| {len(vectors)} of {len(vectors)} | {scenarios:,} of {scenarios:,} |" in page
    assert set(vectors) <= set(CARDS)
