"""Our simulators pass the conformance kit, and each way of misbehaving makes each of them fail as it should."""

from functools import cache

import pytest
from running import ROOT

from facility.instant import SECOND_US
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.conformance import Mark, Verdict, of_device, worst
from ingest.conformance_examine import examine
from ingest.conformance_listen import Heard
from simulators.dialect import Message
from simulators.misbehave import TOLD, Misbehaving, Misbehaviour
from simulators.run import Simulation
from simulators.scenario import parse_scenario

MINUTES = 10
ONE_OF_EACH = ("EL-4", "AHU-1", "ZONE-1-1", "LC-1", "PUMP-2", "METER-1", "LEAK-2", "WX-1")
EXPECTED = {
    Misbehaviour.NO_ZONE: ("payload", Verdict.FAIL),
    Misbehaviour.WRONG_CLOCK: ("clock", Verdict.FAIL),
    Misbehaviour.SHUFFLED: ("order", Verdict.FAIL),
    Misbehaviour.REPEATED: ("repeated", Verdict.FAIL),
    Misbehaviour.OUT_OF_RANGE: ("range", Verdict.FAIL),
    Misbehaviour.SLOW: ("cadence", Verdict.FAIL),
    Misbehaviour.MISSING_POINT: ("cadence", Verdict.FAIL),
    Misbehaviour.TEXT_NUMBERS: ("payload", Verdict.FAIL),
    Misbehaviour.RETAINED: ("retained", Verdict.FAIL),
    Misbehaviour.QOS_0: ("qos", Verdict.WARN),
    Misbehaviour.BROKEN: ("payload", Verdict.FAIL),
}


@cache
def site() -> Registry:
    return parse_site((ROOT / "plantroom/demo/site.yaml").read_text(encoding="utf-8"), "site.yaml")


@cache
def said() -> tuple[tuple[int, tuple[Message, ...]], ...]:
    """What the demo building says in ten minutes before its first fault: per step its end and its messages."""
    text = (ROOT / "plantroom/demo/scenario.yaml").read_text(encoding="utf-8")
    simulation = Simulation(parse_scenario(text.split("\nfaults:")[0] + "\nfaults: []\n", "scenario.yaml"))
    steps = []
    while simulation.at_us < simulation.start_us + MINUTES * 60 * SECOND_US:
        steps.append((simulation.next_us, tuple(simulation.advance(simulation.next_us))))
    return tuple(steps)


def heard(kind: Misbehaviour | None) -> list[Heard]:
    """As a guest hears it who comes after the first message: the broker sends him what it kept."""
    spoiler = Misbehaving(kind) if kind is not None else None
    found: list[Heard] = []
    for at_us, messages in said():
        for one in spoiler.spoil(messages) if spoiler is not None else messages:
            if not one.topic.startswith("simulation/"):
                is_kept = one.retain and at_us <= said()[0][0] + 60 * SECOND_US
                found.append(Heard(at_us, one.topic, one.payload, one.qos, is_kept))
    return found


def examined(kind: Misbehaviour | None) -> list[Mark]:
    return examine(heard(kind), ["plantroom/#", "/devices/#"], site(), span_us=MINUTES * 60 * SECOND_US)


def test_every_simulator_passes() -> None:
    found = examined(None)
    assert {one.device for one in found} >= {*ONE_OF_EACH}
    assert [one for one in found if one.verdict in (Verdict.WARN, Verdict.FAIL)] == []


@pytest.mark.parametrize("kind", list(Misbehaviour))
def test_each_misbehaviour_makes_each_simulator_fail_as_it_should(kind: Misbehaviour) -> None:
    aspect, verdict = EXPECTED[kind]
    marks = examined(kind)
    for device in ONE_OF_EACH:
        found = of_device(marks, device)
        assert [one for one in found if one.aspect == aspect and one.verdict is verdict], (device, worst(found))


def test_every_misbehaviour_is_told_in_words() -> None:
    assert TOLD.keys() == EXPECTED.keys() == set(Misbehaviour)
