"""The payload of a Sparkplug B message: metrics with name or alias, type and value.

Reference: Eclipse Sparkplug 3.0, chapter 6 (payload) and its protobuf schema. Read here: everything a scalar metric
has; of the properties only `Quality`. Data sets, templates, bytes and files are recognised and have no value.
"""

import math
import struct
from dataclasses import dataclass
from enum import IntEnum

from ingest.dialects.protobuf import BYTES, VARINT, WireFormatError, bytes_field, fields, fixed_field, varint_field

_LARGEST_FLOAT = 3.4028234e38
_SIGNED_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
_UNSIGNED_BITS = {5: 8, 6: 16, 7: 32, 8: 64, 13: 64}


class DataType(IntEnum):
    """The types we write; others are read by their number."""

    INT64 = 4
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12


@dataclass(slots=True)
class Metric:
    """One metric. `value` None and `is_null` False: a kind without single value (`kind` says which)."""

    name: str | None = None
    alias: int | None = None
    timestamp_ms: int | None = None
    datatype: int | None = None
    is_null: bool = False
    quality: int | None = None
    value: bool | int | float | str | None = None
    kind: str = "a metric without a value"


@dataclass(slots=True)
class Payload:
    """One message. `seq` counts the messages of a node, 0 to 255."""

    metrics: list[Metric]
    timestamp_ms: int | None = None
    seq: int | None = None


def decode_payload(data: bytes) -> Payload:
    """Raises WireFormatError for anything that is no Sparkplug B payload."""
    payload = Payload([])
    for number, kind, value in fields(data):
        if number == 1 and kind == VARINT:
            payload.timestamp_ms = int(value)
        elif number == 2:
            payload.metrics.append(_metric(_as_bytes(number, kind, value)))
        elif number == 3 and kind == VARINT:
            payload.seq = int(value)
    return payload


def _metric(data: bytes) -> Metric:
    metric = Metric()
    raw: tuple[int, int, int | bytes] | None = None
    for number, kind, value in fields(data):
        if number == 1:
            metric.name = _text(_as_bytes(number, kind, value))
        elif number in (2, 3, 4, 7) and not isinstance(value, int):
            msg = f"field {number} of a metric has the wire type {kind}"
            raise WireFormatError(msg)
        elif number == 2:
            metric.alias = int(value)
        elif number == 3:
            metric.timestamp_ms = int(value)
        elif number == 4:
            metric.datatype = int(value)
        elif number == 7:
            metric.is_null = bool(value)
        elif number == 9:
            metric.quality = _quality(_as_bytes(number, kind, value))
        elif 10 <= number <= 18:
            raw = (number, kind, value)
    if raw is not None and not metric.is_null:
        _read_value(metric, *raw)
    return metric


def _read_value(metric: Metric, number: int, kind: int, value: int | bytes) -> None:
    if isinstance(value, int):
        metric.value = _scalar(number, value)
    elif number == 12 and len(value) == 4:
        metric.value = _shortest(value)
    elif number == 13 and len(value) == 8:
        metric.value = struct.unpack("<d", value)[0]
    elif number == 15 and kind == BYTES:
        metric.value = _text(value)
    elif number in (16, 17, 18):
        metric.kind = {16: "bytes", 17: "a data set", 18: "a template"}[number]
    else:
        msg = f"value field {number} has the wire type {kind}"
        raise WireFormatError(msg)


def _scalar(number: int, value: int) -> bool | int:
    if number == 14:
        return bool(value)
    if number in (10, 11):
        return value
    msg = f"value field {number} has the wire type {VARINT}"
    raise WireFormatError(msg)


def _shortest(data: bytes) -> float:
    """A 32-bit float as the shortest decimal that means it: 44.6 and not 44.59999847412109."""
    value: float = struct.unpack("<f", data)[0]
    if not math.isfinite(value):
        return value
    for digits in (7, 8):
        shorter = float(f"{value:.{digits}g}")
        if abs(shorter) <= _LARGEST_FLOAT and struct.pack("<f", shorter) == data:
            return shorter
    return value


def typed(value: int, datatype: int | None) -> int:
    """A whole number as its type says: the wire has them all unsigned."""
    if (bits := _SIGNED_BITS.get(datatype or 0)) is not None:
        value &= (1 << bits) - 1
        return value - (1 << bits) if value >> (bits - 1) else value
    if (bits := _UNSIGNED_BITS.get(datatype or 0)) is not None:
        return value & ((1 << bits) - 1)
    return value


def _quality(data: bytes) -> int | None:
    """The property `Quality` of a property set: 0 bad, 192 good, 500 stale."""
    keys: list[str] = []
    values: list[int | None] = []
    for number, kind, value in fields(data):
        if number == 1:
            keys.append(_text(_as_bytes(number, kind, value)))
        elif number == 2:
            whole = [part for key, _, part in fields(_as_bytes(number, kind, value)) if key in (3, 4)]
            values.append(whole[0] if whole and isinstance(whole[0], int) else None)
    return next((value for key, value in zip(keys, values, strict=False) if key.lower() == "quality"), None)


def _as_bytes(number: int, kind: int, value: int | bytes) -> bytes:
    if isinstance(value, int) or kind != BYTES:
        msg = f"field {number} has the wire type {kind}"
        raise WireFormatError(msg)
    return value


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        msg = f"a text is not UTF-8: {error}"
        raise WireFormatError(msg) from error


def encode_payload(payload: Payload) -> bytes:
    """The bytes of a payload whose values are of the types of `DataType`."""
    out = b"" if payload.timestamp_ms is None else varint_field(1, payload.timestamp_ms)
    out += b"".join(bytes_field(2, _encode_metric(metric)) for metric in payload.metrics)
    return out if payload.seq is None else out + varint_field(3, payload.seq)


def _encode_metric(metric: Metric) -> bytes:
    out = b"" if metric.name is None else bytes_field(1, metric.name.encode())
    for number, value in ((2, metric.alias), (3, metric.timestamp_ms), (4, metric.datatype)):
        out += b"" if value is None else varint_field(number, value)
    if metric.is_null:
        return out + varint_field(7, 1)
    match metric.value:
        case bool():
            return out + varint_field(14, int(metric.value))
        case int():
            return out + varint_field(11, metric.value & 0xFFFF_FFFF_FFFF_FFFF)
        case float():
            return out + fixed_field(13, struct.pack("<d", metric.value))
        case str():
            return out + bytes_field(15, metric.value.encode())
        case None:
            return out
