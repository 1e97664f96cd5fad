"""Tasmota: `tele/{t}/SENSOR` and `tele/{t}/STATE` carry JSON, `tele/{t}/LWT` says Online or Offline.

Names are the dotted path: `DHT11.Temperature`, `ENERGY.Power`, `POWER1`. `Time` is local without zone (the zone is the
building's, or the source's), to the second; with SetOption52 it has an offset. Before a device has set its clock it
writes 1970: then the arrival counts. `TempUnit` and `PressureUnit` of the message win over the site file.
"""

from collections.abc import Sequence

import msgspec

from facility.reading import Scan
from ingest.dialects.harvest import Harvest, Tenant, WireTable, flatten, parse_local, read_online
from ingest.payload import Arrival, parse_json, refuse_payload

_SENSOR, _STATE, _WILL = "SENSOR", "STATE", "LWT"
_UNITS = {"C": "degC", "F": "degF", "K": "K", "hPa": "hPa", "mmHg": "mmHg", "inHg": "inHg"}
_TEMPERATURES = ("Temperature", "DewPoint")
_PRESSURES = ("Pressure", "SeaPressure")
_OBJECT: "msgspec.json.Decoder[dict[str, object]]" = msgspec.json.Decoder(dict[str, object])


class Tasmota:
    """Reads one device, for one asset or several."""

    def __init__(self, tenants: Sequence[Tenant]) -> None:
        self._table = WireTable(tenants)
        self._zone = tenants[0].zone

    def decode(self, topic: str, payload: bytes, arrival: Arrival) -> tuple[Scan, ...]:
        """The scans of one message. Raises PayloadError (with what was readable)."""
        harvest = Harvest(topic, arrival)
        if topic.endswith(f"/{_WILL}"):
            online = read_online(payload[:16].decode(errors="replace"))
            if online is None:
                raise refuse_payload(
                    topic, f"{payload[:40]!r} is neither Online nor Offline", "Leave the will as it is."
                )
            harvest.say_online(self._table, online=online)
            return harvest.scans()
        data = parse_json(_OBJECT, topic, payload)
        time = data.pop("Time", None)
        at_us = parse_local(time, self._zone, arrival, topic, "Time") if isinstance(time, str) else None
        temperature, pressure = (_UNITS.get(str(data.pop(name, ""))) for name in ("TempUnit", "PressureUnit"))
        for name, value in flatten(data):
            last = name.rpartition(".")[2]
            unit = temperature if last in _TEMPERATURES else pressure if last in _PRESSURES else None
            harvest.add(self._table, name, value, at_us, unit=unit)
        return harvest.scans()


def filters(topic: str) -> tuple[str, ...]:
    """The topics of a device, from its telemetry prefix."""
    return tuple(f"{topic.rstrip('/')}/{name}" for name in (_SENSOR, _STATE, _WILL))


def quiet(topic: str) -> tuple[str, ...]:
    """What else the device says: information, answers and commands."""
    levels = topic.rstrip("/").split("/")
    place = levels.index("tele")
    return tuple("/".join([*levels[:place], verb, *levels[place + 1 :], "#"]) for verb in ("tele", "stat", "cmnd"))
