"""Numbers as lines: runs without gaps, thinned to what a screen can show without losing a spike. Pure."""

from collections.abc import Sequence

from dashboards.web.plot_frame import TOP, Frame, PlotSeries
from dashboards.web.ticks import ValueAxis
from facility.reading import Quality, Reading

COLUMNS = 900
HUGE = 1e100
"""Numbers beyond it (infinity among them) are nothing to draw."""
Dot = tuple[int, float]


def good_numbers(series: PlotSeries, frame: Frame) -> list[Dot]:
    """The believed numbers inside the frame as (instant, value); NaN and huge ones are nothing to draw."""
    return [
        (reading.at_us, reading.value)
        for reading in series.readings
        if reading.quality == Quality.GOOD
        and not isinstance(reading.value, str)
        and abs(reading.value) < HUGE
        and frame.from_us <= reading.at_us <= frame.until_us
    ]


def bad_numbers(series: PlotSeries, frame: Frame) -> list[Reading]:
    """The readings inside the frame that are not believed."""
    return [
        reading
        for reading in series.readings
        if reading.quality != Quality.GOOD and frame.from_us <= reading.at_us <= frame.until_us
    ]


def runs(dots: Sequence[Dot], gap_us: int) -> list[list[Dot]]:
    """Cut where two neighbours are further apart than `gap_us`."""
    found: list[list[Dot]] = []
    for dot in dots:
        if found and dot[0] - found[-1][-1][0] <= gap_us:
            found[-1].append(dot)
        else:
            found.append([dot])
    return found


def thin(dots: Sequence[Dot], frame: Frame) -> list[Dot]:
    """For each column of the screen at most first, lowest, highest and last, in time order."""
    if len(dots) <= 2 * COLUMNS:
        return list(dots)
    kept: list[Dot] = []
    column: list[Dot] = []
    at = -1
    for dot in dots:
        here = int(frame.share(dot[0]) * COLUMNS)
        if here != at and column:
            kept += _extremes(column)
            column = []
        at = here
        column.append(dot)
    return kept + _extremes(column)


def _extremes(column: list[Dot]) -> list[Dot]:
    lowest = min(column, key=lambda dot: dot[1])
    highest = max(column, key=lambda dot: dot[1])
    return sorted({column[0], lowest, highest, column[-1]})


def path(dots: Sequence[Dot], frame: Frame, axis: ValueAxis, height: float, *, stepped: bool) -> str:
    """The `d` of an SVG path, x in hundredths of a percent of the width, y in pixels; one dot draws as a dot."""
    parts: list[str] = []
    for index, (at_us, value) in enumerate(dots):
        x = round(frame.percent(at_us) * 100)
        y = round(TOP + height * (1 - axis.share(value)), 1)
        if index == 0:
            parts.append(f"M{x} {y:g}")
        elif stepped:
            parts.append(f"H{x}V{y:g}")
        else:
            parts.append(f"L{x} {y:g}")
    if len(dots) == 1:
        parts.append("h0")
    return "".join(parts)
