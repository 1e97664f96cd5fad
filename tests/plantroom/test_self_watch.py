"""What the monitor says of itself, and that it says nothing where nobody asked."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from facility.clock import ScaledClock
from facility.reading import Commit, Heartbeat, PointValue, Scan
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.latest import LatestValues
from plantroom.self_watch import SelfWatch, Watched, silent_assets

S = 10**6
NOW = 1_795_000_000 * S
SITE = """
site: {id: demo, zone: UTC}
buildings:
  - id: tower
    assets:
      - {id: plantroom, class: monitor, points: [follower_lag, disk_free, rejected_rate, silent_devices,
         message_rate, judged_delay, device_clock_error, certificate_days, authority_days]}
      - {id: TANK-1, class: tank, points: [tank_level]}
      - {id: TANK-2, class: tank, points: [tank_level]}
      - {id: TANK-3, class: tank, points: [tank_level]}
"""


class Setup:
    """A monitor on a clock that stands still, with what it said."""

    def __init__(
        self, folder: Path, site: str = SITE, *, skews_us: tuple[int, ...] = (), days: Mapping[str, float] | None = None
    ) -> None:
        self.latest, self.said = LatestValues(), list[tuple[str, Mapping[str, float]]]()
        registry: Registry = parse_site(site, "site.yaml")
        clock = ScaledClock(NOW, 0, 1.0, wall_us=lambda: 0)
        watched = Watched(
            lambda: registry,
            self.latest,
            lambda: [3, 40, 0],
            lambda: NOW - 2 * S,
            folder,
            clock,
            lambda: skews_us,
            lambda: days or {},
        )
        self.watch = SelfWatch(watched, self.say)

    def say(self, topic: str, payload: bytes) -> bool:
        self.said.append((topic, json.loads(payload)["values"]))
        return True

    def hear(self, *entries: Scan | Heartbeat) -> None:
        self.latest.take([Commit(1, NOW, entries)])


def level(asset_id: str, minutes_ago: int) -> Scan:
    return Scan(asset_id, NOW - minutes_ago * 60 * S, True, (PointValue("tank_level", 50.0),))


def test_it_tells_lag_disk_and_who_is_silent_on_its_own_topic(tmp_path: Path) -> None:
    own = Setup(tmp_path)
    own.hear(level("TANK-1", 1), level("TANK-2", 45))
    assert own.watch.report() == 1
    ((topic, values),) = own.said
    assert topic == "plantroom/demo/plantroom/readings"
    assert values["follower_lag"] == 40.0
    assert 0 < values["disk_free"] <= 100
    assert values["silent_devices"] == 1.0, "TANK-2; TANK-3 never spoke, which is another rule's business"


def test_the_share_of_what_cannot_be_read_is_of_the_time_since_the_last_look(tmp_path: Path) -> None:
    own = Setup(tmp_path)
    shares = []
    for received, rejected in ((1000, 0), (1100, 25), (1100, 25), (50, 5)):
        own.hear(Heartbeat(NOW, received, rejected))
        own.watch.report()
        shares.append(own.said[-1][1]["rejected_rate"])
    assert shares == pytest.approx([0.0, 25.0, 0.0, 10.0])


def test_messages_a_second_and_how_late_findings_come(tmp_path: Path) -> None:
    own = Setup(tmp_path)
    own.hear(Heartbeat(NOW, 100, 0))
    own.watch.report()
    assert "message_rate" not in own.said[-1][1], "nobody knows since when these came"
    assert own.said[-1][1]["judged_delay"] == 2.0
    own.hear(Heartbeat(NOW + 60 * S, 700, 0))
    own.watch.report()
    assert own.said[-1][1]["message_rate"] == 10.0


def test_the_worst_clock_of_a_device_is_told_once_one_is_known(tmp_path: Path) -> None:
    for skews_us, told in (((), None), ((-95 * S, 3 * S), 95.0), ((2 * S,), 2.0)):
        own = Setup(tmp_path, skews_us=skews_us)
        own.watch.report()
        assert own.said[-1][1].get("device_clock_error") == told


def test_the_certificate_that_ends_first_is_told(tmp_path: Path) -> None:
    for days, told in (({}, {}), ({"authority_days": 59.994}, {"authority_days": 59.99})):
        own = Setup(tmp_path, days=days | {"certificate_days": -3.0})
        own.watch.report()
        said = {point: value for point, value in own.said[-1][1].items() if point.endswith("_days")}
        assert said == told | {"certificate_days": -3.0}
    own = Setup(tmp_path)
    own.watch.report()
    assert not {"certificate_days", "authority_days"} & own.said[-1][1].keys()


def test_who_is_silent_is_named_the_longest_first(tmp_path: Path) -> None:
    own = Setup(tmp_path)
    own.hear(level("TANK-1", 50), level("TANK-2", 45), level("TANK-3", 1))
    registry = parse_site(SITE, "site.yaml")
    assert silent_assets(registry, own.latest, NOW) == [("TANK-1", NOW - 3000 * S), ("TANK-2", NOW - 2700 * S)]


def test_a_site_without_a_monitor_hears_nothing(tmp_path: Path) -> None:
    own = Setup(tmp_path, SITE.replace("class: monitor, points: [follower_lag", "class: sensor, points: [follower_lag"))
    assert own.watch.report() == 0
    assert own.said == []
