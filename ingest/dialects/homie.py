"""Homie 5: `homie/5/{device}/{node}/{property}` in plain text, `$state` and `$description` beside them.

Everything is retained, so after each connection the broker repeats it all: a retained copy teaches state and
description, and is no new reading. Names are `node/property`. The description gives a property's datatype, format and
unit: what its format does not allow is refused, and its unit wins over the site file. A device is there while its
state is neither `disconnected` nor `lost`; a root that is lost takes its children along.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from facility.reading import Scan
from facility.units import UnitError, check_unit
from ingest.dialects.harvest import Harvest, Tenant, WireTable
from ingest.payload import MAX_TEXT, Arrival, parse_json, refuse_payload

_STATES = ("init", "ready", "disconnected", "sleeping", "lost")
_GONE = ("disconnected", "lost")
_UNITS = {"°C": "degC", "°F": "degF", "°": "degree", "m³": "m3", "m³/h": "m3/h", "l/min": "l/min", "#": "count"}
_MAX_ROOTS = 10_000


class _Property(msgspec.Struct, gc=False):
    datatype: str = "string"
    format: str | None = None
    unit: str | None = None


class _Node(msgspec.Struct, gc=False):
    properties: dict[str, _Property] = {}


class _Description(msgspec.Struct, gc=False):
    homie: str = ""
    root: str | None = None
    nodes: dict[str, _Node] = {}


_DESCRIPTION = msgspec.json.Decoder(_Description)


@dataclass(slots=True)
class _Device:
    """What is known of one device of the site file."""

    table: WireTable
    root: str | None = None
    state: str | None = None
    properties: Mapping[str, _Property] = field(default_factory=dict)


class Homie:
    """Reads all devices of one domain (`homie/5`)."""

    def __init__(self, tenants: Sequence[Tenant]) -> None:
        devices: dict[str, list[Tenant]] = {}
        for tenant in tenants:
            devices.setdefault(tenant.source.topic.rpartition("/")[2], []).append(tenant)
        self._devices = {name: _Device(WireTable(part)) for name, part in devices.items()}
        self._levels = tenants[0].source.topic.count("/")
        self._roots: dict[str, str] = {}

    def decode(self, topic: str, payload: bytes, arrival: Arrival) -> tuple[Scan, ...]:
        """The scans of one message. Raises PayloadError."""
        name, *rest = topic.split("/")[self._levels :]
        harvest = Harvest(topic, arrival)
        if rest == ["$state"]:
            self._change_state(name, _text(topic, payload), harvest)
        elif rest == ["$description"]:
            self._learn(name, topic, payload, harvest)
        elif len(rest) == 2 and name in self._devices and payload and not rest[1].startswith("$"):
            self._read(self._devices[name], "/".join(rest), _text(topic, payload), harvest)
        return harvest.scans()

    def _change_state(self, name: str, state: str, harvest: Harvest) -> None:
        if state and state not in _STATES:
            what = f"{state[:MAX_TEXT]!r} is not a state"
            raise refuse_payload(harvest.topic, what, f"Send one of {', '.join(_STATES)}.")
        device = self._devices.get(name)
        if device is not None:
            device.state = state or None
        # The roots of our devices are remembered; of all others no more than a bounded number.
        if name in self._roots or len(self._roots) < _MAX_ROOTS:
            self._roots[name] = state
        for other, child in self._devices.items():
            if name in (other, child.root):
                self._say_online(child, harvest)

    def _say_online(self, device: _Device, harvest: Harvest) -> None:
        root_state = self._roots.get(device.root or "", "")
        if root_state == "lost" or device.state:
            harvest.say_online(device.table, online=device.state not in _GONE and root_state != "lost")

    def _learn(self, name: str, topic: str, payload: bytes, harvest: Harvest) -> None:
        device = self._devices.get(name)
        if device is None:
            return
        description = parse_json(_DESCRIPTION, topic, payload) if payload else _Description()
        if device.root != description.root:
            device.root = description.root
            self._say_online(device, harvest)
        wanted = device.table.names
        device.properties = {
            f"{node_id}/{property_id}": entry
            for node_id, node in description.nodes.items()
            for property_id, entry in node.properties.items()
            if f"{node_id}/{property_id}" in wanted
        }

    def _read(self, device: _Device, name: str, text: str, harvest: Harvest) -> None:
        described = device.properties.get(name)
        unit = None
        if described is not None and device.table.find(name):
            if flaw := _flaw(described, text):
                harvest.fail(f"{text[:60]!r} {flaw}", "Correct the device, or its $description.", name)
                return
            unit = _known_unit(described.unit)
        harvest.add(device.table, name, text, unit=unit)


def _flaw(described: _Property, text: str) -> str:
    """Why the description does not allow this text; empty when it does."""
    kind, form = described.datatype, described.format or ""
    if kind in ("integer", "float"):
        try:
            value = int(text[:MAX_TEXT]) if kind == "integer" else float(text)
        except ValueError:
            return f"is not {'a whole number' if kind == 'integer' else 'a number'}"
        low, high = _bounds(form)
        return f"is outside of the format {form!r}" if not low <= value <= high else ""
    if kind == "boolean" and text not in ("true", "false"):
        return "is neither true nor false"
    if kind == "enum" and text not in form.split(","):
        return f"is none of {form[:100]!r}"
    return ""


def _bounds(form: str) -> tuple[float, float]:
    """The range of `min:max` or `min:max:step`, either end may be open. A format that is none allows everything."""
    low, _, rest = form.partition(":")
    high = rest.partition(":")[0]
    try:
        return (float(low) if low else float("-inf"), float(high) if high else float("inf"))
    except ValueError:
        return float("-inf"), float("inf")


def _known_unit(unit: str | None) -> str | None:
    """Our name of a unit of a description; None when there is none, or only a hint for people."""
    if not unit:
        return None
    try:
        return check_unit(_UNITS.get(unit, unit))
    except UnitError:
        return None


def _text(topic: str, payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise refuse_payload(topic, f"the payload is not UTF-8: {error}", "Send plain text.") from error


def channel(topic: str) -> str:
    """The devices of one domain are read together: `homie/5`."""
    return topic.rpartition("/")[0]


def filters(topic: str) -> tuple[str, ...]:
    """The topics of a device, and the state of every device of the domain: one may be its root."""
    return f"{topic}/$state", f"{topic}/$description", f"{topic}/+/+", f"{channel(topic)}/+/$state"


def quiet(topic: str) -> tuple[str, ...]:
    """What else a device says: targets, commands, logs and alerts."""
    return (f"{topic}/#",)
