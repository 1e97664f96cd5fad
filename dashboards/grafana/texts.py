"""How the texts of a point are shown: its values in the catalogue, each with its colour."""

from collections.abc import Iterable

from dashboards.grafana.panels import BLUE, GREEN, GREY, ORANGE, RED
from facility.catalogue import point_types

COLOURS = {
    "normal": GREEN, "running": GREEN, "inspection": BLUE, "stopped": GREY, "unknown": GREY, "emergency_power": ORANGE,
    "stop": ORANGE, "fire_return": RED, "firefighter": RED, "earthquake": RED,
}  # fmt: skip
"""The colour of a text; others are blue."""


def texts(points: Iterable[str]) -> list[tuple[str, str, str]]:
    """Value, text and colour of every value that one of these points may have."""
    values = dict.fromkeys(value for point in points for value in point_types()[point].values)
    return [(value, value.replace("_", " "), COLOURS.get(value, BLUE)) for value in values]
