"""Plots: gaps stay gaps, bad readings are marked and never joined, states are bands, texts are escaped."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.web.language import Words
from dashboards.web.plot import Plot, draw_plot
from dashboards.web.plot_frame import Frame, Mark, PlotSeries, Shade
from dashboards.web.plot_parts import tick_labels
from dashboards.web.ticks import time_ticks, value_axis
from facility.finding import Severity
from facility.instant import from_us, to_us
from facility.reading import Quality, Reading, Value

MINUTE = 60_000_000
START = to_us(datetime(2026, 11, 21, 0, 0, tzinfo=UTC))
SHANGHAI = ZoneInfo("Asia/Shanghai")
EN = Words("en")


def frame(minutes: int = 60, zone: ZoneInfo = SHANGHAI) -> Frame:
    return Frame(START, START + minutes * MINUTE, START + minutes * MINUTE, zone, EN)


def series(values: Sequence[Value | None], unit: str = "degC", bad: Sequence[int] = (), **more: object) -> PlotSeries:
    readings = [
        Reading("a", "p", START + index * MINUTE, value, Quality.SPIKE if index in bad else Quality.GOOD)
        for index, value in enumerate(values)
        if value is not None
    ]
    enumeration = more.get("enumeration", ())
    assert isinstance(enumeration, tuple)
    return PlotSeries(
        "Point", unit, readings, timedelta(minutes=1), values=enumeration,
        is_stepped=bool(more.get("stepped")), is_reference=bool(more.get("reference")),
    )  # fmt: skip


def draw(*drawn: PlotSeries, shades: Sequence[Shade] = (), marks: Sequence[Mark] = ()) -> tuple[Plot, ET.Element]:
    plot = draw_plot("k", "Asset: Point", drawn, frame(), shades=shades, marks=marks)
    return plot, ET.fromstring(plot.svg)  # noqa: S314 - our own text, parsed to prove that it is well-formed


def paths(svg: ET.Element) -> list[str]:
    return [each.get("d", "") for each in svg.iter("{http://www.w3.org/2000/svg}path") if each.get("class")]


def test_a_gap_in_the_data_is_a_gap_in_the_line() -> None:
    _, svg = draw(series([20.0, 21.0, 22.0, None, None, None, None, 20.0, 19.0]))
    assert len(paths(svg)) == 2
    _, joined = draw(series([20.0, 21.0, None, None, 22.0]))
    assert len(paths(joined)) == 1


def test_a_lonely_reading_is_drawn_as_a_dot() -> None:
    _, svg = draw(series([20.0, None, None, None, None, None, 21.0]))
    assert [path.endswith("h0") for path in paths(svg)] == [True, True]


def test_a_bad_reading_is_marked_and_neither_joined_nor_scaled_to() -> None:
    plot, svg = draw(series([20.0, 20.5, 999.0, 20.2, 20.1], bad=[2]))
    assert plot.svg.count('class="cross"') == 1
    assert "Spike" in plot.svg
    assert len(re.findall("[ML]", paths(svg)[0])) == 4
    assert float(svg.get("data-high", "")) < 30
    assert "Bad readings: 1" in plot.svg


def test_not_a_number_is_nothing_to_draw() -> None:
    _, svg = draw(series([20.0, math.nan, math.inf, 20.0]))
    assert "nan" not in "".join(paths(svg)).lower()
    plot, _ = draw(series([math.nan, math.nan]))
    assert "No readings in this span" in plot.svg
    draw(series([math.nan, 5.0], bad=[0, 1]))


def test_no_readings_say_so() -> None:
    plot, svg = draw(series([]))
    assert plot.svg.count("No readings in this span") == 2
    assert svg.get("role") == "img"


def test_states_are_bands_with_a_legend_and_end_at_a_gap() -> None:
    states: list[Value | None] = [*["closed"] * 10, *["open"] * 5, *[None] * 20, *["closed"] * 10]
    plot, svg = draw(series(states, "enum", enumeration=("closed", "open")))
    rects = [each for each in svg.iter("{http://www.w3.org/2000/svg}rect") if (each.get("class") or "").startswith("b")]
    assert [each.get("class") for each in rects] == ["b0", "b1", "b0"]
    assert plot.legend == (("b0", "closed"), ("b1", "open"))
    widths = [float(each.get("width", "").rstrip("%")) for each in svg.iter("{http://www.w3.org/2000/svg}svg")][1:]
    assert widths[0] == pytest.approx(10 / 60 * 90, abs=0.1)
    assert widths[1] == pytest.approx(7 / 60 * 90, abs=0.1)


def test_a_short_state_in_a_long_time_stays_visible() -> None:
    values: list[Value | None] = [float(index % 2) for index in range(3000)]
    readings = [Reading("a", "p", START + index * MINUTE, value or 0.0) for index, value in enumerate(values)]
    readings[1501] = Reading("a", "p", START + 1501 * MINUTE, 2.0)
    rare = PlotSeries("Point", "code", readings, timedelta(minutes=1))
    plot = draw_plot("k", "t", [rare], frame(3000))
    assert "b2" in dict(plot.legend)
    assert plot.svg.count("<rect") < 500


def test_many_readings_are_thinned_and_keep_their_spike() -> None:
    readings = [Reading("a", "p", START + index * 1_000_000, 20.0) for index in range(43_200)]
    readings[30_001] = Reading("a", "p", START + 30_001 * 1_000_000, 80.0)
    long = PlotSeries("Point", "kPa", readings, timedelta(seconds=1))
    svg = ET.fromstring(draw_plot("k", "t", [long], frame(720)).svg)  # noqa: S314 - our own text
    path = paths(svg)[0]
    assert len(path) < 60_000
    ys = [float(pair.split()[1]) for pair in re.findall(r"[ML]([\d.]+ [\d.]+)", path)]
    assert min(ys) < max(ys) - 50


def test_a_set_point_is_a_dashed_reference_with_a_legend() -> None:
    plot, _ = draw(series([20.0, 21.0]), series([22.0, 22.0], reference=True, stepped=True))
    assert [css for css, _ in plot.legend] == ["l0", "ref"]
    assert plot.svg.index("line ref") < plot.svg.index("line l0")


def test_findings_are_shaded_and_orders_marked_inside_the_frame_only() -> None:
    shades = [
        Shade(START + 10 * MINUTE, None, "Too warm", Severity.HIGH),
        Shade(START - 99 * MINUTE, START - 50 * MINUTE, "Long ago", Severity.LOW),
        Shade(START, START + MINUTE, "Elsewhere", Severity.MEDIUM, is_about=False),
    ]
    marks = [Mark(START + 20 * MINUTE, "WO-000001"), Mark(START + 900 * MINUTE, "WO-000002")]
    plot, _ = draw(series([20.0] * 60), shades=shades, marks=marks)
    assert plot.svg.count('class="shade high') == 2
    assert plot.svg.count('class="shade medium') == 1
    assert "Long ago" not in plot.svg
    assert "WO-000001" in plot.svg
    assert "WO-000002" not in plot.svg
    assert "Shaded: Too warm, Elsewhere." in plot.svg


def test_words_of_marks_close_together_stand_in_rows() -> None:
    marks = [Mark(START + (20 + index) * MINUTE, f"WO-00000{index}") for index in range(3)]
    one, _ = draw(series([20.0] * 60), marks=marks[:1])
    three, _ = draw(series([20.0] * 60), marks=marks)
    heights = [int(re.findall(r'height="(\d+)"', each.svg)[0]) for each in (one, three)]
    assert heights[1] - heights[0] == 28


def test_every_text_of_a_plot_is_escaped() -> None:
    nasty = '<script>"&</script>'
    drawn = PlotSeries(nasty, nasty, [Reading("a", "p", START, nasty)], timedelta(minutes=1))
    shade, mark = Shade(START, None, nasty, Severity.LOW), Mark(START, nasty)
    for each in (drawn, PlotSeries(nasty, "enum", drawn.readings, timedelta(minutes=1), (nasty,))):
        plot = draw_plot(nasty, nasty, [each], frame(), shades=[shade], marks=[mark])
        ET.fromstring(plot.svg)  # noqa: S314 - our own text, parsed to prove that it is well-formed
        assert "<script" not in plot.svg


def test_a_plot_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one series"):
        draw_plot("k", "t", [], frame())
    with pytest.raises(ValueError, match="covers no time"):
        Frame(START, START, START, SHANGHAI, EN)
    with pytest.raises(ValueError, match="expected order, due or moment"):
        Mark(START, "x", "other")


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.floats(), st.floats(-1e-5, 1e-5), st.just(7.0)), max_size=40),
    st.sampled_from(["degC", "%", "bool", "count", ""]),
    st.sets(st.integers(0, 40)),
)
def test_any_readings_make_a_well_formed_picture(values: list[float], unit: str, bad: set[int]) -> None:
    plot, svg = draw(series(values, unit, bad=sorted(bad)))
    assert svg.tag.endswith("svg")
    assert "nan" not in re.sub(r"<(title|desc|text)[^>]*>.*?</\1>", "", plot.svg).lower()


@settings(deadline=None)
@given(st.floats(-1e12, 1e12), st.floats(0, 1e9), st.integers(2, 8))
def test_an_axis_holds_its_values_with_few_round_marks(low: float, span: float, count: int) -> None:
    axis = value_axis(low, low + span, count)
    unseen = 1e-6 * max(1, abs(low), span)
    assert axis.low <= low + unseen
    assert axis.high >= low + span - unseen
    assert axis.low < axis.high
    assert 2 <= len(axis.ticks) <= count + 4


@settings(deadline=None)
@given(
    st.integers(0, 4 * 10**9),
    st.integers(1, 400 * 86_400),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns"]),
)
def test_time_marks_are_few_in_order_and_inside(start: int, seconds: int, zone: str) -> None:
    ticks = time_ticks(start * 1_000_000, (start + seconds) * 1_000_000, ZoneInfo(zone), EN)
    instants = [tick.at_us for tick in ticks]
    assert instants == sorted(set(instants))
    assert len(ticks) <= 9
    assert all(start * 1_000_000 <= each <= (start + seconds) * 1_000_000 for each in instants)


def test_time_marks_are_round_local_times_also_across_a_clock_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = to_us(datetime(2026, 10, 24, 12, 0, tzinfo=UTC))
    ticks = time_ticks(start, start + 24 * 60 * MINUTE, berlin, EN)
    assert [from_us(tick.at_us).astimezone(berlin).minute for tick in ticks] == [0] * len(ticks)
    assert "25 Oct" in [tick.label for tick in ticks]
    assert [tick.label for tick in ticks if not tick.is_day][-1] == "12:00"


def test_a_time_that_would_run_into_the_date_before_it_is_left_out() -> None:
    # 07:28 to 10:32 in Shanghai: the first mark carries the date, and half an hour is a sixth of the width
    start = START - 32 * MINUTE
    narrow = Frame(start, start + 184 * MINUTE, start + 184 * MINUTE, SHANGHAI, EN)
    svg = ET.fromstring(draw_plot("k", "a", [series([20.0] * 90)], narrow).svg)  # noqa: S314 - as above
    texts = [each for each in svg.iter("{http://www.w3.org/2000/svg}text") if "time" in each.get("class", "")]
    assert [each.text for each in texts][:2] == ["21 Nov 07:30", "08:30"]
    assert len(texts) > 4


def test_marks_close_together_on_large_numbers_are_told_apart() -> None:
    assert tick_labels(value_axis(4000.01, 4000.19).ticks) == [
        "4,000.00",
        "4,000.05",
        "4,000.10",
        "4,000.15",
        "4,000.20",
    ]
    assert tick_labels(value_axis(12000.2, 12007.0).ticks) == ["12,000", "12,002", "12,004", "12,006", "12,008"]
