"""What surrounds the readings of a plot: axes, shaded findings, marked instants. SVG text, everything escaped."""

import math
from collections.abc import Sequence
from html import escape

from dashboards.web.plot_frame import LEFT, RIGHT, ROW, TOP, Frame, Mark, Shade
from dashboards.web.ticks import ValueAxis, time_ticks
from dashboards.web.wording import format_at, format_number
from facility.instant import from_us


def text(x: float, y: float, label: str, css: str, anchor: str) -> str:
    """One text, x in percent and y in pixels."""
    return f'<text class="{css}" x="{x:.2f}%" y="{y:g}" text-anchor="{anchor}">{escape(label)}</text>'


def draw_shades(shades: Sequence[Shade], frame: Frame, inner: int) -> list[str]:
    """A tinted field with a bar on top for each finding that touches the frame."""
    parts = []
    for shade in shades:
        end_us = shade.until_us if shade.until_us is not None else max(frame.now_us, shade.from_us)
        if end_us < frame.from_us or shade.from_us > frame.until_us:
            continue
        left, right = frame.percent(shade.from_us), frame.percent(end_us)
        place = f'x="{left:.2f}%" width="{max(right - left, 0.3):.2f}%"'
        css, title = f"shade {shade.severity.value}", escape(shade.label)
        if shade.is_about:
            parts.append(
                f'<rect class="{css}" {place} y="{TOP - 6}" height="{inner + 6}"><title>{title}</title></rect>'
            )
        parts.append(f'<rect class="{css} top" {place} y="{TOP - 8}" height="3"><title>{title}</title></rect>')
    return parts


CHARACTER = 1.2
"""How much of the width a character of a time takes on a half page, %."""


def draw_time_axis(frame: Frame, inner: int) -> list[str]:
    """The line below with its marks; every second one is of class `alt`, which a narrow place hides. A mark whose
    text would run into the one before has none."""
    bottom = TOP + inner
    parts = [f'<line class="axis" x1="{LEFT:g}%" x2="{RIGHT:g}%" y1="{bottom}" y2="{bottom}"/>']
    taken = 0.0
    for index, tick in enumerate(time_ticks(frame.from_us, frame.until_us, frame.zone, frame.words)):
        x = frame.percent(tick.at_us)
        anchor = "start" if x < LEFT + 3 else "end" if x > RIGHT - 3 else "middle"
        css = f"time{' day' if tick.is_day else ''}{' alt' if index % 2 else ''}"
        parts.append(f'<line class="tick" x1="{x:.2f}%" x2="{x:.2f}%" y1="{bottom}" y2="{bottom + 4}"/>')
        width = CHARACTER * len(tick.label)
        left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * width
        if left >= taken:
            parts.append(text(x, bottom + 16, tick.label, css, anchor))
            taken = left + width
    return parts


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """The figures of an axis; with as many decimals as tell one mark from the next, where short ones do not."""
    short = [format_number(tick) for tick in ticks]
    if len(set(short)) == len(short):
        return short
    decimals = max(0, math.ceil(-math.log10(ticks[1] - ticks[0]) - 1e-9))
    decimals += not math.isclose(round(ticks[1] - ticks[0], decimals), ticks[1] - ticks[0])
    return [f"{tick:,.{decimals}f}" for tick in ticks]


def draw_value_axis(axis: ValueAxis, inner: int) -> list[str]:
    """A line for each mark with its figure above it."""
    parts = []
    for tick, label in zip(axis.ticks, tick_labels(axis.ticks), strict=True):
        y = TOP + inner * (1 - axis.share(tick))
        if tick != axis.ticks[0]:
            parts.append(f'<line class="grid" x1="0" x2="{RIGHT:g}%" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="value" x="0" y="{y - 3:.1f}">{escape(label)}</text>')
    return parts


def draw_marks(marks: Sequence[Mark], frame: Frame, inner: int) -> tuple[list[str], int]:
    """An upright line for each instant inside the frame, its words above; and how many rows the words need."""
    parts = []
    shown = [mark for mark in marks if frame.from_us <= mark.at_us <= frame.until_us]
    ends: list[float] = []
    for mark in sorted(shown, key=lambda each: each.at_us):
        x, css = frame.percent(mark.at_us), f"mark {mark.kind}"
        width = 3.0 + 1.9 * sum(2 if ord(letter) > 0x2E80 else 1 for letter in mark.label)
        anchor, shift = ("end", -4) if x + width > 104 else ("start", 4)
        start = x - width if anchor == "end" else x
        row = next((index for index, end in enumerate(ends) if end <= start), len(ends))
        ends[row : row + 1] = [start + width]
        y = TOP - 8 - ROW * row
        title = f"{mark.label} {format_at(mark.at_us, frame.zone, frame.words, now=from_us(frame.now_us))}"
        parts.append(
            f'<line class="{css}" x1="{x:.2f}%" x2="{x:.2f}%" y1="{y - 10}" y2="{TOP + inner}">'
            f"<title>{escape(title)}</title></line>"
        )
        place = f'x="{x:.2f}%" dx="{shift}" y="{y - 2}" text-anchor="{anchor}"'
        parts.append(f'<text class="{css}" {place}>{escape(mark.label)}</text>')
    return parts, len(ends)
