"""Shelly Gen2 and newer: `{prefix}/events/rpc` (NotifyStatus), `{prefix}/status/{component}`, `{prefix}/online`.

Names are component and path: `switch:0.apower`, `temperature:100.tC`. A notification holds only what changed, with
its time in `ts` (seconds); a status message has none, so the arrival counts. Switch on one of the two at the device:
both together say everything twice. `online` is the device's last will.
"""

from collections.abc import Sequence

import msgspec

from facility.reading import Scan
from ingest.dialects.harvest import Harvest, Tenant, WireTable, flatten, read_online, seconds_to_us
from ingest.payload import Arrival, parse_json, refuse_payload

_EVENTS, _STATUS, _WILL = "events/rpc", "status", "online"
_METHODS = ("NotifyStatus", "NotifyFullStatus")
_CLOCK_SET_S = 946_684_800


class _Notification(msgspec.Struct, gc=False):
    method: str
    params: dict[str, object] = {}


_NOTIFICATION = msgspec.json.Decoder(_Notification)
_OBJECT: "msgspec.json.Decoder[dict[str, object]]" = msgspec.json.Decoder(dict[str, object])


class Shelly:
    """Reads one device, for one asset or several."""

    def __init__(self, tenants: Sequence[Tenant]) -> None:
        self._table = WireTable(tenants)

    def decode(self, topic: str, payload: bytes, arrival: Arrival) -> tuple[Scan, ...]:
        """The scans of one message; none for an event such as a pressed button. Raises PayloadError."""
        harvest = Harvest(topic, arrival)
        before, _, last = topic.rpartition("/")
        if last == _WILL:
            online = read_online(payload[:16].decode(errors="replace"))
            if online is None:
                raise refuse_payload(topic, f"{payload[:40]!r} is neither true nor false", "Leave the will as it is.")
            harvest.say_online(self._table, online=online)
        elif before.endswith(f"/{_STATUS}"):
            self._take(harvest, {last: parse_json(_OBJECT, topic, payload)}, None)
        else:
            notification = parse_json(_NOTIFICATION, topic, payload)
            if notification.method in _METHODS:
                ts = notification.params.pop("ts", None)
                is_set = isinstance(ts, float | int) and ts >= _CLOCK_SET_S
                at_us = seconds_to_us(float(ts), topic, "params.ts") if is_set and isinstance(ts, float | int) else None
                self._take(harvest, notification.params, at_us)
        return harvest.scans()

    def _take(self, harvest: Harvest, components: dict[str, object], at_us: int | None) -> None:
        for name, value in flatten(components):
            harvest.add(self._table, name, value, at_us)


def filters(topic: str) -> tuple[str, ...]:
    """The topics of a device, from its prefix."""
    prefix = topic.rstrip("/")
    return f"{prefix}/{_EVENTS}", f"{prefix}/{_STATUS}/+", f"{prefix}/{_WILL}"


def quiet(topic: str) -> tuple[str, ...]:
    """What else the device says: announcements, commands, answers."""
    return (f"{topic.rstrip('/')}/#",)
