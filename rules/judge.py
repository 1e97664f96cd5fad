"""From one asset's scan to what must be looked at: takes readings into memory, by event time."""

from collections.abc import Mapping

from facility.reading import PointValue, Quality, Value
from rules.judgement import Judgement
from rules.memory import NEVER, AssetMemory, PointMemory
from rules.plan import Feed

IGNORED = (int(Quality.FUTURE), int(Quality.DUPLICATE))
"""Qualities of readings that say nothing about the instant they carry."""

BELIEVED = (int(Quality.GOOD), int(Quality.LATE))
"""What is judged. Late is decided here by event time: a reading that came late but in time is a good one."""

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
    for name, reading in values.items():
        feed = feeds.get(name)
        quality = reading.quality
        if feed is None or quality in IGNORED:
            continue
        memory, value = feed.memory, reading.value
        if isinstance(value, int):
            value = float(value)
        if isinstance(value, str):
            good = quality in BELIEVED and feed.is_text
        else:
            good = quality in BELIEVED and not feed.is_text and -HUGE < value < HUGE  # so it is no NaN
        if feed.on_quality and (memory.quality != quality or memory.quality_us < at_us - feed.limit_us):
            for judgement in feed.on_quality:
                touched[judgement.index] = judgement
        broken = not good or memory.fresh_until_us < at_us or memory.quality != quality
        changed = broken or memory.value != value
        memory.last, memory.quality, memory.quality_us = value, quality, at_us
        if good:
            asset.seen = memory.seen = True
            asset.quiet_from_us = memory.quiet_from_us = at_us
            if memory.windows or feed.is_counter:
                _extend(memory, feed, at_us, value)
            memory.value = memory.last_good = value
            memory.good_us = at_us
            memory.fresh_until_us = at_us + feed.limit_us
            if at_us >= memory.sample_us or (changed and feed.is_state):
                _sample(memory, feed, at_us, value)
        else:
            memory.value = None
        for judgement in feed.on_return:
            if judgement.memory.phase:
                touched[judgement.index] = judgement
        if changed:
            watch = feed.watch
            touched.update(watch.always)
            if watch.bands and (broken or not watch.low <= value <= watch.high):  # type: ignore[operator]  # a number
                watch.leave(None if broken else value, touched)


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
    cover = at_us - memory.good_us if memory.good_us >= 0 else 0
    cover = min(cover, feed.limit_us)
    differs = int(before is not None and value != before)
    for window in memory.windows.values():
        window.add(at_us, value, differs, cover)
