"""How each rule stands on an asset now: its terms, which parts are true, how long it must hold still, and why not."""

import json
import random
from collections.abc import Mapping

from facility.catalogue import equipment_classes, point_types
from facility.reading import ParameterOverridden, PointValue, Quality, Scan
from rules.catalogue import shipped_files
from rules.engine import Engine
from rules.program import Known
from rules.rehearsal import Rehearsal
from rules.standing import Stand, Standing

START_US = 1_760_000_400_000_000  # a Thursday, 09:00 UTC
MINUTE_US = 60_000_000
POINTS = ("supply_air_temperature", "supply_air_temperature_setpoint", "supply_fan_status", "power")


def site(points: Mapping[str, object], **more: object) -> str:
    """One air handler in a building that is open in the day."""
    asset = {"id": "unit", "class": "ahu", "points": points, **more}
    building = {"id": "b", "occupied": {"mon-sun": ["08:00-18:00"]}, "assets": [asset]}
    return json.dumps({"site": {"id": "s", "zone": "UTC"}, "buildings": [building]})


def rule(name: str, when: str, **more: object) -> dict[str, object]:
    """A rule of a few lines."""
    return {
        "id": name, "class": "ahu", "name": {"en": name, "zh": name}, "kind": "fault", "severity": "low", "when": when,
        "diagnosis": ["d"], "advice": "a", "checklist": ["c"], "reference": "r", "tests": [], **more,
    }  # fmt: skip


RULES = [
    rule(
        "warm", "supply_fan_status == 1 and error > allowed",
        let={"error": "supply_air_temperature - supply_air_temperature_setpoint"},
        parameters={"allowed": {"value": 2, "unit": "delta_degC"}, "lasts": {"value": 10, "unit": "min"}},
        **{"for": "lasts"},
    ),
    rule("at-night", "not occupied() and supply_fan_status == 1"),
    rule("chilled", "chilled_water_supply_temperature > 9"),
    rule("unusual", 'off_baseline(power, by="none", train="7 days") > 3'),
    rule("loud", "power > 90", clear="power < 80", clear_for="5 min"),
]  # fmt: skip


def plant(**more: object) -> Rehearsal:
    """The air handler, with its rules."""
    given: dict[str, object] = {"rule_parameters": {"warm": {"allowed": 3}}, **more}
    points = {name: {"cadence": 60} for name in POINTS}
    return Rehearsal(site(points, **given), {"r.yaml": json.dumps({"rules": RULES})}, start_us=START_US)


def say(plant: Rehearsal, minute: int, **values: float) -> None:
    """One scan, and all others as they usually are."""
    usual = dict(zip(POINTS, (18.0, 18.0, 1.0, 50.0), strict=True)) | values
    plant.scan(60 * minute, "unit", Quality.GOOD, **usual)


def listen(plant: Rehearsal, seconds: float) -> None:
    """Nothing is said up to then, but somebody listens."""
    for passed in range(0, int(seconds), 600):
        if plant.at(passed) > plant.engine.event_time_us:
            plant.beat(passed)
    plant.beat(seconds)


def standing(engine: Engine, rule_id: str) -> Standing:
    (found,) = (one for one in engine.standings("unit") if one.rule.id == rule_id)
    return found


def parts(found: Standing) -> dict[str, Known]:
    return {part.text: part.value for part in found.parts}


def test_a_pending_rule_says_what_is_true_and_how_long_it_must_still_hold() -> None:
    built = plant()
    for minute in range(4):
        say(built, minute, supply_air_temperature=18.0 + 5.0 * (minute > 0))
    listen(built, 60 * 4)
    found = standing(built.engine, "warm")
    assert (found.state, found.since_us, found.until_us) == (Stand.PENDING, built.at(60), built.at(660))
    assert [(term.text, term.value, term.unit) for term in found.terms] == [("error", 5.0, "K")]
    whole = [(part.text, part.value) for part in found.parts if part.is_whole]
    assert whole == [("supply_fan_status == 1", True), ("error > allowed", True)]
    assert found.persistence_us == 10 * MINUTE_US


def test_parameters_tell_their_own_value_and_who_set_another() -> None:
    built = plant()
    say(built, 0)
    built.send(ParameterOverridden("o", built.at(1), "warm", "lasts", "class:ahu", 20.0))
    found = {one.name: one for one in standing(built.engine, "warm").parameters}
    assert (found["allowed"].value, found["allowed"].own, found["allowed"].scope, found["allowed"].in_file) == (
        3, 2, "unit", True,
    )  # fmt: skip
    assert (found["lasts"].value, found["lasts"].scope, found["lasts"].in_file) == (20, "class:ahu", False)
    built.send(ParameterOverridden("p", built.at(2), "warm", "allowed", "unit", 4.0))
    found = {one.name: one for one in standing(built.engine, "warm").parameters}
    assert (found["allowed"].value, found["allowed"].in_file) == (4, False)


def test_a_quiet_rule_names_the_part_that_keeps_it_and_one_asleep_its_hours() -> None:
    built = plant()
    for minute in range(3):
        say(built, minute)
    listen(built, 180)
    warm, night = standing(built.engine, "warm"), standing(built.engine, "at-night")
    assert (warm.state, warm.decides, warm.since_us) == (Stand.QUIET, "error > allowed", None)
    assert (night.state, night.decides) == (Stand.RESTING, "not occupied()")
    assert parts(night) == {"not occupied()": False, "supply_fan_status == 1": True, "occupied()": True}


def test_what_cannot_judge_says_why() -> None:
    built = plant()
    for minute in range(3):
        say(built, minute)
    listen(built, 180)
    chilled, unusual = standing(built.engine, "chilled"), standing(built.engine, "unusual")
    assert (chilled.state, chilled.missing) == (Stand.LACKING, ("chilled_water_supply_temperature",))
    assert (unusual.state, unusual.missing) == (Stand.LEARNING, ("baseline of power: warming up, 7 days left",))
    listen(built, 3600)  # nothing is said any more: what it knew is too old
    assert (standing(built.engine, "warm").state, standing(built.engine, "warm").decides) == (
        Stand.UNKNOWN, "supply_fan_status == 1",
    )  # fmt: skip


def test_an_active_rule_says_when_it_clears() -> None:
    built = plant()
    say(built, 0, power=95.0)
    say(built, 1, power=95.0)
    listen(built, 90)
    found = standing(built.engine, "loud")
    assert (found.state, found.until_us, found.since_us) == (Stand.ACTIVE, None, built.at(0))
    assert found.finding is not None
    assert found.finding.id == built.engine.active()[0].id
    say(built, 2, power=70.0)
    say(built, 3, power=70.0)
    listen(built, 200)
    assert standing(built.engine, "loud").until_us == built.at(120 + 300)


def test_nobody_stands_anywhere_before_there_is_something_to_judge() -> None:
    assert Engine(allowance_us=1).standings("unit") == []
    assert Engine(allowance_us=1).rules_on("unit") == []
    assert plant().engine.standings("nowhere") == []
    assert all(one.state is not Stand.ACTIVE for one in plant().engine.standings("unit"))


def test_looking_changes_nothing_of_what_every_shipped_rule_finds() -> None:
    dice = random.Random(7)
    names = list(equipment_classes()["ahu"].points)
    engines = [
        Rehearsal(site({name: {"cadence": 60} for name in names}), dict(shipped_files()), start_us=START_US)
        for _ in range(2)
    ]
    found: list[list[str]] = [[], []]
    for minute in range(40):
        values = [PointValue(name, _any(name, dice)) for name in names if dice.random() < 0.8]
        for index, one in enumerate(engines):
            scan = Scan("unit", one.at(60 * minute), complete=True, values=tuple(values))
            found[index] += [repr(finding) for finding in one.send(scan)]
            if index and minute % 3 == 0:
                one.engine.standings("unit")
    assert found[0] == found[1]
    assert found[0]
    stands = {one.state for one in engines[1].engine.standings("unit")}
    assert {Stand.ACTIVE, Stand.QUIET} <= stands


def _any(name: str, dice: random.Random) -> float | str:
    kind = point_types()[name]
    if kind.is_text:
        return dice.choice(kind.values or ("x",))
    return float(dice.random() < 0.5) if kind.unit == "bool" else 15.0 + 60.0 * dice.random()
