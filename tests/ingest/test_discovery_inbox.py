"""The inbox follows the journal, stays bounded, survives a start, and an approval becomes a site file in force."""

import json
from pathlib import Path

import pytest

from facility.clock import RealClock
from facility.errors import InputError, PermanentError
from facility.reading import Commit, ControlEvent, DeadLetter, Scan, SiteEdited
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.control import submit, waiting
from ingest.discovery import DeviceInbox
from ingest.discovery_desk import DeviceDesk, Learned, PlantInForce
from ingest.discovery_file import Approval
from ingest.heartbeat import Pulse
from ingest.intake import Batch, Intake
from ingest.link import Delivery
from ingest.quality import QualityJudge
from ingest.quality_skew import DeviceClocks
from ingest.unknown_codes import UnknownCodes

SITE = """
site: {id: demo, zone: UTC}
buildings:
  - id: tower
    assets: [{id: PUMP-1, class: pump, points: [run_status, water_flow]}]
"""
PUMP = {"run_status": 1, "water_flow": 3.0, "water_pressure": 400}


def write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def site(*more: str) -> Registry:
    return Registry.merge(parse_site(text, f"{number}.yaml") for number, text in enumerate((SITE, *more)))


def letters(*messages: tuple[str, object], registry: Registry | None = None) -> Commit:
    """What ingest journals of these messages."""
    clock, known = RealClock(), registry or site()
    judge = QualityJudge(known, clock, allowance_us=2_000_000)
    intake, batch = Intake(known, judge, clock, Pulse()), Batch()
    for topic, data in messages:
        payload = data if isinstance(data, bytes) else json.dumps(data).encode()
        intake.take(Delivery(topic, payload, 1, 1, False, False, 1), batch)
    return Commit(1, clock.now_us(), tuple(batch.entries))


def own(values: dict[str, float], at: str = "2026-11-21T09:00:00Z") -> dict[str, object]:
    return {"at": at, "values": values}


class Plant:
    """The engine as the desk sees it: takes what was submitted."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, {"site.yaml": SITE}
        self.inbox = DeviceInbox(folder / "inbox.json", write)
        in_force = PlantInForce(self.registry, lambda: self.files)
        learned = Learned(DeviceClocks(), UnknownCodes(in_force.registry, folder / "codes.json", write))
        self.desk = DeviceDesk(self.inbox, learned, in_force, folder / "devices", self.hand_over, RealClock(), write)

    def hand_over(self, event: ControlEvent) -> Path:
        return submit(self.folder / "control", event)

    def registry(self) -> Registry:
        return Registry.merge(parse_site(text, name) for name, text in self.files.items())

    def take_up(self) -> list[SiteEdited]:
        found = [item.event for item in waiting(self.folder / "control")]
        events = [event for event in found if isinstance(event, SiteEdited)]
        for event in events:
            self.files = dict(event.files)
        return events


def test_a_topic_of_no_asset_is_in_the_inbox_with_a_proposal(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.inbox.take([letters(("plantroom/demo/PUMP-9/readings", own(PUMP)))])
    ((stranger, proposal),) = plant.desk.proposals()
    assert (stranger.key, stranger.messages) == ("plantroom/demo/PUMP-9/readings", 1)
    assert (proposal.asset_id, proposal.building_id, proposal.guess.equipment_class) == ("PUMP-9", "tower", "pump")
    assert [one.point for one in proposal.guess.points] == list(PUMP)


def test_what_can_be_read_and_what_is_broken_is_not_in_the_inbox(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    topic = "plantroom/demo/PUMP-1/readings"
    plant.inbox.take(
        [letters((topic, own({"run_status": 1})), (topic, b"not json"), (topic, own({"run_status": 1}, "x")))]
    )
    assert len(plant.inbox) == 0


def test_a_bridge_about_itself_is_no_device(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.inbox.take(
        [letters(("zigbee2mqtt/bridge/state", {"state": "online"}), ("homeassistant/sensor/x/config", {}))]
    )
    assert len(plant.inbox) == 0


def test_a_zigbee2mqtt_sensor_is_approved_with_its_names(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    message = ("zigbee2mqtt/living room", {"temperature": 21.4, "humidity": 44, "linkquality": 80})
    plant.inbox.take([letters(message)])
    ((stranger, proposal),) = plant.desk.proposals()
    assert proposal.asset_id == "living-room"
    plant.desk.approve(stranger.key, Approval(proposal.asset_id, proposal.guess.equipment_class))
    plant.take_up()
    (scan,) = letters(message, registry=plant.registry()).entries
    assert isinstance(scan, Scan)
    assert {one.point: one.value for one in scan.values} == {"zone_air_temperature": 21.4, "relative_humidity": 44.0}


def test_a_point_the_asset_does_not_name_is_in_the_inbox_with_its_value(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.inbox.take([letters(("plantroom/demo/PUMP-1/readings", own({"run_status": 1, "water_pressure": 400})))])
    (stranger,) = plant.inbox.strangers()
    assert stranger.asset_id == "PUMP-1"
    assert {name: one.value for name, one in stranger.values.items()} == {"water_pressure": 400.0}
    with pytest.raises(InputError, match="in your site file already"):
        plant.desk.approve(stranger.key, Approval("PUMP-1b", "pump"))


def test_an_approved_device_is_read_from_then_on_and_leaves_the_inbox(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    message = ("plantroom/demo/PUMP-9/readings", own(PUMP))
    plant.inbox.take([letters(message)])
    path = plant.desk.approve("plantroom/demo/PUMP-9/readings", Approval("PUMP-9", "pump", name="Ninth pump"))
    assert len(plant.inbox) == 0
    (event,) = plant.take_up()
    assert event.files[str(path)] == path.read_text()
    asset = plant.registry().assets["PUMP-9"]
    assert (asset.name, asset.building_id, set(asset.points)) == ("Ninth pump", "tower", set(PUMP))
    (scan,) = letters(message, registry=plant.registry()).entries
    assert isinstance(scan, Scan)
    assert len(scan.values) == 3


def test_a_device_with_its_own_names_gets_a_source_with_a_mapping(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    points = {
        "supply_air_temperature_sensor": {"present_value": 16.5},
        "supply_fan_run_status": {"present_value": True},
    }
    message = ("dev/AHU-7/events/pointset", {"timestamp": "2026-11-21T09:00:00Z", "points": points})
    plant.inbox.take([letters(message)])
    plant.desk.approve("dev/AHU-7", Approval("AHU-7", "ahu"))
    plant.take_up()
    (scan,) = letters(message, registry=plant.registry()).entries
    assert isinstance(scan, Scan)
    assert {value.point: value.value for value in scan.values} == {
        "supply_air_temperature": 16.5, "supply_fan_status": 1.0,
    }  # fmt: skip


def test_two_approvals_before_the_first_is_in_force_do_not_undo_each_other(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.inbox.take([letters(*((f"plantroom/demo/P-{n}/readings", own(PUMP)) for n in (1, 2)))])
    for number in (1, 2):
        plant.desk.approve(f"plantroom/demo/P-{number}/readings", Approval(f"P-{number}", "pump"))
    plant.take_up()
    assert {"P-1", "P-2"} <= plant.registry().assets.keys()


@pytest.mark.parametrize(
    ("approval", "said"),
    [
        (Approval("PUMP-1", "pump"), "already"),
        (Approval("P-9", "pmup"), "did you mean 'pump'"),
        (Approval("P-9", "pump", "towr"), "did you mean 'tower'"),
        (Approval("P-9", "pump", points={"run_status": "run_statsu"}), "did you mean 'run_status'"),
    ],
)
def test_an_approval_that_cannot_be_is_refused_and_leaves_nothing_behind(
    tmp_path: Path, approval: Approval, said: str
) -> None:
    plant = Plant(tmp_path)
    plant.inbox.take([letters(("plantroom/demo/PUMP-9/readings", own(PUMP)))])
    with pytest.raises(InputError, match=said):
        plant.desk.approve("plantroom/demo/PUMP-9/readings", approval)
    assert waiting(tmp_path / "control") == []
    assert not (tmp_path / "devices").exists()
    with pytest.raises(PermanentError, match="no device"):
        plant.desk.approve("elsewhere", Approval("P-9", "pump"))


def test_ten_thousand_unknown_devices_leave_the_newest(tmp_path: Path) -> None:
    inbox = DeviceInbox(tmp_path / "inbox.json", write, kept=100)
    reason = "the topic 'x' belongs to no asset."
    for number in range(10_000):
        entry = DeadLetter(number, f"unknown/{number}", b'{"temperature": 20}', reason)
        inbox.take([Commit(number + 1, number, (entry,))])
    assert len(inbox) == 100
    assert [one.key for one in inbox.strangers()][:2] == ["unknown/9999", "unknown/9998"]


def test_a_start_knows_what_was_in_the_inbox(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.inbox.take([letters(("plantroom/demo/PUMP-9/readings", own(PUMP)))])
    again = DeviceInbox(tmp_path / "inbox.json", write)
    assert again.strangers() == plant.inbox.strangers()
    assert again.cursor == plant.inbox.cursor == 1
    (tmp_path / "inbox.json").write_bytes(b"{")
    assert len(DeviceInbox(tmp_path / "inbox.json", write)) == 0


def test_a_site_file_that_describes_a_stranger_takes_it_out_and_leaves_the_others(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.inbox.take([letters(*((f"plantroom/demo/{name}/readings", own(PUMP)) for name in ("A", "B", "PUMP-1")))])
    assert len(plant.inbox) == 3
    whole = SITE.replace("[run_status, water_flow]}", "[run_status, water_flow, water_pressure]}, {id: A, class: pump}")
    plant.inbox.take([Commit(2, 2, (SiteEdited("e", 2, {"site.yaml": whole}),))])
    assert [one.key for one in plant.inbox.strangers()] == ["plantroom/demo/B/readings"]


def test_an_addition_to_a_building_nobody_describes_is_refused() -> None:
    addition = "addition: true\nsite: {id: demo, zone: UTC}\nbuildings: [{id: towr, assets: [{id: X, class: pump}]}]\n"
    with pytest.raises(InputError, match="'towr', which no site file describes"):
        site(addition)
    assert "X" in site(addition.replace("towr", "tower")).assets
