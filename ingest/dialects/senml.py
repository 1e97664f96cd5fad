"""SenML in JSON (RFC 8428): a list of records with base name, base time, base unit and base value.

A record's full name (base name and name) is what the site file maps. Times below 2^28 are relative to now, the
arrival. Units are IANA's, with the secondary units of RFC 8798; without one the site file's unit counts. A base field
that is not understood and ends in `_` makes the message unreadable, as the standard asks.
"""

from collections.abc import Sequence

import msgspec

from facility.reading import Scan
from facility.units import UnitError, check_unit
from ingest.dialects.harvest import Harvest, Tenant, WireTable, seconds_to_us
from ingest.dialects.wire import Raw
from ingest.payload import MAX_TEXT, Arrival, PayloadError, parse_json, refuse_payload

_RELATIVE_S = 1 << 28
_VERSION = 10
_UNITS = {
    "Cel": "degC", "%RH": "%", "%EL": "%", "/": "ratio", "/100": "%", "m3/s": "m**3/s", "l/s": "l/s", "lx": "lx",
    "m2": "m**2", "m3": "m3", "m/s2": "m/s**2", "VA": "V*A", "kVA": "kV*A", "Ohm": "ohm", "C": "coulomb",
    "F": "farad", "T": "tesla", "pH": "ph", "NTU": "ntu", "count": "count", "1/s": "1/s", "1/min": "1/min",
    "W/m2": "W/m**2", "cd/m2": "cd/m**2", "kg/m3": "kg/m**3", "ug/m3": "ug/m**3", "deg": "degree", "Ah": "A*h",
    "g": "gram", "h": "hour", "min": "minute", "l": "liter",
}  # fmt: skip
"""IANA unit -> ours, where the two are written differently (or the bare letter would mean something else)."""


class _Record(msgspec.Struct, gc=False):
    bn: str = ""
    bt: float | None = None
    bu: str | None = None
    bv: float | None = None
    bver: int | None = None
    n: str = ""
    u: str | None = None
    v: float | None = None
    vs: str | None = None
    vb: bool | None = None
    vd: str | None = None
    s: float | None = None
    t: float = 0.0


_RECORDS = msgspec.json.Decoder(list[_Record])
_FIELDS: "msgspec.json.Decoder[list[dict[str, object]]]" = msgspec.json.Decoder(list[dict[str, object]])


class SenMl:
    """Reads the packs of one topic for the assets whose names are in them."""

    def __init__(self, tenants: Sequence[Tenant]) -> None:
        self._table = WireTable(tenants)

    def decode(self, topic: str, payload: bytes, arrival: Arrival) -> tuple[Scan, ...]:
        """The scans of one pack. Raises PayloadError (with what was readable)."""
        records = parse_json(_RECORDS, topic, payload)
        if b'_"' in payload:
            _refuse_must_understand(topic, payload)
        harvest = Harvest(topic, arrival)
        base_name, base_unit, base_s, base_value = "", None, 0.0, 0.0
        names, mapped = [], 0
        for index, record in enumerate(records):
            if record.bver is not None and record.bver > _VERSION:
                what = f"SenML version {record.bver} is not known; {_VERSION} is the newest we read"
                raise refuse_payload(topic, what, "Let the device send version 10.", f"[{index}].bver")
            base_name, base_unit = record.bn or base_name, record.bu if record.bu is not None else base_unit
            base_s = record.bt if record.bt is not None else base_s
            base_value = record.bv if record.bv is not None else base_value
            value = _value(record, base_value)
            if value is None:
                continue
            name = base_name + record.n
            names.append(name)
            if not self._table.find(name):
                continue
            mapped += 1
            self._take(harvest, name, value, record.u or base_unit, base_s + record.t, f"[{index}]")
        if names and not mapped:
            shown = ", ".join(repr(name[:MAX_TEXT]) for name in names[:5])
            harvest.fail(f"none of its names is mapped: {shown}", "Add them to the points of the source, in full.")
        return harvest.scans()

    def _take(self, harvest: Harvest, name: str, value: Raw, unit: str | None, at_s: float, field: str) -> None:
        try:
            at_us = self._instant_us(harvest, at_s, f"{field}.t")
        except PayloadError as error:
            harvest.problems += error.problems
            return
        try:
            own_unit = check_unit(_UNITS.get(unit, unit)) if unit is not None else None
        except UnitError:
            harvest.fail(f"the unit {(unit or '')[:MAX_TEXT]!r} is not known", "Send an IANA unit.", f"{field}.u")
            return
        harvest.add(self._table, name, value, at_us, unit=own_unit, field=field)

    def _instant_us(self, harvest: Harvest, at_s: float, field: str) -> int | None:
        """None for now."""
        if at_s >= _RELATIVE_S:
            return seconds_to_us(at_s, harvest.topic, field)
        if at_s == 0 or harvest.arrival.retained:
            return None
        return seconds_to_us(harvest.arrival.at_us / 1e6 + at_s, harvest.topic, field)


def _value(record: _Record, base_value: float) -> Raw | None:
    """The value of a record; None for one that only sets the base, a sum or opaque data."""
    if record.v is not None:
        return record.v + base_value
    if record.vs is not None:
        return record.vs
    return record.vb


def _refuse_must_understand(topic: str, payload: bytes) -> None:
    records = parse_json(_FIELDS, topic, payload)
    for index, names in enumerate(records):
        for name in names:
            if name.endswith("_"):
                what = f"the field {name[:MAX_TEXT]!r} must be understood, and is not"
                raise refuse_payload(topic, what, "Let the device leave it out.", f"[{index}]")
