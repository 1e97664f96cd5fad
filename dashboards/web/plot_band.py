"""States as bands: one stretch per state, and rare states stay visible however short they were. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.web.plot_frame import Frame, PlotSeries
from dashboards.web.wording import is_nan
from facility.reading import Quality, Value

COLUMNS = 400


@dataclass(frozen=True, slots=True)
class Stretch:
    """A state from one instant to another, microseconds."""

    from_us: int
    until_us: int
    value: Value


def stretches(series: PlotSeries, frame: Frame) -> list[Stretch]:
    """Believed states inside the frame, each held until the next reading but not over a gap, equal ones united."""
    good = [
        (reading.at_us, reading.value)
        for reading in series.readings
        if reading.quality == Quality.GOOD and not is_nan(reading.value) and reading.at_us <= frame.until_us
    ]
    found: list[Stretch] = []
    for index, (at_us, value) in enumerate(good):
        end = good[index + 1][0] if index + 1 < len(good) else min(frame.until_us, max(frame.now_us, at_us))
        end = min(end, at_us + series.gap_us)
        if end < frame.from_us:
            continue
        start = max(at_us, frame.from_us)
        if found and found[-1].value == value and found[-1].until_us >= start:
            found[-1] = Stretch(found[-1].from_us, end, value)
        else:
            found.append(Stretch(start, end, value))
    return found


def thin(found: Sequence[Stretch], frame: Frame) -> list[Stretch]:
    """At most one stretch a column; where several states share a column the rarest of the whole frame is shown."""
    if len(found) <= COLUMNS:
        return list(found)
    dwell: Counter[Value] = Counter()
    for each in found:
        dwell[each.value] += max(1, each.until_us - each.from_us)
    columns: dict[int, Value] = {}
    for each in found:
        first, last = int(frame.share(each.from_us) * COLUMNS), int(frame.share(each.until_us) * COLUMNS)
        for column in range(first, max(first + 1, last)):
            if column not in columns or dwell[each.value] < dwell[columns[column]]:
                columns[column] = each.value
    width = (frame.until_us - frame.from_us) / COLUMNS
    merged: list[Stretch] = []
    for column, value in sorted(columns.items()):
        start, end = frame.from_us + round(column * width), frame.from_us + round((column + 1) * width)
        if merged and merged[-1].value == value and merged[-1].until_us == start:
            merged[-1] = Stretch(merged[-1].from_us, end, value)
        else:
            merged.append(Stretch(start, end, value))
    return merged


def band_index(value: Value, series: PlotSeries, seen: Sequence[Value]) -> int:
    """Which of the eight colours a state has: its place in the enumeration, else in the order it was seen."""
    if isinstance(value, str) and value in series.values:
        return series.values.index(value) % 8
    if series.unit == "bool":
        return 1 if value else 0
    return list(seen).index(value) % 8
