"""Exactly one level wins, and says why; without one the default level, without a contract the built-in one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facility.asset import Criticality
from facility.catalogue import System
from facility.errors import InputError
from facility.finding import Finding, FindingState, OrderKind, Severity
from facility.registry import Registry
from facility.site_file import parse_site
from ticketing.contract import Contract
from ticketing.contract_book import ContractBook
from ticketing.contract_check import check_contract
from ticketing.contract_load import parse_contract
from ticketing.deadline import decide_deadlines
from ticketing.level import LevelFacts, choose_level, facts_of

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
SITE = """\
site: {id: demo, zone: Asia/Shanghai}
buildings:
  - id: tower
    spaces: [{id: floor-3}, {id: room-301, parent: floor-3}, {id: floor-4}]
    assets:
      - {id: lift-1, class: elevator, criticality: key}
      - {id: ahu-1, class: ahu, space: room-301}
"""
HEAD = """\
contract: {id: ID, SCOPE, zone: Asia/Shanghai}
revisions:
  - revision: 1
    effective_at: "2026-01-01"
    calendars: {always: {hours: always}}
"""
DEFAULT = '    default_level: {priority: 4, calendar: always, response: "8 h", resolution: "5 days"}\n'


def contract(*matches: str, default: bool = True, scope: str = "sites: [demo]", name: str = "c1") -> Contract:
    text = HEAD.replace("SCOPE", scope).replace("ID", name) + (DEFAULT if default else "")
    text += "    levels:\n" if matches else ""
    for index, match in enumerate(matches, start=1):
        parts, _, rank = match.partition(" rank ")
        text += (
            f'      - {{id: level-{index}, clause: "3.{index}", match: {{{parts}}}, rank: {rank or 0}, priority: 2, '
        )
        text += 'calendar: always, response: "1 h", resolution: "4 h"}\n'
    return parse_contract(text, f"{name}.yaml")


def registry() -> Registry:
    return parse_site(SITE, "site.yaml")


def lift(severity: Severity = Severity.CRITICAL, rule: str = "elevator-entrapment") -> LevelFacts:
    return LevelFacts(
        severity=severity,
        rule_id=rule,
        site_id="demo",
        building_id="tower",
        equipment_class="elevator",
        system=System.ELEVATOR,
        criticality=Criticality.KEY,
    )


@pytest.mark.parametrize(
    ("matches", "winner"),
    [
        (["class: elevator", "class: elevator, severity: critical"], "level-2"),
        (["class: elevator", "severity: critical rank 1"], "level-2"),
        (["class: [elevator, ahu]", "class: elevator"], "level-2"),
        (["system: [elevator, hvac]", "class: elevator"], "level-2"),
        (["rule: elevator-entrapment rank 5", "class: elevator, criticality: key"], "level-2"),
        (["class: ahu", "building: tower rank 1"], "level-2"),
        (["class: ahu", "kind: preventive rank 1", "severity: low rank 2"], "default"),
    ],
)
def test_the_most_specific_level_wins_and_then_the_rank(matches: list[str], winner: str) -> None:
    assert choose_level(contract(*matches).revisions[0], lift()).level.id == winner


def test_the_reason_names_winner_and_beaten() -> None:
    choice = choose_level(contract("class: elevator", "class: elevator, severity: critical").revisions[0], lift())
    assert choice.reason.en == (
        "Level level-2 (clause 3.2) matches class elevator, severity critical; "
        "it beats level-1 (names 1 condition, not 2)."
    )
    assert not choice.is_default


def test_the_nearer_space_wins() -> None:
    revision = contract("space: floor-3", "space: room-301", "space: floor-4").revisions[0]
    facts = facts_of(finding("ahu-1"), registry())
    assert facts.spaces == ("room-301", "floor-3")
    choice = choose_level(revision, facts)
    assert choice.level.id == "level-2"
    assert "level-1 (its space is farther around)" in choice.reason.en


def test_the_default_level_is_marked() -> None:
    choice = choose_level(contract("class: ahu").revisions[0], lift())
    assert choice.is_default
    assert choice.reason.en == (
        "No level matches (elevator, severity critical, kind fault, rule elevator-entrapment): "
        "the default level applies."
    )


def finding(asset_id: str, severity: Severity = Severity.MEDIUM) -> Finding:
    return Finding(
        id="f", rule_id="r", asset_id=asset_id, building_id="tower", kind=OrderKind.FAULT, severity=severity,
        state=FindingState.ACTIVE, title="", advice="", cause_key="k", onset_us=0, raised_us=0,
    )  # fmt: skip


def test_a_finding_of_an_asset_that_is_gone_still_gets_a_level() -> None:
    facts = facts_of(finding("removed"), registry())
    assert (facts.equipment_class, facts.site_id) == ("", "demo")
    assert ContractBook([contract("class: ahu")]).choose(facts, NOW).level.id == "default"
    assert ContractBook([contract("class: ahu", default=False)]).choose(facts, NOW).level.id == "built-in default"


def test_without_a_contract_in_force_the_built_in_level_applies_and_is_marked() -> None:
    book = ContractBook([contract("class: elevator")])
    before = book.choose(lift(), datetime(2025, 6, 1, tzinfo=UTC))
    assert before.is_default
    assert (before.contract_id, before.revision, before.level.priority) == (None, None, 1)
    assert before.reason.en == "No contract is in force for building 'tower' then: the built-in default applies."
    due = decide_deadlines(before.level, NOW, now=NOW)
    assert (due.response.due_at, due.resolution.due_at) == (NOW + timedelta(hours=4), NOW + timedelta(hours=24))
    assert ContractBook().choose(lift(Severity.LOW), NOW).level.priority == 4


def test_the_terms_of_an_order_are_found_again() -> None:
    book = ContractBook([contract("class: elevator")])
    choice = book.choose(lift(), NOW)
    assert book.level(choice.contract_id, choice.revision, choice.level.id) == choice.level
    assert book.level("c1", 1, "default") is not None
    assert book.level(None, None, "built-in default") is not None
    assert book.level("c1", 2, "default") is None
    assert book.level("c9", 1, "default") is None


def test_a_contract_for_the_building_comes_before_one_for_the_site() -> None:
    site, tower = contract("class: elevator"), contract("class: elevator", scope="buildings: [tower]", name="c2")
    everything = contract("class: elevator", scope="name: all", name="c3")
    choice = ContractBook([everything, site, tower]).choose(lift(), NOW)
    assert choice.contract_id == "c2"
    assert choice.reason.en.startswith("Contract c2, revision 1. Level level-1")
    assert ContractBook([everything, site]).choose(lift(), NOW).contract_id == "c1"


def test_two_contracts_for_one_site_at_a_time_are_refused() -> None:
    with pytest.raises(InputError, match="contracts 'c1' and 'c2' both cover demo at the same time"):
        ContractBook([contract(), contract(name="c2")])
    with pytest.raises(InputError, match=r"contract id 'c1' is also in c1\.yaml"):
        ContractBook([contract(), contract(scope="sites: [other]")])
    ended = contract(scope='sites: [demo], ends_on: "2026-05-31"')
    later = contract(name="c2")
    with pytest.raises(InputError):
        ContractBook([ended, later])


def test_a_class_without_a_level_and_without_default_is_refused() -> None:
    with pytest.raises(InputError) as error:
        check_contract(contract("class: elevator", "class: ahu, severity: critical", default=False), registry())
    assert str(error.value) == (
        "c1.yaml: revision 1 has no level for class 'ahu' at severity high, medium, low (asset 'ahu-1') and no "
        "default_level. Add a level that matches the class, or a default_level."
    )
    check_contract(contract("class: elevator"), registry())
    check_contract(contract("class: [elevator, ahu]", default=False), registry())


def test_names_the_building_does_not_know_are_refused() -> None:
    wrong = contract("building: towre", "space: room-310 rank 2", "rule: leak-sensr rank 1", scope="sites: [demos]")
    with pytest.raises(InputError) as error:
        check_contract(wrong, registry(), ["leak-sensor"])
    said = str(error.value).splitlines()
    assert said[0] == "c1.yaml: contract.sites: 'demos' is not a known site; did you mean 'demo'?"
    assert "'towre' is not a known building; did you mean 'tower'?" in said[1]
    assert "'room-310' is not a known space; did you mean 'room-301'?" in said[2]
    assert said[3].startswith("c1.yaml:10: match.rule: level 'level-3': 'leak-sensr' is not a known rule; did you mean")


def test_the_demo_contract_promises_what_the_building_engineer_expects() -> None:
    path = ROOT / "plantroom/demo/contract.yaml"
    revision = parse_contract(path.read_text(encoding="utf-8"), path.name).revisions[0]
    expected = {
        ("elevator", System.ELEVATOR, Severity.CRITICAL, OrderKind.FAULT): ("entrapment", 1, 5, 30),
        ("leak_sensor", System.WATER, Severity.CRITICAL, OrderKind.FAULT): ("leak", 1, 15, 120),
        ("ahu", System.HVAC, Severity.CRITICAL, OrderKind.FAULT): ("leak", 1, 15, 120),
        ("pump", System.WATER, Severity.HIGH, OrderKind.FAULT): ("water-urgent", 1, 30, 240),
        ("ahu", System.HVAC, Severity.HIGH, OrderKind.FAULT): ("hvac-urgent", 2, 60, 1440),
        ("ahu", System.HVAC, Severity.MEDIUM, OrderKind.FAULT): ("hvac", 3, 120, None),
        ("luminaire_circuit", System.LIGHTING, Severity.MEDIUM, OrderKind.FAULT): ("lighting", 3, 240, 1440),
        ("elevator", System.ELEVATOR, Severity.LOW, OrderKind.PREVENTIVE): ("preventive-elevator", 3, None, None),
        ("ahu", System.HVAC, Severity.LOW, OrderKind.PREVENTIVE): ("preventive", 4, None, None),
        ("gateway", System.OTHER, Severity.MEDIUM, OrderKind.FAULT): ("telemetry", 3, None, None),
    }
    for (name, system, severity, kind), (level_id, priority, response, resolution) in expected.items():
        rule = "water-leak-detected" if level_id == "leak" else ""
        facts = LevelFacts(severity, kind, rule, equipment_class=name, system=system)
        level = choose_level(revision, facts).level
        due = decide_deadlines(level, NOW, now=NOW)  # Monday 10:00 in Shanghai
        assert (level.id, level.priority) == (level_id, priority)
        if response is not None and level.id != "lighting":
            assert due.response.due_at == NOW + timedelta(minutes=response)
        if resolution is not None:
            assert due.resolution.due_at == NOW + timedelta(minutes=resolution)
