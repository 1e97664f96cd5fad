"""What a message brings in: values by wire name for every asset of a channel, collected into one scan per instant.

For the dialects of devices that were not made for us: a name that no asset maps is the device's own business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from facility.asset import Asset, Source
from facility.errors import Problem
from facility.instant import to_us
from facility.reading import PointValue, Quality, Scan
from ingest.dialects.wire import Raw, WireMap
from ingest.local_time import local_instants
from ingest.payload import Arrival, PayloadError, refuse_payload

_END_US = 253_402_300_799_000_000  # the last second of the year 9999, which is where datetime ends
_CLOCK_SET_US = 946_684_800_000_000
_MAX_DEPTH = 6


@dataclass(frozen=True, slots=True)
class Tenant:
    """One asset with its source; `zone` is the time zone of a device that writes local time."""

    asset: Asset
    source: Source
    zone: ZoneInfo


class WireTable:
    """The wire names of the assets that share a channel; one name may stand for a point of several of them.

    A point that the source does not map goes by its own name.
    """

    def __init__(self, tenants: Sequence[Tenant]) -> None:
        self.maps = [WireMap(tenant.asset, tenant.source, reads_words=True) for tenant in tenants]
        self._by_name: dict[str, list[WireMap]] = {}
        for wires, tenant in zip(self.maps, tenants, strict=True):
            mapped = {entry.point for entry in tenant.source.points.values()}
            for name in {*tenant.source.points, *(set(tenant.asset.points) - mapped)}:
                self._by_name.setdefault(name, []).append(wires)
        self._online: dict[str, bool] = {}

    def find(self, name: str) -> Sequence[WireMap]:
        """The assets that have a point under this name; none when it is not mapped."""
        return self._by_name.get(name, ())

    @property
    def names(self) -> Mapping[str, object]:
        """Every wire name that is mapped."""
        return self._by_name

    def is_news(self, asset_id: str, *, online: bool) -> bool:
        """Whether this is another state than the last; remembers it."""
        before, self._online[asset_id] = self._online.get(asset_id), online
        return before is not online


class Harvest:
    """Collects the values of one message. Readings without an instant get the arrival's, and none when retained."""

    def __init__(self, topic: str, arrival: Arrival) -> None:
        self.topic, self.arrival = topic, arrival
        self.problems: list[Problem] = []
        self._found: dict[tuple[str, int], dict[str, PointValue]] = {}
        self._maps: dict[str, WireMap] = {}

    def add(
        self,
        table: WireTable,
        name: str,
        raw: object,
        at_us: int | None = None,
        *,
        quality: Quality = Quality.GOOD,
        unit: str | None = None,
        field: str = "",
    ) -> bool:
        """Take one value; False when no asset maps its name. Null is not measured."""
        takers = table.find(name)
        if not takers:
            return False
        if raw is None or (at_us is None and self.arrival.retained):
            return True
        if not isinstance(raw, bool | int | float | str):
            what = f"{name!r} is {_noun(raw)} and not one value"
            self.problems.append(Problem(self.topic, what, "Map the name of a value inside of it.", field or name))
            return True
        for wires in takers:
            self._take(wires, name, raw, self.arrival.at_us if at_us is None else at_us, quality, unit, field or name)
        return True

    def _take(
        self, wires: WireMap, name: str, raw: Raw, at_us: int, quality: Quality, unit: str | None, field: str
    ) -> None:
        value = wires.read(name, raw, self.topic, field, quality, unit)
        if isinstance(value, Problem):
            self.problems.append(value)
        else:
            self._put(wires, at_us, value)

    def _put(self, wires: WireMap, at_us: int, value: PointValue) -> None:
        self._maps[wires.asset_id] = wires
        self._found.setdefault((wires.asset_id, at_us), {})[value.point] = value

    def say_online(self, table: WireTable, *, online: bool, at_us: int | None = None) -> None:
        """The assets of a channel are there, or gone. A retained copy counts only when it is another state."""
        for wires in table.maps:
            is_news = table.is_news(wires.asset_id, online=online)
            if wires.find_point("online") == "online" and (is_news or not self.arrival.retained):
                at = self.arrival.at_us if at_us is None else at_us
                self._put(wires, at, PointValue("online", float(online)))

    def fail(self, what: str, hint: str, field: str = "") -> None:
        """Something of the message cannot be read; the rest can."""
        self.problems.append(Problem(self.topic, what, hint, field))

    def scans(self) -> tuple[Scan, ...]:
        """One scan per asset and instant, oldest first. Raises PayloadError (with the scans) when there are problems.

        A device that sends what changed never promises a whole scan: none is complete.
        """
        for (asset_id, _), values in self._found.items():
            self._maps[asset_id].interpret(values)
        found = sorted(self._found.items(), key=lambda item: (item[0][1], item[0][0]))
        is_complete = False
        scans = tuple(Scan(asset_id, at_us, is_complete, tuple(values.values())) for (asset_id, at_us), values in found)
        if self.problems:
            raise PayloadError(self.problems, scans)
        return scans


def read_online(text: str) -> bool | None:
    """`online` or `true`, `offline` or `false`, in any case; None for anything else."""
    return {"online": True, "true": True, "offline": False, "false": False}.get(text.strip().lower())


def seconds_to_us(seconds: float, topic: str, field: str) -> int:
    """Microseconds since the epoch of Unix seconds. Raises PayloadError outside the years 1970 to 9999."""
    if not 0 <= seconds * 1e6 <= _END_US:
        what = f"{seconds!r} is no instant between 1970 and 9999"
        raise refuse_payload(topic, what, "Send seconds since 1970-01-01 UTC.", field)
    return round(seconds * 1e6)


def parse_local(text: str, zone: ZoneInfo, arrival: Arrival, topic: str, field: str) -> int | None:
    """Microseconds of an ISO 8601 time in `zone` (or with its own offset); None when the device's clock is not set yet.

    A time that came twice (clocks set back) is the instant nearer to the arrival. Raises PayloadError for one that the
    clocks skipped.
    """
    try:
        at = datetime.fromisoformat(text)
        instants = (to_us(at.astimezone(UTC)),) if at.tzinfo is not None else local_instants(at, zone)
    except (ValueError, OverflowError):
        hint = "Send ISO 8601, such as 2026-11-21T09:00:00."
        raise refuse_payload(topic, f"{text[:60]!r} is not a time", hint, field) from None
    if not instants:
        what = f"{text!r} does not exist in {zone.key}: the clocks skipped it"
        raise refuse_payload(topic, what, "Set the device's time zone, or `zone` of the source.", field)
    at_us = min(instants, key=lambda instant: abs(instant - arrival.at_us))
    return at_us if at_us >= _CLOCK_SET_US else None


def flatten(value: object, name: str = "", depth: int = 0) -> list[tuple[str, object]]:
    """Every single value of JSON data by its dotted name: `DHT11.Temperature`, `ENERGY.Power[1]`."""
    if isinstance(value, dict) and depth < _MAX_DEPTH:
        prefix = f"{name}." if name else ""
        return [pair for key, part in value.items() for pair in flatten(part, f"{prefix}{key}", depth + 1)]
    if isinstance(value, list) and depth < _MAX_DEPTH:
        return [pair for index, part in enumerate(value) for pair in flatten(part, f"{name}[{index}]", depth + 1)]
    return [(name, value)]


def _noun(raw: object) -> str:
    return "an object" if isinstance(raw, dict) else "a list" if isinstance(raw, list) else type(raw).__name__
