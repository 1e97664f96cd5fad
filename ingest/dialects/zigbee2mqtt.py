"""zigbee2mqtt: `{base}/{name}` carries flat JSON, `{base}/{name}/availability` online or offline.

A name may hold `/` and spaces (the embedded broker refuses a topic with a space: use Mosquitto, or rename). A message
repeats what the device said last, each value as old as up to a day (a battery), so only `last_seen`, where it is
switched on, is a device's own time; else the arrival counts. When `{base}/bridge/state` goes offline, all devices do.
"""

from collections.abc import Mapping, Sequence

import msgspec

from facility.reading import Scan
from ingest.dialects.harvest import Harvest, Tenant, WireTable, flatten, parse_local, read_online, seconds_to_us
from ingest.payload import Arrival, parse_json, refuse_payload

_AVAILABILITY = "availability"
_BRIDGE_STATE = "bridge/state"
_OBJECT: "msgspec.json.Decoder[dict[str, object]]" = msgspec.json.Decoder(dict[str, object])


class Zigbee2Mqtt:
    """Reads all devices of one bridge."""

    def __init__(self, tenants: Sequence[Tenant]) -> None:
        devices: dict[str, list[Tenant]] = {}
        for tenant in tenants:
            devices.setdefault(tenant.source.topic.rstrip("/"), []).append(tenant)
        self._tables: Mapping[str, WireTable] = {topic: WireTable(part) for topic, part in devices.items()}
        self._bridge_state = f"{channel(tenants[0].source.topic)}/{_BRIDGE_STATE}"
        self._zones = {topic: part[0].zone for topic, part in devices.items()}

    def decode(self, topic: str, payload: bytes, arrival: Arrival) -> tuple[Scan, ...]:
        """The scans of one message. Raises PayloadError (with what was readable)."""
        harvest = Harvest(topic, arrival)
        before, _, last = topic.rpartition("/")
        if topic == self._bridge_state:
            # That the bridge is back says nothing of a device: its own availability does.
            if not _is_online(topic, payload):
                for table in self._tables.values():
                    harvest.say_online(table, online=False)
        elif last == _AVAILABILITY and before in self._tables:
            harvest.say_online(self._tables[before], online=_is_online(topic, payload))
        else:
            data = parse_json(_OBJECT, topic, payload)
            at_us = self._last_seen_us(data.pop("last_seen", None), harvest)
            for name, value in flatten(data):
                harvest.add(self._tables[topic], name, value, at_us)
        return harvest.scans()

    def _last_seen_us(self, said: object, harvest: Harvest) -> int | None:
        if isinstance(said, str):
            return parse_local(said, self._zones[harvest.topic], harvest.arrival, harvest.topic, "last_seen")
        if isinstance(said, int | float) and said > 0:
            return seconds_to_us(said / 1000, harvest.topic, "last_seen")
        return None


def channel(topic: str) -> str:
    """The devices of one bridge are read together: its base is the first level."""
    return topic.split("/", 1)[0]


def filters(topic: str) -> tuple[str, ...]:
    """The topics of a device and of its bridge."""
    device = topic.rstrip("/")
    return device, f"{device}/{_AVAILABILITY}", f"{channel(topic)}/{_BRIDGE_STATE}"


def quiet(topic: str) -> tuple[str, ...]:
    """Commands to the device, and what the bridge says of itself."""
    device = topic.rstrip("/")
    return f"{device}/set/#", f"{device}/get/#", f"{channel(topic)}/bridge/#"


def _is_online(topic: str, payload: bytes) -> bool:
    """`online`, or `{"state": "online"}`. Raises PayloadError."""
    text = payload.decode(errors="replace")
    if payload[:1] == b"{":
        text = str(parse_json(_OBJECT, topic, payload).get("state"))
    online = read_online(text)
    if online is None:
        raise refuse_payload(topic, f"{payload[:40]!r} is neither online nor offline", "Leave availability as it is.")
    return online
