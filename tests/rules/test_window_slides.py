"""A window that slid for long gives what a window filled with the same readings gives, to the last bit."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.window import Window

LENGTH_US = 512_000
STEPS = st.lists(
    st.tuples(
        st.integers(1, 90_000),
        st.floats(-1e9, 1e9) | st.sampled_from([0.1, 20.1, 0.0, -0.0, 1e-9, 1e99]),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=120,
)
ASKED = ("mean", "total", "lowest", "highest", "deviation", "earlier", "delta", "changes")


@settings(deadline=None)
@given(STEPS, st.integers(0, 2 * LENGTH_US), st.booleans())
def test_sliding_leaves_no_trace(steps: list[tuple[int, float, int]], later_us: int, restart: bool) -> None:
    slid, at_us = Window(LENGTH_US), 0
    slid.keep_extremes()
    for index, (step_us, value, changed) in enumerate(steps):
        if restart and index == len(steps) // 2:
            slid.restart()
        at_us += step_us
        slid.add(at_us, value, changed, step_us)
        slid.trim(at_us)
    slid.trim(at_us + later_us)
    fresh = msgspec.msgpack.decode(msgspec.msgpack.encode(slid), type=Window)
    fresh.keep_extremes()
    assert {name: getattr(fresh, name)() for name in ASKED} == {name: getattr(slid, name)() for name in ASKED}
    assert fresh.ready(at_us + later_us) == slid.ready(at_us + later_us)


@settings(deadline=None)
@given(st.floats(-1e9, 1e9).filter(lambda value: abs(value) > 1e-3), st.integers(1, 40))
def test_the_mean_of_equal_readings_is_that_reading(value: float, count: int) -> None:
    window = Window(LENGTH_US)
    for index in range(count):
        window.add(index * 10_000, value, 0, 10_000)
        window.trim(index * 10_000)
    assert window.mean() == value
