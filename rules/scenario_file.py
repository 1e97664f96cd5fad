"""The `tests:` blocks of a rule: short series of readings and the findings they must lead to."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from facility.instant import parse_duration
from facility.reading import Quality

_PART = re.compile(r"""(?P<value>'[^']*'|"[^"]*"|[^\s'"]+?)(?:x(?P<times>\d+))?(?=\s|$)""")
_RAMP = re.compile(r"^(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)$")
_MARKS = {"!": Quality.OUT_OF_RANGE, "~": Quality.STUCK}
MAX_STEPS = 20_000

Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Step = tuple[float | str, Quality] | None
"""One reading of a series: its value and its quality; None for no reading."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ExpectedEntry(_Strict):
    """One finding: `at` and `cleared` are the instants it was raised and cleared, counted from the series' start.

    `state` is how it stands at the end; left out, either will do. `point` is for rules with `for_each`.
    """

    at: Duration
    state: Literal["active", "cleared"] | None = None
    cleared: Duration | None = None
    point: str | None = None


class NotApplicableEntry(_Strict):
    """The rule does not apply, for want of these points."""

    not_applicable: list[str]


class ScenarioEntry(_Strict):
    """One test. A series is `value x repeat` parts: `21.5x10 _x3 22..24x5 99!x2 'open'x4`.

    `_` is no reading, `a..b` a straight line, `!` a reading outside its range, `~` one of a sensor that is stuck. The
    asset has the points of the series and of `points`; each has the cadence `step` unless `cadence` is given. `go_on`
    lets time pass (by heartbeats) after the last step.
    """

    name: str
    step: Duration = timedelta(seconds=60)
    series: dict[str, str | float] = {}
    points: list[str] = []
    design: dict[str, float] = {}
    parameters: dict[str, float] = {}
    occupied: dict[str, list[str]] = {}
    class_: str | None = Field(default=None, alias="class")
    start: str = "2026-03-02T02:00:00Z"
    zone: str = "UTC"
    cadence: Duration | None = None
    go_on: Duration = timedelta(0)
    expect: list[ExpectedEntry] | NotApplicableEntry


def parse_series(text: str | float) -> list[Step]:
    """The steps of a series. Raises ValueError with the part that cannot be read."""
    steps: list[Step] = []
    position, source = 0, str(text).strip()
    while position < len(source):
        match = _PART.match(source, position)
        if match is None:
            msg = f"{source[position:]!r} is not a part of a series; write it like 21.5x10, _x3 or 'open'x4"
            raise ValueError(msg)
        times = int(match["times"] or 1)
        if len(steps) + times > MAX_STEPS:
            msg = f"the series has more than {MAX_STEPS:,} steps; use a longer step"
            raise ValueError(msg)
        steps += _part(match["value"], times)
        position = match.end()
        while position < len(source) and source[position].isspace():
            position += 1
    return steps


def _part(value: str, times: int) -> list[Step]:
    if value == "_":
        return [None] * times
    if value[0] in "'\"":
        return [(value[1:-1], Quality.GOOD)] * times
    quality = _MARKS.get(value[-1], Quality.GOOD)
    value = value[:-1] if value[-1] in _MARKS else value
    ramp = _RAMP.match(value)
    if ramp is not None:
        first, last = float(ramp[1]), float(ramp[2])
        return [(first + (last - first) * index / max(times - 1, 1), quality) for index in range(times)]
    try:
        return [(float(value), quality)] * times
    except ValueError:
        return [(value, quality)] * times
