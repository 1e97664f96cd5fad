"""How long what is kept: the texts of the settings, and when the store looks."""

import pytest

from facility.clock import RealClock
from facility.errors import RetryableError
from ingest.stores.keeping import FIVE_MINUTES_US, GONE, Keep, parse_policy
from ingest.stores.upkeep import AGAIN_S, EVERY_S, FIRST_S, MEANS_FIRST_S, Upkeep

HOUR_US = 3_600_000_000


def test_days_hold_for_every_kind_or_for_the_kinds_that_are_named() -> None:
    policy = parse_policy("90, status=400", "status=500,sensor=200", "0")
    assert policy.of("supply_air_temperature") == Keep(90, 200, 0)
    assert policy.of("supply_fan_status") == Keep(400, 500, 0)
    assert policy.of("water_volume") == Keep(90, 0, 0), "five-minute ones are kept for ever"
    assert policy.of("of no catalogue") == Keep(90, 200, 0), "taken for a sensor"
    assert policy.raw_days == 90
    assert policy.longest() == Keep(400, 0, 0)


@pytest.mark.parametrize("text", ["x", "-1", "sensors=3", "sensor=", "sensor=1.5"])
def test_what_is_no_number_of_days_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no number of days"):
        parse_policy(text, "0", "0")


def test_the_coarser_is_kept_at_least_as_long_as_the_finer() -> None:
    with pytest.raises(ValueError, match=r"sensor: single readings are kept 90 days, five-minute ones 30"):
        parse_policy("90", "30", "0")
    with pytest.raises(ValueError, match="at least as long"):
        parse_policy("0", "30", "0")


def test_what_a_reading_stands_for_by_age() -> None:
    keep = Keep(2, 10, 100)
    assert [keep.span_at(age) for age in (0, 1, 2, 9, 10, 99, 100)] == [
        0, 0, FIVE_MINUTES_US, FIVE_MINUTES_US, HOUR_US, HOUR_US, GONE,
    ]  # fmt: skip
    assert Keep().span_at(100_000) == 0


class CountedStore:
    """Only `thin`: so many pieces, or an error. `roll_up` has never anything to do."""

    def __init__(self, pieces: int) -> None:
        self.pieces, self.asked, self.rolled, self.error = pieces, 0, 0, ""

    def thin(self, now_us: int) -> bool:
        assert now_us > 0
        self.asked += 1
        if self.error:
            raise RetryableError(self.error)
        self.pieces -= 1
        return self.pieces >= 0

    def roll_up(self, now_us: int) -> bool:
        assert now_us > 0
        self.rolled += 1
        return False


def test_it_looks_once_an_hour_and_goes_on_at_once_while_there_is_more(capsys: pytest.CaptureFixture[str]) -> None:
    store, now_s = CountedStore(3), [0.0]

    def elapsed() -> float:
        now_s[0] += 0.05
        return now_s[0]

    upkeep = Upkeep(store, RealClock(), elapsed)
    assert not upkeep.look()
    assert store.asked == 0
    now_s[0] = MEANS_FIRST_S + 1
    assert not upkeep.look()
    assert not upkeep.look()
    assert (store.asked, store.rolled) == (0, 1), "means are looked after sooner, and not at every write"
    now_s[0] = FIRST_S
    while upkeep.look():
        continue
    assert store.asked == 4
    assert not upkeep.look()
    now_s[0] += EVERY_S
    store.error = "InfluxDB is away"
    for _ in range(3):
        upkeep.look()
        now_s[0] += AGAIN_S
    assert store.asked == 7
    assert capsys.readouterr().out.count("old readings are not thinned") == 1, "said once"
