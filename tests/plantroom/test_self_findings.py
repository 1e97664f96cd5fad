"""What goes wrong with the monitor becomes a finding by the way of every reading: message, journal entry, rule.

Its own messages are read by the intake like anybody's and judged by the rules that are shipped.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from facility.instant import SECOND_US, from_us
from facility.reading import Commit, Entry, Heartbeat, PointValue, RuleSetActivated, Scan, SiteEdited
from facility.site_file import parse_site
from ingest.heartbeat import Pulse
from ingest.intake import Batch, Intake
from ingest.latest import LatestValues
from ingest.link import Delivery
from ingest.quality import QualityJudge
from plantroom.plant_files import load_rule_files
from plantroom.self_watch import SelfWatch, Watched
from rules.engine import Engine
from rules.rule_set import RuleSet

T0 = 1_790_000_000 * SECOND_US
MINUTE_US = 60 * SECOND_US
TANKS = 6
SITE = """
site: {id: s, zone: UTC}
buildings:
  - id: b
    assets:
      - {id: plantroom, class: monitor, points: [follower_lag, disk_free, rejected_rate, silent_devices,
         message_rate, judged_delay], rule_parameters: {monitor-disk-low: {least: LEAST}}}
""" + "".join(f"      - {{id: tank-{number}, class: tank, points: [tank_level]}}\n" for number in range(TANKS))


class SetClock:
    """A clock that stands where it is put."""

    factor = 1.0

    def __init__(self) -> None:
        self.at_us = T0

    def now(self) -> datetime:
        return from_us(self.at_us)

    def now_us(self) -> int:
        return self.at_us


@dataclass
class Plant:
    """A monitor that hears itself, a minute at a time; what it finds, by rule."""

    folder: Path
    least_disk: float = 0.0
    lag: int = 0
    rejected_of_a_hundred: int = 0
    speaking: int = TANKS
    hangs: bool = False
    found: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        site = SITE.replace("LEAST", str(self.least_disk))
        registry = parse_site(site, "site.yaml")
        self._clock, self._latest, pulse = SetClock(), LatestValues(), Pulse()
        judge = QualityJudge(registry, self._clock, allowance_us=2 * SECOND_US)
        self._intake = Intake(registry, judge, self._clock, pulse)
        self._engine = Engine(allowance_us=2 * SECOND_US, scans_advance=False)
        self._seq = self._received = self._rejected = 0
        files = load_rule_files(None)
        digest = RuleSet.load(files).digest
        self._commit([SiteEdited("1", T0, {"site.yaml": site}), RuleSetActivated("2", T0, digest, files)])
        engine = self._engine
        watched = Watched(
            lambda: registry, self._latest, lambda: [self.lag], lambda: engine.event_time_us, self.folder, self._clock
        )
        self._watch = SelfWatch(watched, self._say)

    def live(self, minutes: int) -> None:
        """Every minute the tanks that speak say something, and the monitor says what it sees."""
        for _ in range(minutes):
            self._clock.at_us += MINUTE_US
            self._received += 100
            self._rejected += self.rejected_of_a_hundred
            level = (PointValue("tank_level", 50.0 + self._seq % 7),)
            entries: list[Entry] = [
                Scan(f"tank-{tank}", self._clock.at_us, True, level) for tank in range(self.speaking)
            ]
            self._commit([*entries, Heartbeat(self._clock.at_us, self._received, self._rejected)])
            if not self.hangs:
                assert self._watch.report() == 1
            self._commit([Heartbeat(self._clock.at_us + 5 * SECOND_US, self._received, self._rejected)])

    def _say(self, topic: str, payload: bytes) -> bool:
        batch = Batch()
        self._intake.take(Delivery(topic, payload, 1, 1, False, False, 1), batch)
        assert not batch.rejected
        self._commit(batch.entries)
        return True

    def _commit(self, entries: list[Entry]) -> None:
        self._seq += 1
        commit = Commit(self._seq, self._clock.at_us, tuple(entries))
        self._latest.take([commit])
        for finding in self._engine.feed(commit):
            if finding.asset_id == "plantroom":
                self.found[finding.rule_id] = str(finding.state)


def test_a_monitor_that_is_well_finds_nothing_about_itself(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.live(90)
    assert plant.found == {}


def lag(plant: Plant) -> None:
    plant.lag = 9_000


def rejects(plant: Plant) -> None:
    plant.rejected_of_a_hundred = 20


def silence(plant: Plant) -> None:
    plant.speaking = 0


@pytest.mark.parametrize(
    ("trouble", "rule_id", "minutes"),
    [
        (lag, "monitor-falls-behind", 20),
        (rejects, "monitor-rejects-messages", 20),
        (silence, "monitor-devices-silent", 80),
    ],
)
def test_trouble_becomes_a_finding_and_clears_when_it_is_over(
    tmp_path: Path, trouble: Callable[[Plant], None], rule_id: str, minutes: int
) -> None:
    plant = Plant(tmp_path)
    plant.live(5)
    trouble(plant)
    plant.live(minutes)
    assert plant.found == {rule_id: "active"}
    plant.lag, plant.rejected_of_a_hundred, plant.speaking = 0, 0, TANKS
    plant.live(30)
    assert plant.found == {rule_id: "cleared"}


def test_a_disk_with_less_room_than_the_site_asks_for_becomes_a_finding(tmp_path: Path) -> None:
    """No disk is wholly free: a site that asks for that is told so."""
    plant = Plant(tmp_path, least_disk=100.0)
    plant.live(15)
    assert plant.found == {"monitor-disk-low": "active"}


def test_a_monitor_that_hangs_falls_silent_like_any_asset(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.live(5)
    plant.hangs = True
    plant.live(60)
    assert plant.found == {"asset-silent": "active"}
