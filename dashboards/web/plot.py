"""Readings as an SVG picture: lines with gaps, states as bands, findings shaded, orders marked. A pure function.

The picture is as wide as its place (x in percent) and has a fixed height, so text keeps its size on a phone.
Colours come from the page's style sheet by class; every text is escaped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from dashboards.web import plot_band, plot_line
from dashboards.web.plot_frame import BOTTOM, LEFT, RIGHT, ROW, TOP, Frame, Mark, PlotSeries, Shade
from dashboards.web.plot_parts import draw_marks, draw_shades, draw_time_axis, draw_value_axis, text
from dashboards.web.ticks import ValueAxis, value_axis
from dashboards.web.wording import format_at, format_unit, format_value, is_nan
from facility.instant import from_us
from facility.reading import Quality, Reading, Value

BAND = 26
MOST_CROSSES = 80
LEAST_SPAN = {"degC": 2.0, "degF": 4.0, "%": 10.0, "ppm": 100.0, "kPa": 20.0, "Pa": 20.0, "lx": 50.0}
"""An axis covers at least this much, so that a sensor's noise does not look like an event."""


@dataclass(frozen=True, slots=True)
class Plot:
    """The SVG text, and what its colours mean: (style class, words)."""

    svg: str
    legend: tuple[tuple[str, str], ...]


def draw_plot(
    key: str,
    title: str,
    series: Sequence[PlotSeries],
    frame: Frame,
    *,
    shades: Sequence[Shade] = (),
    marks: Sequence[Mark] = (),
    height: int = 190,
) -> Plot:
    """One picture of one or more series of the same unit. `key` makes its element ids unique on the page.

    The first series decides whether lines or bands are drawn. Without a believed reading the frame is empty and
    says so.
    """
    if not series:
        msg = "a plot needs at least one series, got none"
        raise ValueError(msg)
    is_band = series[0].is_band
    inner = BAND * len(series) if is_band else max(height - TOP - BOTTOM, 40)
    lines, rows = draw_marks(marks, frame, inner)
    total = TOP + inner + BOTTOM + ROW * rows
    axis = None if is_band else _axis(series, frame, 4 if inner >= 120 else 2)
    drawn, legend = _bands(series, frame) if is_band else ([], [])
    if axis is not None:
        drawn, legend = _lines(series, frame, axis, inner)
    if not drawn:
        drawn = [text(50, TOP + inner / 2 + 4, frame.words("plot.none"), "empty", "middle")]
    about = _describe(series, frame, shades)
    ident = escape(key, quote=True)
    frame_of = f'role="img" width="100%" height="{total}" aria-labelledby="{ident}-t {ident}-d"'
    parts = [
        f'<svg class="plot" xmlns="http://www.w3.org/2000/svg" {frame_of}{_edges(frame, axis, inner, series[0].unit)}>',
        f'<title id="{ident}-t">{escape(title)}</title><desc id="{ident}-d">{escape(about)}</desc>',
        f'<g transform="translate(0 {ROW * rows})">',
        *draw_shades(shades, frame, inner),
        *draw_time_axis(frame, inner),
        *drawn,
        *lines,
        "</g></svg>",
    ]
    return Plot("".join(parts), tuple(legend))


def _edges(frame: Frame, axis: ValueAxis | None, inner: int, unit: str) -> str:
    """What the module that shows the value under the pointer needs to know; nothing for bands."""
    if axis is None:
        return ""
    edges = {
        "from": frame.from_us // 1000, "until": frame.until_us // 1000, "low": axis.low, "high": axis.high,
        "left": LEFT, "right": RIGHT, "top": TOP, "inner": inner, "zone": frame.zone.key, "unit": format_unit(unit),
    }  # fmt: skip
    return "".join(f' data-{name}="{escape(str(value))}"' for name, value in edges.items())


def _axis(series: Sequence[PlotSeries], frame: Frame, count: int) -> ValueAxis | None:
    """The axis of the believed numbers, else of the others; None when there are none at all."""
    numbers = [value for each in series for _, value in plot_line.good_numbers(each, frame)]
    if not numbers:
        bad = [reading.value for each in series for reading in plot_line.bad_numbers(each, frame)]
        numbers = [value for value in bad if not isinstance(value, str) and abs(value) < plot_line.HUGE]
        if not numbers:
            return value_axis(0.0, 1.0, count) if bad else None
    low, high = min(numbers), max(numbers)
    unit = series[0].unit
    if unit == "%" and low >= 0 and high <= 100 and (high - low > 30 or high - low < 0.5):
        low, high = 0.0, 100.0
    room = max(0.0, LEAST_SPAN.get(unit, 0.0) - (high - low)) / 2
    return value_axis(max(low - room, 0.0) if low >= 0 else low - room, high + room, count)


def _lines(
    series: Sequence[PlotSeries], frame: Frame, axis: ValueAxis, inner: int
) -> tuple[list[str], list[tuple[str, str]]]:
    dots = [plot_line.good_numbers(each, frame) for each in series]
    parts = draw_value_axis(axis, inner)
    lines: list[str] = []
    for index, (each, points) in enumerate(zip(series, dots, strict=True)):
        for run in plot_line.runs(points, each.gap_us):
            d = plot_line.path(plot_line.thin(run, frame), frame, axis, inner, stepped=each.is_stepped)
            css = "line ref" if each.is_reference else f"line {each.css or f'l{index}'}"
            line = f'<path class="{css}" d="{d}" fill="none" stroke="currentColor" vector-effect="non-scaling-stroke"/>'
            lines.insert(0, line) if each.is_reference or each.css == "sib" else lines.append(line)
    total = TOP + inner + BOTTOM
    parts.append(
        f'<svg width="100%" height="{total}" viewBox="0 0 10000 {total}" preserveAspectRatio="none">'
        + "".join(lines)
        + "</svg>"
    )
    if dots[0]:
        at_us, value = dots[0][-1]
        y = TOP + inner * (1 - axis.share(value))
        parts.append(f'<circle class="last" cx="{frame.percent(at_us):.2f}%" cy="{y:.1f}" r="3"/>')
    parts += _crosses(
        [reading for each in series for reading in plot_line.bad_numbers(each, frame)], frame, axis, inner
    )
    legend = [("ref" if each.is_reference else f"l{index}", each.label) for index, each in enumerate(series)]
    return parts, legend if len(series) > 1 and not series[0].css else []


def _crosses(bad: Sequence[Reading], frame: Frame, axis: ValueAxis, inner: int) -> list[str]:
    parts = []
    for reading in bad[:: max(1, len(bad) // MOST_CROSSES)]:
        nowhere = isinstance(reading.value, str) or is_nan(reading.value)
        y = TOP + inner * (1.0 if nowhere else 1 - axis.share(float(reading.value)))
        quality = frame.words(f"quality.{int(Quality(reading.quality))}")
        at = format_at(reading.at_us, frame.zone, frame.words, now=from_us(frame.now_us))
        parts.append(
            f'<svg class="cross" x="{frame.percent(reading.at_us):.2f}%" y="{y:.1f}" overflow="visible">'
            f'<title>{escape(f"{at} {quality}")}</title><path d="M-3-3L3 3M3-3L-3 3" stroke="currentColor"/></svg>'
        )
    return parts


def _bands(series: Sequence[PlotSeries], frame: Frame) -> tuple[list[str], list[tuple[str, str]]]:
    parts: list[str] = []
    legend: dict[str, str] = {}
    for lane, each in enumerate(series):
        found = plot_band.stretches(each, frame)
        seen = list(dict.fromkeys(stretch.value for stretch in found))
        y = TOP + lane * BAND
        for stretch in plot_band.thin(found, frame):
            css = f"b{plot_band.band_index(stretch.value, each, seen)}"
            label = format_value(stretch.value, each.unit, frame.words)
            legend.setdefault(css, label)
            left, right = frame.percent(stretch.from_us), frame.percent(stretch.until_us)
            width = max(right - left, 0.2)
            parts.append(
                f'<svg x="{left:.2f}%" y="{y}" width="{width:.2f}%" height="{BAND - 4}"><title>{escape(label)}</title>'
                f'<rect class="{css}" width="100%" height="100%"/>'
                + (f'<text class="state {css}" x="6" y="15">{escape(label)}</text>' if width > 13 else "")
                + "</svg>"
            )
    return parts, sorted(legend.items())


def _describe(series: Sequence[PlotSeries], frame: Frame, shades: Sequence[Shade]) -> str:
    words, now = frame.words, from_us(frame.now_us)
    start = format_at(frame.from_us, frame.zone, words, now=now)
    end = format_at(frame.until_us, frame.zone, words, now=now)
    parts = []
    for each in series if not series[0].css else series[:1]:
        good = plot_line.good_numbers(each, frame)
        texts: list[Value] = [reading.value for reading in each.readings if isinstance(reading.value, str)]
        prefix = f"{each.label}: " if len(series) > 1 else ""
        if good and not each.is_band:
            low, high = min(value for _, value in good), max(value for _, value in good)
            shown = {
                name: format_value(value, each.unit, words)
                for name, value in (("low", low), ("high", high), ("last", good[-1][1]))
            }
            parts.append(prefix + words("plot.about", **{"from": start}, until=end, count=len(good), **shown))
        elif good or texts:
            last = format_value(each.readings[-1].value, each.unit, words)
            about = words("plot.about.text", **{"from": start}, until=end, last=last, count=len(good) or len(texts))
            parts.append(prefix + about)
        else:
            parts.append(prefix + words("plot.none"))
        bad = plot_line.bad_numbers(each, frame)
        if bad:
            parts.append(words("plot.bad", count=len(bad)))
    titles = [
        shade.label
        for shade in shades
        if shade.from_us <= frame.until_us and (shade.until_us is None or shade.until_us >= frame.from_us)
    ]
    if titles:
        parts.append(words("plot.shaded", titles=words("comma").join(dict.fromkeys(titles))))
    return " ".join(parts)
