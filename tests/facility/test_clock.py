"""The one clock."""

import pytest

from facility.clock import JournalClock, RealClock, ScaledClock


def test_simulated_time_runs_by_its_factor_from_where_it_stopped() -> None:
    wall = [1_000_000]
    clock = ScaledClock(epoch_us=50_000_000, started_us=1_000_000, factor=60, wall_us=lambda: wall[0])
    assert clock.now_us() == 50_000_000
    wall[0] += 2_000_000
    assert clock.now_us() == 170_000_000


@pytest.mark.parametrize("factor", [0, -1, 1e9, float("nan")])
def test_a_factor_that_stops_or_races_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="factor"):
        ScaledClock(0, 0, factor)


def test_the_journal_clock_never_goes_back() -> None:
    clock = JournalClock()
    clock.advance(5)
    clock.advance(3)
    assert clock.now_us() == 5


def test_the_real_clock_is_aware_and_utc() -> None:
    offset = RealClock().now().utcoffset()
    assert offset is not None
    assert not offset
