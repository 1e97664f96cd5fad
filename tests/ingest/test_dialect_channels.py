"""Channels that several assets share, filters, what decoders remember, and messages without a time that come twice."""

from pathlib import Path

import pytest
from golden import GOLDEN, load_case, payload_of

from facility.clock import JournalClock
from facility.errors import InputError
from facility.reading import DeadLetter, Scan
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.heartbeat import Pulse
from ingest.intake import Batch, Intake
from ingest.link import Delivery
from ingest.quality import QualityJudge
from ingest.routing import Router
from ingest.topic_tree import TopicTree

NOW_US = 1_795_252_000_000_000
OFFICE = "zigbee2mqtt/office"


def registry(change: tuple[str, str] = ("", "")) -> Registry:
    return parse_site((GOLDEN / "devices.yaml").read_text(encoding="utf-8").replace(*change), "devices.yaml")


def new_intake() -> Intake:
    clock = JournalClock(NOW_US)
    return Intake(registry(), QualityJudge(registry(), clock, allowance_us=2_000_000), clock, Pulse())


def take(intake: Intake, topic: str, payload: bytes, *, mid: int = 1, dup: bool = False) -> Batch:
    batch = Batch()
    intake.take(Delivery(topic, payload, 1, mid, retained=False, redelivered=dup, generation=1), batch)
    return batch


def hex_of(name: str) -> tuple[str, bytes]:
    case = load_case(GOLDEN / "sparkplug" / f"{name}.yaml")
    return case["topic"], payload_of(case)


@pytest.mark.parametrize(
    ("topic", "quiet"),
    [
        ("spBv1.0/Plant/NCMD/edge-1", True),
        ("spBv1.0/STATE/host", True),
        ("tele/attic/INFO1", True),
        ("stat/attic/RESULT", True),
        ("cmnd/attic/POWER", True),
        ("shellypro2pm-1/command", True),
        ("zigbee2mqtt/office/set", True),
        ("zigbee2mqtt/bridge/devices", True),
        ("homie/5/boiler/burner/running/set", True),
        ("zigbee2mqtt/kitchen", False),
        ("homie/5/oven/plate/temperature", False),
        ("spBv1.0/Plant/DDATA/edge-2/chiller", False),
        ("meters/17/down", False),
    ],
)
def test_commands_and_chatter_are_no_data_and_unknown_devices_are_not_silenced(topic: str, *, quiet: bool) -> None:
    router = Router(registry())
    assert router.find(topic) is None
    assert router.is_ignored(topic) is quiet


def test_the_most_specific_filter_wins() -> None:
    tree: TopicTree[str] = TopicTree()
    for topic_filter in ("a/#", "a/+/c", "a/b/c", "+/x", "#"):
        tree.add(topic_filter, topic_filter)
    found = {topic: tree.find(topic) for topic in ("a/b/c", "a/z/c", "a/z/d", "a", "q/x", "q", "a/b/c/d")}
    assert found == {
        "a/b/c": "a/b/c",
        "a/z/c": "a/+/c",
        "a/z/d": "a/#",
        "a": "a/#",
        "q/x": "+/x",
        "q": "#",
        "a/b/c/d": "a/#",
    }


def test_a_topic_cannot_speak_two_dialects() -> None:
    with pytest.raises(InputError, match="'zone-3' and 'meter-2' both publish on 'zigbee2mqtt/office'"):
        Router(registry(("meters/2/power", "zigbee2mqtt/office")))


def test_a_site_edit_does_not_forget_what_other_devices_have_said() -> None:
    intake = new_intake()
    for name in ("node-birth-brings-the-node-online", "birth-names-its-metrics-and-carries-values"):
        take(intake, *hex_of(name))
    intake.use(registry(("tele/attic", "tele/loft")))
    batch = take(intake, *hex_of("data-by-alias-has-the-type-of-the-birth"))
    assert [type(entry) for entry in batch.entries] == [Scan, Scan]
    assert intake.asked() == []


def test_an_edit_of_the_device_itself_forgets_and_asks_again() -> None:
    intake = new_intake()
    take(intake, *hex_of("birth-names-its-metrics-and-carries-values"))
    intake.asked()
    intake.use(registry(("Power: {point: power, unit: kW}", "Power: {point: power, unit: W}")))
    batch = take(intake, *hex_of("data-by-alias-has-the-type-of-the-birth"))
    assert [type(entry) for entry in batch.entries] == [DeadLetter]
    assert [topic for topic, _ in intake.asked()] == ["spBv1.0/Plant/NCMD/edge-1"]


def test_a_message_without_time_that_comes_twice_is_one_reading() -> None:
    intake = new_intake()
    first = take(intake, OFFICE, b'{"temperature": 21.5}', mid=7)
    again = take(intake, OFFICE, b'{"temperature": 21.5}', mid=7, dup=True)
    assert (first.readings, again.readings, again.duplicates) == (1, 0, 1)


def test_the_same_value_said_again_is_a_new_reading() -> None:
    clock = JournalClock(NOW_US)
    intake = Intake(registry(), QualityJudge(registry(), clock, allowance_us=2_000_000), clock, Pulse())
    first = take(intake, OFFICE, b'{"temperature": 21.5}', mid=7)
    clock.advance(NOW_US + 60_000_000)
    again = take(intake, OFFICE, b'{"temperature": 21.5}', mid=8)
    assert [scan.at_us for scan in (*first.entries, *again.entries) if isinstance(scan, Scan)] == [
        NOW_US,
        NOW_US + 60_000_000,
    ]


def test_a_gap_that_never_ends_asks_ever_more_rarely() -> None:
    clock = JournalClock(NOW_US)
    intake = Intake(registry(), QualityJudge(registry(), clock, allowance_us=2_000_000), clock, Pulse())
    topic, payload = hex_of("data-before-any-birth-asks-for-one")
    asked = 0
    for second in range(3_600):
        clock.advance(NOW_US + second * 1_000_000)
        take(intake, topic, payload, mid=second + 1)
        asked += len(intake.asked())
    assert 8 <= asked <= 14


def test_every_golden_folder_is_a_dialect_or_the_code_maps() -> None:
    folders = {path.name for path in Path(GOLDEN).iterdir() if path.is_dir()}
    assert folders == {
        "plantroom", "udmi", "sparkplug", "senml", "homie", "tasmota", "shelly", "zigbee2mqtt", "json", "code_maps",
    }  # fmt: skip
