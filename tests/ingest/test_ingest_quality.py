"""Quality as decided on arrival: range, clock skew, duplicates, lateness; each with its boundary."""

from datetime import UTC, datetime

import pytest

from facility.clock import Clock, JournalClock, RealClock, ScaledClock
from facility.instant import to_us
from facility.reading import PointValue, Quality, Scan
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.quality import QualityJudge, RecentHashes

S = 10**6
NOW = to_us(datetime(2026, 11, 21, 9, tzinfo=UTC))
SITE = """
site: {id: demo, zone: UTC}
buildings:
  - id: tower
    assets: [{id: zone-1, class: zone, points: {co2: , zone_air_temperature: {minimum: 5, maximum: 40}}}]
"""


def site() -> Registry:
    return parse_site(SITE, "site.yaml")


def frozen(factor: float = 1.0) -> Clock:
    return ScaledClock(NOW, 0, factor, wall_us=lambda: 0)


def judge(clock: Clock | None = None) -> QualityJudge:
    return QualityJudge(site(), clock or frozen(), allowance_us=2 * S)


def scan(value: float = 20.0, at_us: int = NOW, point: str = "zone_air_temperature") -> Scan:
    return Scan("zone-1", at_us, True, (PointValue(point, value),))


def quality(judged: Scan | None) -> Quality:
    assert judged is not None
    return Quality(judged.values[0].quality)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5.0, Quality.GOOD), (40.0, Quality.GOOD), (4.99, Quality.OUT_OF_RANGE), (40.01, Quality.OUT_OF_RANGE)],
)
def test_the_range_of_the_asset_counts_and_includes_its_ends(value: float, expected: Quality) -> None:
    assert quality(judge().judge(scan(value))) == expected


def test_the_range_of_the_catalogue_counts_where_the_asset_has_none() -> None:
    assert quality(judge().judge(scan(5001.0, point="co2"))) == Quality.OUT_OF_RANGE


@pytest.mark.parametrize(("factor", "tolerance_s"), [(1.0, 60), (60.0, 3600), (0.5, 60)])
def test_future_is_beyond_the_tolerance_of_the_clock(factor: float, tolerance_s: int) -> None:
    own = judge(frozen(factor))
    assert quality(own.judge(scan(at_us=NOW + tolerance_s * S))) == Quality.GOOD
    assert quality(own.judge(scan(at_us=NOW + tolerance_s * S + 1))) == Quality.FUTURE


def test_nothing_is_future_with_the_journal_clock() -> None:
    assert quality(judge(JournalClock(NOW)).judge(scan(at_us=NOW + 10**9 * S))) == Quality.GOOD


def test_late_is_older_than_the_newest_heartbeat_allows() -> None:
    own = judge()
    assert quality(own.judge(scan(at_us=NOW - 100 * S))) == Quality.GOOD
    assert own.advance(NOW)
    assert quality(own.judge(scan(at_us=NOW - 2 * S))) == Quality.GOOD
    assert quality(own.judge(scan(at_us=NOW - 2 * S - 1))) == Quality.LATE
    assert quality(own.judge(scan(99.0, at_us=NOW - 3 * S))) == Quality.OUT_OF_RANGE


def test_heartbeats_never_go_back() -> None:
    own = judge()
    assert own.advance(NOW)
    assert not own.advance(NOW)
    assert not own.advance(NOW - 1)
    assert own.heartbeat_us == NOW


def test_the_same_reading_again_is_dropped_and_another_value_is_not() -> None:
    own = judge()
    assert quality(own.judge(scan(20.0))) == Quality.GOOD
    assert own.judge(scan(20.0)) is None
    assert quality(own.judge(scan(21.0))) == Quality.GOOD
    assert quality(own.judge(scan(20.0, at_us=NOW + 1))) == Quality.GOOD


def test_only_the_repeated_values_of_a_scan_are_duplicates() -> None:
    own = judge()
    own.judge(scan(20.0))
    both = Scan("zone-1", NOW, True, (PointValue("zone_air_temperature", 20.0), PointValue("co2", 600.0)))
    judged = own.judge(both)
    assert judged is not None
    assert [value.quality for value in judged.values] == [Quality.DUPLICATE, Quality.GOOD]


def test_what_the_journal_holds_already_is_a_duplicate() -> None:
    own = judge()
    own.remember(scan(20.0))
    assert own.judge(scan(20.0)) is None


def test_a_retained_copy_from_before_the_newest_heartbeat_is_no_news() -> None:
    own = judge()
    own.advance(NOW)
    assert own.judge(scan(at_us=NOW - 3600 * S), retained=True) is None
    assert quality(own.judge(scan(at_us=NOW), retained=True)) == Quality.GOOD


def test_a_dialect_s_own_quality_stays() -> None:
    held = Scan("zone-1", NOW, True, (PointValue("co2", 600.0, Quality.SUBSTITUTED),))
    assert quality(judge().judge(held)) == Quality.SUBSTITUTED


def test_another_registry_brings_its_own_ranges() -> None:
    own = judge(RealClock())
    own.use(parse_site(SITE.replace("maximum: 40", "maximum: 19"), "site.yaml"))
    assert quality(own.judge(scan(20.0))) == Quality.OUT_OF_RANGE


def test_a_scan_that_comes_again_late_is_a_duplicate_though_its_readings_are_forgotten() -> None:
    """A slow ingest gets its own backlog redelivered, thousands of messages later."""
    own = judge()
    wide = [
        Scan("zone-1", NOW + n, True, tuple(PointValue(f"point-{i}", float(i)) for i in range(50)))
        for n in range(8_000)
    ]
    assert all(own.judge(one) is not None for one in wide)
    assert all(own.judge(one) is None for one in wide)


def test_the_memory_is_bounded_and_holds_the_newest() -> None:
    recent = RecentHashes(100)
    assert not any(recent.is_known(number) for number in range(1000))
    assert all(recent.is_known(number) for number in range(900, 1000))
    assert not recent.is_known(0)
