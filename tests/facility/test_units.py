"""Conversion of units."""

import pytest

from facility.units import UnitError, check_unit, converter


@pytest.mark.parametrize(
    ("source", "target", "given", "expected"),
    [
        ("degF", "degC", 32, 0), ("degF", "degC", 212, 100), ("degC", "K", 0, 273.15), ("ratio", "%", 0.25, 25),
        ("inH2O", "Pa", 1, 249.08891), ("cfm", "m3/h", 100, 169.901), ("bar", "kPa", 3, 300), ("kWh", "J", 1, 3.6e6),
        ("gpm", "m3/h", 10, 2.27125), ("ppm", "ppm", 400, 400), ("l/s", "m3/h", 1, 3.6),
    ],
)  # fmt: skip
def test_a_number_keeps_its_meaning(source: str, target: str, given: float, expected: float) -> None:
    assert converter(source, target)(given) == pytest.approx(expected, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize(("source", "target"), [("degC", "Pa"), ("bool", "%"), ("enum", "degC"), ("W", "kWh")])
def test_what_measures_something_else_is_refused(source: str, target: str) -> None:
    with pytest.raises(UnitError, match="cannot become"):
        converter(source, target)


@pytest.mark.parametrize("name", ["furlongs per fortnightt", "deg C)", "1/0"])
def test_a_unit_we_do_not_know_is_refused_with_advice(name: str) -> None:
    with pytest.raises(UnitError, match="write it like degC"):
        check_unit(name)
