"""Bad input by the promised ways in: each is answered with what is wrong, where, and what to do.

Files go through `plantroom check`, payloads over MQTT into the dead letters of the running program, verbs by its API.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from commanding import Commands
from running import System, free_ports, wait_until

from facility.clock import RealClock
from facility.instant import format_instant
from plantroom.commands.init import write_starter
from simulators.wire import Wire

Message = dict[str, Any]


# --- files -------------------------------------------------------------------------------------------------------
@pytest.fixture
def starter(plantroom: Commands) -> Commands:
    """In a folder with the starter set."""
    write_starter(Path())
    return plantroom


def change(name: str, old: str, new: str) -> int:
    """Replace a text of a file; the line it stood on."""
    text = Path(name).read_text(encoding="utf-8")
    assert old in text
    Path(name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def refusal(starter: Commands, *files: str) -> str:
    """What `check` says against these files."""
    answer = starter("check", *files)
    assert answer.code == 2
    assert "Traceback" not in answer.err
    return answer.err


def test_broken_yaml(starter: Commands) -> None:
    line = change("site.yaml", "  name: My property", "  name: [My property")
    said = refusal(starter, "site.yaml")
    assert said.startswith("plantroom: site.yaml:")
    assert int(said.split(":")[2]) in (line, line + 1)
    assert "is not valid YAML" in said
    assert "Indent with spaces, and quote texts that hold a colon" in said


def test_an_unknown_point(starter: Commands) -> None:
    line = change("site.yaml", "points: [tank_level]", "points: [tank_levl]")
    said = refusal(starter, "site.yaml")
    assert f"site.yaml:{line}:" in said
    assert "'tank_levl' is not a known point; did you mean 'tank_level'?" in said


def test_a_unit_that_does_not_convert(starter: Commands) -> None:
    source = "\n        source: {dialect: udmi, topic: /devices/T-1, points: {level: {point: tank_level, unit: degC}}}"
    line = change("site.yaml", "points: [tank_level]", f"points: [tank_level]{source}") + 1
    said = refusal(starter, "site.yaml")
    assert f"site.yaml:{line}:" in said
    assert "buildings[0].assets[0].source.points.level" in said
    assert "degC" in said
    assert "tank_level is kept in %." in said


def test_a_contract_without_a_level_for_a_class_and_without_a_default_level(starter: Commands) -> None:
    text = Path("contract.yaml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "default_level:" not in line]
    Path("contract.yaml").write_text("\n".join(lines).replace("{kind: fault", "{class: ahu, kind: fault"), "utf-8")
    said = refusal(starter, "site.yaml", "contract.yaml")
    assert "contract.yaml" in said
    assert "has no level for class 'tank' at severity" in said
    assert "(asset 'tank-1') and no default_level. Add a level that matches the class, or a default_level." in said


def test_two_levels_that_tie(starter: Commands) -> None:
    change("contract.yaml", "match: {kind: fault}", "match: {severity: [critical, high]}")
    line = change("contract.yaml", "      - id: preventive", "      - id: preventive")
    said = refusal(starter, "contract.yaml")
    assert f"contract.yaml:{line}:" in said
    assert "'fault'" in said
    assert "'preventive'" in said
    assert "tie: a finding may fall under both. Give the one that shall win a higher `rank`." in said


def test_a_calendar_that_never_opens(starter: Commands) -> None:
    line = change("contract.yaml", 'hours: {mon-fri: ["08:00-12:00", "13:00-18:00"]}', "hours: {}")
    said = refusal(starter, "contract.yaml")
    assert f"contract.yaml:{line}:" in said
    assert "calendar 'office' never opens after this revision takes effect. Give at least one day its hours" in said


# --- the running program -----------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The starter building, running by the wall clock."""
    folder = tmp_path_factory.mktemp("bad-input")
    write_starter(folder)
    (folder / "var").mkdir()
    http_port, mqtt_port = free_ports(2)
    settings = {
        "VAR": folder / "var", "SITE": folder / "site.yaml", "CONTRACT": folder / "contract.yaml",
        "RULES": folder / "rules", "HTTP_PORT": http_port, "MQTT_PORT": mqtt_port,
    }  # fmt: skip
    running = System(folder / "var", {f"PLANTROOM_{name}": str(value) for name, value in settings.items()})
    try:
        running.start()
        yield running
    finally:
        running.kill()


def publish(system: System, topic: str, payload: str) -> None:
    """One message at QoS 1, acknowledged by the broker."""
    with Wire("127.0.0.1", system.mqtt_port, "bad-input") as wire:
        wire.publish(topic, payload.encode())
        assert wire.drain(20)


def reading(asset: str, at: str, values: str) -> tuple[str, str]:
    """Topic and payload of one reading in our dialect; `values` is JSON as it goes out."""
    return f"plantroom/my-site/{asset}/readings", f'{{"at": "{at}", "values": {values}}}'


def now(hours: float = 0) -> str:
    return format_instant(RealClock().now() + timedelta(hours=hours))


def dead_letter(system: System, topic: str, payload: str) -> Message:
    """The dead letter that this message becomes."""
    publish(system, topic, payload)

    def found() -> Message | None:
        letters: list[Message] = system.get("/api/dead-letters")
        return next((each for each in letters if (each["topic"], each["payload"]) == (topic, payload)), None)

    letter: Message = wait_until(found, 20, f"the dead letter of {topic}")
    assert topic in letter["reason"], "where"
    return letter


def test_a_payload_that_is_not_json(system: System) -> None:
    letter = dead_letter(system, "plantroom/my-site/tank-1/readings", "level 42")
    assert "the payload is not JSON" in letter["reason"]
    assert "begins with b'level 42'" in letter["reason"]
    assert "Send UTF-8 JSON as the dialect describes." in letter["reason"]


def test_nan(system: System) -> None:
    letter = dead_letter(system, *reading("tank-1", now(), '{"tank_level": NaN}'))
    assert "NaN is not a value. Leave out what was not measured." in letter["reason"]


def test_a_topic_of_no_asset(system: System) -> None:
    letter = dead_letter(system, *reading("tank-9", now(), '{"tank_level": 42}'))
    assert "belongs to no asset. Did you mean 'plantroom/my-site/tank-1/readings'?" in letter["reason"]


def test_a_time_in_the_future_is_kept_marked_and_not_believed(system: System) -> None:
    at = now(hours=2)
    publish(system, *reading("tank-1", at, '{"tank_level": 41}'))

    def found() -> Message | None:
        span = {"from": now(hours=1), "to": now(hours=3)}
        kept = system.get("/api/readings", asset="tank-1", point="tank_level", **span)["readings"]
        return next((each for each in kept if each["value"] == 41), None)

    kept = wait_until(found, 20, "the reading of the future")
    assert kept["quality"] == "future"
    page = system.get_text("/assets/tank-1")
    assert "in the future" in page.lower()


def test_a_rule_on_a_point_the_asset_lacks_is_listed_with_what_is_missing(system: System) -> None:
    gaps = {each["rule_id"]: each for each in system.get("/api/rules/not-applicable", asset="ahu-1")}
    assert gaps["zone-co2-high"]["missing"] == ["co2"]


def test_a_wrong_verb_for_the_state(system: System) -> None:
    publish(system, *reading("leak-1", now(), '{"leak_detected": true}'))
    orders: list[Message] = wait_until(
        lambda: system.get("/api/work-orders", asset="leak-1", status="open"), 30, "the order of the leak"
    )
    order = orders[0]["id"]
    with pytest.raises(httpx.HTTPStatusError) as refused:
        system.post(f"/api/work-orders/{order}/complete", {"by": "engineer"})
    answer = refused.value.response
    assert answer.status_code == 409
    detail = answer.json()["detail"]
    assert "complete" in detail["what"]
    assert "open" in detail["what"]
    assert order in detail["where"]
    assert "acknowledge" in detail["hint"]
    with pytest.raises(httpx.HTTPStatusError) as refused:
        system.post(f"/api/work-orders/{order}/complet", {"by": "engineer"})
    assert refused.value.response.status_code == 404
    assert "did you mean 'complete'?" in json.dumps(refused.value.response.json())
