"""How far a device's clock is off, learned from event time and arrival."""

from facility.reading import Commit, PointValue, Scan
from ingest.quality_skew import LEAST_SCANS, REMEMBERED, DeviceClocks

S = 10**6


def commit(seq: int, asset_id: str, offset_us: int) -> Commit:
    at_us = seq * 60 * S
    return Commit(seq, at_us, (Scan(asset_id, at_us + offset_us, True, (PointValue("co2", 600.0),)),))


def test_the_median_distance_is_the_skew_and_single_late_scans_do_not_count() -> None:
    clocks = DeviceClocks()
    clocks.take([commit(n, "ahead", 300 * S if n % 5 else -7200 * S) for n in range(1, 31)])
    clocks.take([commit(n, "right", -40_000) for n in range(31, 61)])
    assert [one.asset_id for one in clocks.all()] == ["ahead", "right"]
    known = clocks.of("ahead")
    assert known is not None
    assert (known.skew_us, known.scans) == (300 * S, 30)
    assert clocks.cursor == 60


def test_nothing_is_said_before_enough_was_heard() -> None:
    clocks = DeviceClocks()
    clocks.take([commit(n, "new", 0) for n in range(1, LEAST_SCANS)])
    assert clocks.of("new") is None
    assert clocks.all() == []
    clocks.take([commit(LEAST_SCANS, "new", 0)])
    assert clocks.of("new") is not None


def test_a_clock_that_was_set_right_is_right_after_as_many_scans_as_are_remembered() -> None:
    clocks = DeviceClocks()
    clocks.take([commit(n, "set", 3600 * S) for n in range(1, 200)])
    clocks.take([commit(200 + n, "set", 0) for n in range(REMEMBERED)])
    known = clocks.of("set")
    assert known is not None
    assert known.skew_us == 0
