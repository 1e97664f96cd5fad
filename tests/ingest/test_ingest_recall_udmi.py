"""What a UDMI device said of its points' values is known after a restart, from the journal alone."""

from pathlib import Path

from facility.clock import RealClock
from facility.reading import Quality, Scan
from facility.site_file import parse_site
from ingest.heartbeat import Pulse
from ingest.intake import Batch, Intake
from ingest.journal import JournalWriter
from ingest.link import Delivery
from ingest.quality import QualityJudge
from ingest.recall import recall

SITE = """
site: {id: s, zone: UTC}
buildings:
  - id: b
    assets:
      - id: meter
        class: water_meter
        points: [water_volume]
        source: {dialect: udmi, topic: s/d/meter, points: {volume: {point: water_volume, unit: m3}}}
"""


def intake() -> Intake:
    registry = parse_site(SITE, "site.yaml")
    return Intake(registry, QualityJudge(registry, RealClock(), allowance_us=2_000_000), RealClock(), Pulse())


def take(by: Intake, topic: str, payload: str) -> list[Scan]:
    batch = Batch()
    by.take(Delivery(f"s/d/meter/{topic}", payload.encode(), 1, 1, False, False, 1), batch)
    return [entry for entry in batch.entries if isinstance(entry, Scan)]


def pointset(second: int) -> str:
    return f'{{"timestamp": "2026-01-01T00:00:{second:02d}Z", "points": {{"volume": {{"present_value": {second}}}}}}}'


def test_an_overridden_point_stays_so_over_a_restart_until_the_device_says_otherwise(tmp_path: Path) -> None:
    first = intake()
    state = '{{"timestamp": "2026-01-01T00:00:00Z", "pointset": {{"points": {{"volume": {}}}}}}}'
    assert take(first, "state", state.format('{"value_state": "overridden"}')) == []
    scans = take(first, "events/pointset", pointset(1))
    assert scans[0].values[0].quality == Quality.SUBSTITUTED
    with JournalWriter(tmp_path) as writer:
        writer.append(1, scans)
    again = intake()
    recall(tmp_path, again)
    assert take(again, "events/pointset", pointset(2))[0].values[0].quality == Quality.SUBSTITUTED
    take(again, "state", state.format("{}"))
    assert take(again, "events/pointset", pointset(3))[0].values[0].quality == Quality.GOOD
