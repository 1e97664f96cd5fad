"""The newest values in memory."""

from facility.reading import Commit, Heartbeat, PointValue, Quality, Reading, Scan
from ingest.latest import IngestCounters, LatestValues


def scan(at_us: int, value: float, quality: Quality = Quality.GOOD, point: str = "co2") -> Scan:
    return Scan("z1", at_us, complete=True, values=(PointValue(point, value, quality),))


def test_the_newest_instant_wins_whatever_the_order_of_arrival() -> None:
    latest = LatestValues()
    latest.take([Commit(1, 0, (scan(20, 600.0), scan(10, 500.0, Quality.LATE)))])
    latest.take([Commit(2, 0, (scan(15, 550.0, Quality.LATE), scan(5, 1.0, point="online")))])
    assert latest.find("z1", "co2") == Reading("z1", "co2", 20, 600.0)
    assert latest.of("z1") == {"co2": Reading("z1", "co2", 20, 600.0), "online": Reading("z1", "online", 5, 1.0)}
    assert latest.of("unheard-of") == {}
    assert latest.find("z1", "unheard-of") is None
    assert latest.cursor == 2


def test_the_same_instant_again_replaces_but_a_duplicate_does_not() -> None:
    latest = LatestValues()
    latest.take([Commit(1, 0, (scan(20, 1.0), scan(20, 2.0), scan(20, 2.0, Quality.DUPLICATE)))])
    assert latest.find("z1", "co2") == Reading("z1", "co2", 20, 2.0)


def test_seeded_values_give_way_to_newer_ones_only() -> None:
    latest = LatestValues(after_seq=7)
    assert latest.cursor == 7
    latest.take([Commit(8, 0, (scan(20, 2.0),))])
    latest.seed([Reading("z1", "co2", 10, 1.0), Reading("z1", "online", 10, 1.0)])
    assert latest.find("z1", "co2") == Reading("z1", "co2", 20, 2.0)
    assert latest.find("z1", "online") == Reading("z1", "online", 10, 1.0)


def test_counters_come_from_the_newest_heartbeat() -> None:
    latest = LatestValues()
    assert latest.counters == IngestCounters()
    latest.take([Commit(1, 0, (Heartbeat(5, 10, 1), Heartbeat(6, 20, 2))), Commit(2, 0, (scan(7, 1.0),))])
    assert latest.counters == IngestCounters(6, 20, 2)
    latest.take([Commit(3, 0, (scan(8, 1.0),))])
    assert latest.counters.at_us == 6


def test_a_copy_given_out_does_not_change() -> None:
    latest = LatestValues()
    latest.take([Commit(1, 0, (scan(1, 1.0),))])
    given = latest.of("z1")
    latest.take([Commit(2, 0, (scan(2, 2.0),))])
    assert given["co2"].value == 1.0
