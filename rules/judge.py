"""From one asset's scan to what must be looked at: takes readings into memory, by event time."""

from collections.abc import Mapping

from facility.reading import PointValue, Quality, Value
from rules.judgement import Judgement
from rules.memory import NEVER, AssetMemory, PointMemory
from rules.plan import Feed

IGNORED = (int(Quality.FUTURE), int(Quality.DUPLICATE))
"""Qualities of readings that say nothing about the instant they carry."""

LATE = int(Quality.LATE)
"""What is judged beside good readings, whose quality is 0: late is decided here by event time, and a reading that came
late but in time is a good one."""

SAMPLES, SAMPLE_US = 9, 300_000_000
"""How many readings before the present one are kept as evidence, and how far apart those of a number are."""

HUGE = 1e100
"""No sensor reads that: such numbers, infinite ones among them, are no readings."""


def take_scan(  # noqa: PLR0912 - the hot loop, one pass over the readings
    at_us: int,
    values: Mapping[str, PointValue],
    asset: AssetMemory,
    feeds: Mapping[str, Feed],
    touched: dict[int, Judgement],
) -> None:
    """Remember the readings of one asset at one instant and collect the judgements that their change concerns.

    A reading that is not good, no finite number or of the wrong kind makes its point missing.
    """
    heard = False
    for name, reading in values.items():
        feed = feeds.get(name)
        if feed is None:
            continue
        memory, value, quality = feed.memory, reading.value, reading.quality
        if isinstance(value, str):
            good = feed.is_text and (not quality or quality == LATE)
        else:
            if type(value) is not float:
                value = float(value)
            good = -HUGE < value < HUGE and not feed.is_text and (not quality or quality == LATE)  # so it is no NaN
        if feed.on_quality and (memory.quality != quality or memory.quality_us < at_us - feed.limit_us):
            for judgement in feed.on_quality:
                touched[judgement.index] = judgement
        broken = not good or memory.fresh_until_us < at_us or memory.quality != quality
        changed = broken or memory.value != value
        memory.last, memory.quality, memory.quality_us = value, quality, at_us
        if good:
            heard = memory.seen = True
            if feed.row is not None or feed.is_counter:
                _extend(memory, feed, at_us, value)
            memory.value = memory.last_good = value
            memory.good_us = memory.quiet_from_us = at_us
            memory.fresh_until_us = at_us + feed.limit_us
            if at_us >= memory.sample_us or (changed and feed.is_state):
                _sample(memory, feed, at_us, value)
        else:
            memory.value = None
        if feed.on_return:
            touched.update(feed.on_return)
        if changed:
            watch = feed.watch
            if watch.always:
                touched.update(watch.always)
            if watch.bands and (broken or not watch.low <= value <= watch.high):  # type: ignore[operator]  # a number
                watch.leave(None if broken else value, touched)
    if heard:
        asset.seen, asset.quiet_from_us = True, at_us


def _sample(memory: PointMemory, feed: Feed, at_us: int, value: Value) -> None:
    """Keep a reading for evidence."""
    memory.recent.append((at_us, value))
    memory.sample_us = NEVER if feed.is_state else at_us + SAMPLE_US
    if len(memory.recent) > SAMPLES:
        del memory.recent[0]


def _extend(memory: PointMemory, feed: Feed, at_us: int, value: Value) -> None:
    """Add a good reading to the point's windows; a counter goes on where it was reset or rolled over."""
    before = memory.last_good
    if feed.is_counter and isinstance(value, float):
        if isinstance(before, float) and value < before / 2:
            memory.unrolled += before
        value += memory.unrolled
        before = before + memory.unrolled if isinstance(before, float) else before
    cover_us = at_us - memory.good_us if memory.good_us >= 0 else 0
    if cover_us > feed.limit_us:  # noqa: PLR1730 - min() costs three times as much
        cover_us = feed.limit_us
    if feed.row is not None:
        feed.row.add(at_us, value, 0 if before is None or value == before else 1, cover_us)
