"""Stuck and spike: from the order and the event times of the readings alone, with every boundary."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.clock import JournalClock
from facility.errors import InputError
from facility.reading import Commit, PointValue, Quality, Scan
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.quality import QualityJudge
from ingest.quality_motion import LEAST_READINGS
from ingest.stores.base import SeriesSink
from ingest.stores.parquet import ParquetStore

MIN = 60 * 10**6
SITE = """
site: {{id: demo, zone: UTC}}
buildings:
  - id: tower
    assets: [{{id: zone-1, class: zone, points: {{zone_air_temperature: {{cadence: 60 s, {more}}}}}}}]
"""


def registry(more: str = "stuck: 30, spike: 5") -> Registry:
    return parse_site(SITE.format(more=more), "site.yaml")


def judged(values: list[float], more: str = "stuck: 30, spike: 5", step_us: int = MIN) -> list[Quality]:
    own = QualityJudge(registry(more), JournalClock(), allowance_us=2 * 10**6)
    found = []
    for number, value in enumerate(values):
        scan = own.judge(Scan("zone-1", (number + 1) * step_us, True, (PointValue("zone_air_temperature", value),)))
        assert scan is not None
        found.append(Quality(scan.values[0].quality))
    return found


def wavering(count: int) -> list[float]:
    return [20.0 + 0.1 * (number % 3) for number in range(count)]


def test_a_sensor_that_does_not_move_for_its_cadences_is_stuck_until_it_moves() -> None:
    qualities = judged([*wavering(10), *[21.5] * 40, 21.6])
    assert qualities[:40] == [Quality.GOOD] * 40
    assert qualities[40:50] == [Quality.STUCK] * 10
    assert qualities[50] == Quality.GOOD


def test_few_readings_far_apart_are_not_stuck() -> None:
    qualities = judged([21.5] * LEAST_READINGS, "stuck: 2", step_us=60 * MIN)
    assert qualities == [Quality.GOOD] * (LEAST_READINGS - 1) + [Quality.STUCK]


def test_a_site_file_switches_both_off() -> None:
    assert set(judged([*wavering(20), 30.0, *[21.5] * 400], "stuck: 0, spike: 0")) == {Quality.GOOD}


def test_one_reading_far_off_both_neighbours_is_a_spike_and_nothing_else_is() -> None:
    assert judged([*wavering(20), 30.0, *wavering(5)]) == [Quality.GOOD] * 20 + [Quality.SPIKE] + [Quality.GOOD] * 5


def settled(values: list[float]) -> list[tuple[int, float, int]]:
    """What was said again: the number of its reading, value, quality."""
    own = QualityJudge(registry(), JournalClock(), allowance_us=2 * 10**6)
    found = []
    for number, value in enumerate(values):
        own.judge(Scan("zone-1", (number + 1) * MIN, True, (PointValue("zone_air_temperature", value),)))
        for scan in own.take_settled():
            assert scan.asset_id == "zone-1"
            assert number == scan.at_us // MIN, "the next reading shows it"
            found += [(scan.at_us // MIN - 1, float(one.value), one.quality) for one in scan.values]
    assert own.take_settled() == ()
    return found


def test_a_step_that_the_next_reading_confirms_is_no_spike() -> None:
    """At first nobody can know; then it is said again, as good, and whoever keeps readings replaces it."""
    step = [*wavering(20), 30.0, 30.1, 30.0]
    assert judged(step) == [Quality.GOOD] * 20 + [Quality.SPIKE] + [Quality.GOOD] * 2
    assert settled(step) == [(20, 30.0, Quality.GOOD)]


def test_a_true_spike_stays_one() -> None:
    assert settled([*wavering(20), 30.0, *wavering(30)]) == []
    assert settled([*wavering(20), 30.0, 11.0, 20.0, 20.1]) == []
    assert settled([*wavering(20), 11.0, 30.0, 30.1]) == [(21, 30.0, Quality.GOOD)], "the second jump was the step"


def test_a_step_is_good_in_the_store_and_does_nothing_twice(tmp_path: Path) -> None:
    own = QualityJudge(registry(), JournalClock(), allowance_us=2 * 10**6)
    store = ParquetStore(tmp_path)
    entries: list[Scan] = []
    values = [*wavering(20), 30.0, 30.1]
    for number, value in enumerate(values):
        scan = own.judge(Scan("zone-1", (number + 1) * MIN, True, (PointValue("zone_air_temperature", value),)))
        assert scan is not None
        entries += [*own.take_settled(), scan]
    SeriesSink(store).take([Commit(number, 0, (entry,)) for number, entry in enumerate(entries, 1)])
    found = store.read("zone-1", "zone_air_temperature", 0, 100 * MIN)
    assert [one.value for one in found] == values
    assert {one.quality for one in found} == {Quality.GOOD}
    again = QualityJudge(registry(), JournalClock(), allowance_us=2 * 10**6)
    for entry in entries:
        again.remember(entry)
    more = Scan("zone-1", 100 * MIN, True, (PointValue("zone_air_temperature", 30.0),))
    assert again.judge(more) == own.judge(more)
    assert again.take_settled() == own.take_settled() == ()
    store.close()


def test_two_spikes_in_a_row_at_different_heights_are_both_spikes() -> None:
    assert judged([*wavering(20), 30.0, 11.0, 20.0])[20:] == [Quality.SPIKE, Quality.SPIKE, Quality.GOOD]


def test_a_sensor_that_always_jumps_has_no_spikes() -> None:
    assert set(judged([18.0, 25.0] * 20)) == {Quality.GOOD}


def test_after_a_gap_nothing_is_a_spike() -> None:
    own = QualityJudge(registry(), JournalClock(), allowance_us=2 * 10**6)
    for at, value in [*enumerate(wavering(20), 1), (20 + 6, 30.0)]:
        scan = own.judge(Scan("zone-1", at * MIN, True, (PointValue("zone_air_temperature", value),)))
        assert scan is not None
        assert scan.values[0].quality == Quality.GOOD


def test_a_restart_remembers_from_the_journal() -> None:
    first = QualityJudge(registry(), JournalClock(), allowance_us=2 * 10**6)
    second = QualityJudge(registry(), JournalClock(), allowance_us=2 * 10**6)
    for at, value in enumerate([*wavering(20), *[21.5] * 31], 1):
        scan = first.judge(Scan("zone-1", at * MIN, True, (PointValue("zone_air_temperature", value),)))
        assert scan is not None
        second.remember(scan)
    more = Scan("zone-1", 60 * MIN, True, (PointValue("zone_air_temperature", 21.5),))
    assert second.judge(more) == first.judge(more)


def test_an_edited_site_keeps_what_is_known_of_a_point_that_stays() -> None:
    own = QualityJudge(registry(), JournalClock(), allowance_us=2 * 10**6)
    for at in range(1, 40):
        own.judge(Scan("zone-1", at * MIN, True, (PointValue("zone_air_temperature", 21.5),)))
    own.use(registry())
    scan = own.judge(Scan("zone-1", 40 * MIN, True, (PointValue("zone_air_temperature", 21.5),)))
    assert scan is not None
    assert scan.values[0].quality == Quality.STUCK


@given(st.lists(st.floats(-17, 49), max_size=60), st.lists(st.integers(1, 60), max_size=60))
def test_messages_that_come_twice_or_too_late_do_not_change_the_others(values: list[float], late: list[int]) -> None:
    plain = QualityJudge(registry(), JournalClock(), allowance_us=2 * 10**6)
    mixed = QualityJudge(registry(), JournalClock(), allowance_us=2 * 10**6)
    for number, value in enumerate(values):
        scan = Scan("zone-1", (number + 1) * MIN, True, (PointValue("zone_air_temperature", value),))
        assert mixed.judge(scan) == plain.judge(scan)
        assert mixed.judge(scan) is None
        for back in late[number : number + 1]:
            mixed.judge(Scan("zone-1", (number + 1 - back) * MIN - 1, True, scan.values))


def test_a_text_has_no_spike() -> None:
    site = SITE.format(more="").replace("zone_air_temperature: {cadence: 60 s, }", "car_status: {stuck: 3}")
    with pytest.raises(InputError, match="is a text"):
        parse_site(site, "site.yaml")
