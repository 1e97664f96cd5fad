"""Windows that share one row of sums give what each gives alone with its buckets, to the last bit."""

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.row import Row, Span
from rules.window import Window

LENGTHS_US = (1, 60_000_000, 300_000_000, 3_600_000_000, 40_000_000_000)
ASKED = ("mean", "total", "lowest", "highest", "deviation", "earlier", "delta", "rate", "changes")
VALUES = (0.0, -0.0, 0.1, 20.1, 1e-9, -3e8, 1e99, "open")


def told(window: Window, now_us: int) -> list[object]:
    """Everything one can ask of a window, asked of its span while it has one."""
    asked: Window | Span = window.span or window
    asked.trim(now_us)
    return [asked.ready(now_us), asked.started_us, *(getattr(asked, name)() for name in ASKED)]


def windows(lengths: tuple[int, ...]) -> list[Window]:
    """New ones, asked for extremes too."""
    found = [Window(length_us) for length_us in lengths]
    for window in found:
        window.keep_extremes()
    return found


def spans_of(shared: list[Window]) -> int:
    """How many of them share the row."""
    return sum(window.span is not None for window in shared)


def bound_anew(shared: list[Window], rng: random.Random) -> list[Window]:
    """A snapshot is written; another engine goes on from it, or this one, sometimes with the rules bound anew."""
    for window in shared:
        window.write_out()
    if rng.random() < 0.5:
        shared = [msgspec.msgpack.decode(msgspec.msgpack.encode(window), type=Window) for window in shared]
        for window in shared:
            window.keep_extremes()
        return shared
    for window in shared:
        window.written()
        if rng.random() < 0.5:
            window.come_back()
    return shared


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1 << 30), st.sampled_from([1, 30, 60, 600]))
def test_sharing_a_row_changes_nothing(seed: int, pace: int) -> None:
    rng, at_us, spans = random.Random(seed), 1_760_000_000_000_000, 0
    shared, alone = windows(LENGTHS_US[:4]), windows(LENGTHS_US[:4])
    row = Row(shared)
    for _ in range(400):
        event = rng.random()
        if event < 0.01:
            row.restart()
            for window in alone:
                window.restart()
        elif event < 0.05:
            shared = bound_anew(shared, rng)
            if event < 0.02 and len(shared) < len(LENGTHS_US):
                shared, alone = [*shared, *windows(LENGTHS_US[4:])], [*alone, *windows(LENGTHS_US[4:])]
            for window in shared:
                window.come_back()
            row = Row(shared)
        at_us += int(pace * rng.choice([1, 1, 1, 1, 1, 1, 0.4, 2.7, 12]) * 1_000_000) + rng.randrange(3)
        value, changed, cover_us = rng.choice(VALUES), int(rng.random() < 0.5), rng.randrange(pace * 1_000_000)
        row.add(at_us, value, changed, cover_us)
        for window in alone:
            window.add(at_us, value, changed, cover_us)
        spans += spans_of(shared)
        if rng.random() < 0.5:
            now_us = at_us + rng.choice([0, 0, 0, pace * 500_000])
            assert [told(one, now_us) for one in shared] == [told(one, now_us) for one in alone]
            at_us = now_us
    assert spans, "no window ever shared the row"


def test_a_window_shares_the_row_again_when_its_shared_buckets_are_gone() -> None:
    (window,), at_us = windows((60_000_000,)), 0
    row = Row([window])
    row.add(at_us, 1.0, 0, 0)
    row.add(at_us + 1_000, 2.0, 1, 1_000)
    assert told(window, at_us + 1_000)[-1] == 1.0
    assert not spans_of([window])
    for _ in range(200):
        at_us += 1_000_000
        row.add(at_us, 1.0, 0, 1_000_000)
    assert spans_of([window])
    assert len(row.entries) < 200


def test_a_snapshot_holds_no_more_of_a_window_than_its_length() -> None:
    (window,) = windows((60_000_000,))
    row = Row([window])
    for second in range(0, 900, 20):  # and nobody asks
        row.add(second * 1_000_000, 1.0, 0, 20_000_000)
    window.write_out()
    assert [bucket.at_us for bucket in window.buckets] == [840_000_000, 860_000_000, 880_000_000]
    assert window.before is not None
    assert window.before.at_us == 820_000_000
