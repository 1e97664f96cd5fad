"""Plots of a report as SVG, drawn here: a line of a figure over periods with its target, and bars of groups. Pure."""

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 320, 150, 40, 10, 24, 22
Dot = tuple[float, float]


def line_plot(title: str, points: Sequence[tuple[str, float | None]], unit: str, target: float | None) -> str:
    """A figure over periods (label, value); a gap where there is none, a dashed line at its target."""
    known = [value for _, value in points if value is not None]
    low, high = _range([*known, *([target] if target is not None else [])])
    step = (WIDTH - LEFT - RIGHT) / max(1, len(points) - 1)
    dots = [(LEFT + index * step, _y(value, low, high)) if value is not None else None
            for index, (_, value) in enumerate(points)]  # fmt: skip
    parts = [_frame(title, low, high, unit)]
    if target is not None:
        y = _y(target, low, high)
        parts.append(f'<line class="target" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
    parts += [f'<polyline class="line" points="{_path(run)}"/>' for run in _runs(dots) if len(run) > 1]
    parts += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for run in _runs(dots) for x, y in run]
    for index in sorted({0, len(points) // 2, len(points) - 1}):
        anchor = "start" if index == 0 else "end" if index == len(points) - 1 else "middle"
        x = LEFT + index * step
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{escape(points[index][0])}</text>')
    return _svg(title, HEIGHT, parts)


def bar_plot(title: str, bars: Sequence[tuple[str, float]], unit: str) -> str:
    """A bar for each group (name, value from 0), the longest as wide as there is room."""
    height = TOP + 18 * max(1, len(bars)) + 4
    most = max((value for _, value in bars), default=0.0) or 1.0
    parts = [f'<text class="title" x="4" y="14">{escape(title)}</text>']
    for index, (name, value) in enumerate(bars):
        y = TOP + 18 * index
        width = 150 * max(0.0, value) / most
        parts.append(f'<text x="112" y="{y + 11}" text-anchor="end">{escape(name[:18])}</text>')
        parts.append(f'<rect class="bar" x="116" y="{y + 2}" width="{width:.1f}" height="12"/>')
        parts.append(f'<text x="{120 + width:.1f}" y="{y + 11}">{_number(value)} {escape(unit)}</text>')
    return _svg(title, height, parts)


def _svg(title: str, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" '
        f'viewBox="0 0 {WIDTH} {height}">{"".join(parts)}</svg>'
    )


def _frame(title: str, low: float, high: float, unit: str) -> str:
    middle = (low + high) / 2
    lines = [f'<text class="title" x="4" y="14">{escape(title)} ({escape(unit)})</text>' if unit else
             f'<text class="title" x="4" y="14">{escape(title)}</text>']  # fmt: skip
    for value in (low, middle, high):
        y = _y(value, low, high)
        lines.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{LEFT - 4}" y="{y + 3:.1f}" text-anchor="end">{_number(value)}</text>')
    return "".join(lines)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low - 1, high + 1) if low == high else (low, high)


def _y(value: float, low: float, high: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)


def _runs(dots: Sequence[Dot | None]) -> list[list[Dot]]:
    runs: list[list[Dot]] = [[]]
    for dot in dots:
        if dot is None:
            runs.append([])
        else:
            runs[-1].append(dot)
    return [run for run in runs if run]


def _path(dots: Sequence[Dot]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")
