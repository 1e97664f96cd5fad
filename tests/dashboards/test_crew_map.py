"""The map of who is where: names in a circle, bars on one scale, more people than a row holds, texts escaped."""

import re

import pytest

from dashboards.web.crew_map import Face, Place, draw_places, short_name


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Li Wei", "LW"),
        ("li.na", "LN"),
        ("Anna Maria Berg", "AM"),
        ("王伟", "王伟"),
        ("欧阳娜娜", "娜娜"),
        ("x", "X"),
        ("-", "?"),
    ],
)
def test_a_circle_holds_two_letters_of_a_name(name: str, short: str) -> None:
    assert short_name(name) == short


def test_bars_share_a_scale_and_the_late_part_is_a_part_of_them() -> None:
    places = [Place("/a", "A", 8, 2, [], "A: 8"), Place("/b", "B", 4, 4, [], "B: 4"), Place("/c", "C", 0, 0, [], "C")]
    svg = draw_places(places, "House")
    bars = [(kind, float(width)) for kind, width in re.findall(r'class="(load|late)"[^/]*width="([\d.]+)"', svg)]
    assert bars == [("load", 64.0), ("late", 16.0), ("load", 32.0), ("late", 32.0)]
    assert "NaN" not in draw_places([], "House")


def test_more_people_than_a_row_holds_are_counted_and_texts_are_escaped() -> None:
    faces = [Face(f"P{n}", n == 0) for n in range(7)]
    svg = draw_places([Place('/x?"', "<b> & a name that is too long", 1, 0, faces, '"<all>"')], "<House>")
    assert svg.count("<circle") == 3
    assert svg.count('class="there"') == 1
    assert ">+4<" in svg
    for raw in ("<b>", "<all>", "<House>", '?""'):
        assert raw not in svg
