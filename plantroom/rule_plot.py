"""The picture of a rule that fires: the series of its first firing test, and when the finding is raised and cleared."""

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from dashboards.web.language import Words
from dashboards.web.plot import Plot, draw_plot
from dashboards.web.plot_frame import Frame, Mark, PlotSeries, Shade
from facility.catalogue import point_types
from facility.finding import Severity
from facility.instant import parse_instant, to_us
from facility.reading import Reading
from rules.scenario_file import ExpectedEntry, ScenarioEntry, parse_series

WIDTH, HEIGHT, TITLE = 720, 110, 18
MOST_SERIES, MOST_DOTS = 6, 160
_STYLE = (
    "text{font:11.5px sans-serif;fill:#475467}.strong{font-weight:600;fill:#101828}.grid{stroke:#e4e7ec}"
    ".axis,.tick{stroke:#98a2b3}.line{stroke-width:1.8}.l0{stroke:#175cd3}.last{fill:#175cd3}.cross{color:#b42318}"
    ".shade{opacity:.13;fill:#b42318}.shade.top{opacity:.9}line.mark{stroke:#101828;stroke-dasharray:3 3}"
    ".b0{fill:#d0d5dd}.b1{fill:#175cd3}.b2{fill:#b54708}.b3{fill:#067647}.b4{fill:#5925dc}.b5{fill:#c11574}"
    ".b6{fill:#026aa2}.b7{fill:#7a5af8}text.state{fill:#fff}text.state.b0{fill:#101828}.plot{color:#175cd3}"
)


def firing_example(tests: list[ScenarioEntry]) -> tuple[ScenarioEntry, ExpectedEntry] | None:
    """The first test that expects a finding, and that finding; None when no test does."""
    for test in tests:
        if isinstance(test.expect, list) and test.expect and test.series:
            return test, min(test.expect, key=lambda item: item.at)
    return None


@dataclass(frozen=True, slots=True)
class ExamplePlot:
    """One point of the example: its name, its unit ("" where it has none to speak of), its picture."""

    point: str
    unit: str
    plot: Plot


def example_plots(
    rule_id: str, severity: Severity, test: ScenarioEntry, found: ExpectedEntry, words: Words
) -> list[ExamplePlot]:
    """A picture a point, at most six of them, in a page's style; raised and cleared are shaded and marked."""
    start_us = to_us(parse_instant(test.start))
    step_us = test.step // timedelta(microseconds=1)
    series = {name: parse_series(text) for name, text in list(test.series.items())[:MOST_SERIES]}
    steps = max(1, *(len(values) for values in series.values()))
    last_us = max(steps * step_us + test.go_on // timedelta(microseconds=1), _us(found.at) + step_us)
    first_us = max(0, _us(found.at) - MOST_DOTS // 2 * step_us) if steps > MOST_DOTS else 0
    last_us = min(last_us, first_us + MOST_DOTS * step_us) if steps > MOST_DOTS else last_us
    frame = Frame(start_us + first_us, start_us + last_us, start_us + last_us, ZoneInfo(test.zone), words)
    cleared_us = start_us + _us(found.cleared) if found.cleared is not None else None
    raised_us = start_us + _us(found.at)
    shades = [Shade(raised_us, cleared_us, words("finding"), severity)]
    marks = [Mark(raised_us, words("rules.raised"))]
    plots = []
    for name, values in series.items():
        kind = point_types()[name]
        readings = [
            Reading("asset", name, start_us + index * step_us, *step)
            for index, step in enumerate(values)
            if step is not None and first_us <= index * step_us <= last_us
        ]
        line = PlotSeries(name, kind.unit, readings, test.cadence or test.step, kind.values, kind.kind != "sensor")
        plot = draw_plot(f"{rule_id}-{name}", name, [line], frame, shades=shades, marks=marks, height=HEIGHT)
        plots.append(ExamplePlot(name, "" if kind.unit in ("bool", "enum", "text", "code") else kind.unit, plot))
    return plots


def draw_example(rule_id: str, severity: Severity, test: ScenarioEntry, found: ExpectedEntry) -> str:
    """One SVG that stands alone: a row a point, in English."""
    parts, top = [], 0
    for one in example_plots(rule_id, severity, test, found, Words("en")):
        height = int(one.plot.svg.split('height="', 1)[1].split('"', 1)[0])
        unit = f" ({one.unit})" if one.unit else ""
        parts.append(f'<text class="strong" x="6" y="{top + 13}">{one.point}{unit}</text>')
        parts.append(f'<svg y="{top + TITLE}">{one.plot.svg}</svg>')
        top += TITLE + height
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}">'
    return f'{head}<style>{_STYLE}</style><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'


def _us(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
