"""What the followers of several shards know, as if there were one: newest values and devices."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from facility.reading import Reading
from ingest.discovery import DeviceInbox, Stranger
from ingest.discovery_desk import Inbox, Learned, LearnedOfDevices
from ingest.latest import IngestCounters, LatestValues
from ingest.quality_skew import DeviceClock
from ingest.unknown_codes import UnknownCode


class Newest(Protocol):
    """The newest reading of every point, and what ingest counts, as `ingest.latest.LatestValues` has them."""

    @property
    def counters(self) -> IngestCounters:
        """From the newest heartbeat."""

    def of(self, asset_id: str) -> dict[str, Reading]:
        """The newest reading of every point of an asset that ever spoke."""

    def find(self, asset_id: str, point: str) -> Reading | None:
        """The newest reading of one point."""


class SeveralLatest:
    """The newest of several."""

    def __init__(self, parts: Sequence[LatestValues]) -> None:
        self._parts = tuple(parts)

    @property
    def counters(self) -> IngestCounters:
        """Of every ingest together, as of the one that is silent for longest."""
        every = [part.counters for part in self._parts]
        instants = [one.at_us for one in every if one.at_us is not None]
        at_us = min(instants) if len(instants) == len(every) else None
        return IngestCounters(at_us, sum(one.received for one in every), sum(one.rejected for one in every))

    def of(self, asset_id: str) -> dict[str, Reading]:
        """The newest reading of every point of an asset that ever spoke."""
        return newest_of(part.of(asset_id) for part in self._parts)

    def find(self, asset_id: str, point: str) -> Reading | None:
        """The newest reading of one point."""
        return self.of(asset_id).get(point)


class SeveralInboxes:
    """The strangers of every shard. One that two have heard is the one heard last."""

    def __init__(self, parts: Sequence[DeviceInbox]) -> None:
        self._parts = tuple(parts)

    def strangers(self) -> list[Stranger]:
        """Every device, the one heard last first."""
        found: dict[str, Stranger] = {}
        for one in sorted((one for part in self._parts for one in part.strangers()), key=lambda one: one.last_us):
            found[one.key] = one
        return sorted(found.values(), key=lambda one: -one.last_us)

    def find(self, key: str) -> Stranger | None:
        """One device by its key or by one of its topics."""
        found = [one for part in self._parts if (one := part.find(key)) is not None]
        return max(found, key=lambda one: one.last_us, default=None)

    def forget(self, key: str) -> bool:
        """Take it out everywhere; False when it was nowhere."""
        return any([part.forget(key) for part in self._parts])  # noqa: C419 - of every one


class _SeveralClocks:
    def __init__(self, parts: Sequence[Learned], judges: Sequence[Callable[[str], bool]]) -> None:
        self._parts, self._judges = parts, judges

    def all(self) -> list[DeviceClock]:
        """Each by the shard that judges the device, the worst first."""
        kept: dict[str, DeviceClock] = {}
        for part, judges in zip(self._parts, self._judges, strict=True):
            for one in part.clocks.all():
                if one.asset_id not in kept or judges(one.asset_id):
                    kept[one.asset_id] = one
        return sorted(kept.values(), key=lambda one: (-abs(one.skew_us), one.asset_id))


class _SeveralCodes:
    def __init__(self, parts: Sequence[Learned]) -> None:
        self._parts = parts

    def all(self) -> list[UnknownCode]:
        """Counted together, the one said last first."""
        kept: dict[tuple[str, str], UnknownCode] = {}
        for part in self._parts:
            for one in part.codes.all():
                key = (one.asset_id, one.code)
                before = kept.get(key, UnknownCode(*key, 0, 0))
                kept[key] = UnknownCode(*key, before.times + one.times, max(before.last_us, one.last_us))
        return sorted(kept.values(), key=lambda one: (-one.last_us, one.asset_id, one.code))


def several_latest(parts: Sequence[LatestValues]) -> Newest:
    """All as one."""
    return parts[0] if len(parts) == 1 else SeveralLatest(parts)


def several_inboxes(parts: Sequence[DeviceInbox]) -> Inbox:
    """All as one."""
    return parts[0] if len(parts) == 1 else SeveralInboxes(parts)


def several_learned(parts: Sequence[Learned], judges: Sequence[Callable[[str], bool]]) -> LearnedOfDevices:
    """All as one. `judges` says of each whether its shard judges an asset."""
    return parts[0] if len(parts) == 1 else LearnedOfDevices(_SeveralClocks(parts, judges), _SeveralCodes(parts))


def newest_of(parts: Iterable[Mapping[str, Reading]]) -> dict[str, Reading]:
    """The newest reading of every point."""
    found: dict[str, Reading] = {}
    for part in parts:
        for name, row in part.items():
            if name not in found or found[name].at_us <= row.at_us:
                found[name] = row
    return found
