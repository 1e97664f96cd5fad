"""A quantity along a number, and counts by day, as SVG pictures in the style of the other plots. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from dashboards.web.plot_frame import BOTTOM, LEFT, RIGHT, TOP
from dashboards.web.plot_parts import draw_value_axis, text
from dashboards.web.ticks import value_axis
from dashboards.web.wording import format_number

HEIGHT = 190


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a plot: dots (x, y), the smallest x first."""

    label: str
    dots: Sequence[tuple[float, float]]


def draw_curve(key: str, title: str, about: str, curves: Sequence[Curve], mark: tuple[float, str] | None) -> str:
    """Lines along a number, with an upright line at one of its values (value, words). Needs at least one dot."""
    xs = [x for curve in curves for x, _ in curve.dots] + ([mark[0]] if mark is not None else [])
    axis = value_axis(0.0, max((y for curve in curves for _, y in curve.dots), default=0.0), 4)
    low, high = min(xs), max(xs)
    width = (high - low) or 1.0
    inner = HEIGHT - TOP - BOTTOM

    def place(x: float) -> float:
        return LEFT + (RIGHT - LEFT) * (x - low) / width

    def level(y: float) -> float:
        return TOP + inner * (1 - axis.share(y))

    parts = [*draw_value_axis(axis, inner)]
    bottom = TOP + inner
    parts.append(f'<line class="axis" x1="{LEFT:g}%" x2="{RIGHT:g}%" y1="{bottom}" y2="{bottom}"/>')
    for tick in value_axis(low, high, 4).ticks:
        if low <= tick <= high:
            parts.append(
                f'<line class="tick" x1="{place(tick):.2f}%" x2="{place(tick):.2f}%" y1="{bottom}" y2="{bottom + 4}"/>'
            )
            parts.append(text(place(tick), bottom + 16, format_number(tick), "time", "middle"))
    lines, dots = [], []
    for index, curve in enumerate(curves):
        d = "M" + "L".join(f"{place(x) * 100:.0f} {level(y):.1f}" for x, y in curve.dots)
        lines.append(
            f'<path class="line l{index}" d="{d}" fill="none" stroke="currentColor" '
            'vector-effect="non-scaling-stroke"/>'
        )
        for x, y in curve.dots:
            dots.append(
                f'<circle class="dot l{index}" cx="{place(x):.2f}%" cy="{level(y):.1f}" r="3.5" fill="currentColor">'
                f"<title>{escape(f'{format_number(x)}: {format_number(y)}')}</title></circle>"
            )
    parts.append(
        f'<svg width="100%" height="{HEIGHT}" viewBox="0 0 10000 {HEIGHT}" preserveAspectRatio="none">'
        f"{''.join(lines)}</svg>"
    )
    parts += dots
    if mark is not None:
        x = place(mark[0])
        anchor, shift = ("end", -4) if x > 60 else ("start", 4)
        parts.append(f'<line class="mark moment" x1="{x:.2f}%" x2="{x:.2f}%" y1="2" y2="{bottom}"/>')
        parts.append(
            f'<text class="mark moment" x="{x:.2f}%" dx="{shift}" y="11" text-anchor="{anchor}">'
            f"{escape(mark[1])}</text>"
        )
    return _svg(key, title, about, HEIGHT, parts)


def draw_days(key: str, title: str, about: str, days: Sequence[tuple[str, int, int]]) -> str:
    """A pair of bars for each day (label, count behind, count before it); every few have their label."""
    height = 150
    axis = value_axis(0.0, float(max((max(one, other) for _, one, other in days), default=1)), 3)
    inner, bottom = height - TOP - BOTTOM, height - BOTTOM
    parts = [*draw_value_axis(axis, inner)]
    parts.append(f'<line class="axis" x1="{LEFT:g}%" x2="{RIGHT:g}%" y1="{bottom}" y2="{bottom}"/>')
    width = (RIGHT - LEFT) / max(len(days), 1)
    every = max(1, -(-len(days) // 6))
    for index, (label, one, other) in enumerate(days):
        left = LEFT + width * index
        for count, css, share in ((one, "b0", 0.8), (other, "b1", 0.45)):
            tall = inner * axis.share(count)
            room = width * (1 - share) / 2
            parts.append(
                f'<rect class="{css}" x="{left + room:.2f}%" width="{width * share:.2f}%" y="{bottom - tall:.1f}" '
                f'height="{tall:.1f}"><title>{escape(f"{label}: {count}")}</title></rect>'
            )
        if index % every == 0:
            css = "time alt" if (index // every) % 2 else "time"
            parts.append(text(left + width / 2, bottom + 16, label, css, "start" if index == 0 else "middle"))
    return _svg(key, title, about, height, parts)


def _svg(key: str, title: str, about: str, height: int, parts: Sequence[str]) -> str:
    ident = escape(key, quote=True)
    return (
        f'<svg class="plot" xmlns="http://www.w3.org/2000/svg" role="img" width="100%" height="{height}" '
        f'aria-labelledby="{ident}-t {ident}-d"><title id="{ident}-t">{escape(title)}</title>'
        f'<desc id="{ident}-d">{escape(about)}</desc>{"".join(parts)}</svg>'
    )
