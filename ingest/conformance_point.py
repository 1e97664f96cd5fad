"""Marks of one point: how often it comes, whether its values can be, and whether they look like another unit."""

from itertools import pairwise
from statistics import median

from facility.asset import Point
from facility.instant import SECOND_US, format_duration, from_us
from facility.units import UnitError, converter
from ingest.conformance import DeviceLog, Mark, Verdict

SELDOM = 1.5
STALE = 3.0
FLOOD_US = SECOND_US // 2
_LOOK_ALIKE = {
    "degC": ("degF", "K"), "%": ("ratio",), "kPa": ("bar", "Pa", "psi"), "Pa": ("inH2O", "kPa"),
    "m3/h": ("l/s", "cfm", "gpm"), "W": ("kW",), "m/s": ("mm/s",), "mm": ("m",),
}  # fmt: skip


def mark_point(log: DeviceLog, point: Point, span_us: int) -> list[Mark]:
    """Cadence, range and unit. `span_us` is how long was listened, in the device's time."""
    readings = [
        (one.scan.at_us, value.value)
        for one in log.scans
        if not one.heard.retained
        for value in one.scan.values
        if value.point == point.name
    ]
    cadence = _cadence(log, point, sorted({at_us for at_us, _ in readings}), span_us)
    numbers = [value for _, value in readings if isinstance(value, float)]
    return [cadence, *_values(log, point, numbers)] if readings else [cadence]


def _mark(log: DeviceLog, point: Point, aspect: str, verdict: Verdict, said: str, advice: str = "") -> Mark:
    return Mark(log.asset.id, point.name, aspect, verdict, said, advice)


def _cadence(log: DeviceLog, point: Point, instants: list[int], span_us: int) -> Mark:
    expected_us = round(point.cadence.total_seconds() * 1e6)
    expected = format_duration(point.cadence)
    long_enough = span_us >= STALE * expected_us
    if len(instants) < 2:
        said = f"{'one reading' if instants else 'no reading'} in {_span(span_us)}, expected every {expected}"
        if not long_enough:
            wanted = _span(round(STALE * expected_us))
            return _mark(log, point, "cadence", Verdict.UNSEEN, f"{said}; listen for {wanted} at least")
        advice = f"Let the device send {point.name}, or take it out of the site file, or set its cadence there."
        return _mark(log, point, "cadence", Verdict.WARN if instants else Verdict.FAIL, said, advice)
    found_us = round(median(after - before for before, after in pairwise(instants)))
    said = f"every {_span(found_us)}, expected every {expected}"
    if found_us > STALE * expected_us:
        advice = f"Send it every {expected}, or set its cadence in the site file: it counts as stale now."
        return _mark(log, point, "cadence", Verdict.FAIL, said, advice)
    if found_us > SELDOM * expected_us:
        return _mark(log, point, "cadence", Verdict.WARN, said, "Send it more often, or set its cadence.")
    if found_us < FLOOD_US and found_us < expected_us / 20:
        return _mark(
            log, point, "cadence", Verdict.WARN, said, "Send changes and a regular sign of life, not a stream."
        )
    return _mark(log, point, "cadence", Verdict.PASS, said)


def _values(log: DeviceLog, point: Point, numbers: list[float]) -> list[Mark]:
    if not numbers:
        return []
    low, high = min(numbers), max(numbers)
    shown = f"{low:g} to {high:g} {point.unit}".rstrip()
    outside = [value for value in numbers if not _is_inside(point, value)]
    if not outside:
        return [_mark(log, point, "range", Verdict.PASS, shown), *_as_share(log, point, numbers)]
    said = (
        f"{len(outside)} of {len(numbers)} readings are outside of {_limit(point.minimum)} to {_limit(point.maximum)}"
    )
    found = [_mark(log, point, "range", Verdict.FAIL, f"{said}: {shown}", "Check unit, scale, sensor and wire.")]
    for unit in _LOOK_ALIKE.get(point.unit, ()):
        try:
            convert = converter(unit, point.unit)
        except UnitError:
            continue
        if all(_is_inside(point, convert(value)) for value in numbers):
            advice = f"Set `unit: {unit}` in the source of the site file, or let the device send {point.unit}."
            found.append(_mark(log, point, "unit", Verdict.FAIL, f"the values look like {unit}", advice))
            break
    return found


def _as_share(log: DeviceLog, point: Point, numbers: list[float]) -> list[Mark]:
    """A percentage that never leaves 0..1 and is broken is likely a share."""
    if point.unit == "%" and max(numbers) <= 1 and any(0 < value < 1 for value in numbers):
        advice = "Set `unit: ratio` in the source of the site file if these are shares of one."
        return [_mark(log, point, "unit", Verdict.WARN, "every value is between 0 and 1 %", advice)]
    return []


def _is_inside(point: Point, value: float) -> bool:
    return (point.minimum is None or value >= point.minimum) and (point.maximum is None or value <= point.maximum)


def _limit(limit: float | None) -> str:
    return "any" if limit is None else f"{limit:g}"


def _span(span_us: int) -> str:
    return format_duration(from_us(span_us) - from_us(0)) if span_us >= SECOND_US else f"{span_us / 1000:g} ms"
