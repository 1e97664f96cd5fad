"""What a message of an unknown device tells: who speaks, in which dialect, and what it calls its values.

Told from the topic and the shape of the payload alone. Nothing here raises on what a device sends.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from facility.reading import Value
from ingest.dialects.protobuf import WireFormatError
from ingest.dialects.sparkplug_payload import decode_payload

MAX_VALUES = 64
MAX_NAME = 128
MAX_VALUE = 64
_MAX_BYTES = 64 * 1024
_MAX_DEPTH = 6
_TIMES = ("at", "time", "timestamp", "ts", "t")


@dataclass(frozen=True, slots=True)
class Named:
    """One value under the name the device gives it; `unit` as the device says it, empty when it does not."""

    name: str
    value: Value | bool
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """Who speaks: `key` is the topic (prefix) a site file names, `dialect` how it speaks, `words` what its name says.

    `time` is where the instant stands, for the dialect json. `dialect` is empty where nobody measures anything.
    """

    key: str
    dialect: str
    words: str
    values: tuple[Named, ...] = ()
    time: str = ""


_TOPICS: tuple[tuple[str, str, str, str], ...] = (
    (r"zigbee2mqtt/bridge/.*|homeassistant/.*|tasmota/discovery/.*|cmnd/.*|stat/.*|.*/rpc/.*", "", "", ""),
    (r"plantroom/[^/]+/(?P<words>[^/]+)/readings", "plantroom", "", ""),
    (r"zigbee2mqtt/(?P<words>.+?)(?:/availability)?", "zigbee2mqtt", "zigbee2mqtt/{words}", ""),
    (r"(?P<key>(?:.*/)?tele/(?P<words>[^/]+))/[^/]+", "tasmota", "", ""),
    (r"spBv1\.0/(?P<a>[^/]+)/(?P<b>[^/]+)/(?P<words>[^/]+)", "sparkplug", "spBv1.0/{a}/{words}", ""),
    (r"spBv1\.0/(?P<a>[^/]+)/[^/]+/(?P<b>[^/]+)/(?P<words>[^/]+)", "sparkplug", "spBv1.0/{a}/{b}/{words}", ""),
    (r"(?P<key>(?:.*/)?5/(?P<words>[^/]+))/(?P<name>[^$/][^/]*/[^$/][^/]*)", "homie", "", "name"),
    (r"(?P<key>(?:.*/)?5/(?P<words>[^/]+))/\$.*", "homie", "", ""),
    (r"(?P<key>(?P<words>shelly[^/]*|[^/]+))/(?:status/(?P<name>[^/]+:\d+)|events/rpc)", "shelly", "", "prefix"),
    (r"(?P<key>(?:.*/)?(?P<words>[^/]+))/(?:events/pointset|state)", "udmi", "", ""),
)
"""Pattern of the whole topic, dialect, how the key is made (empty: the group `key`, else the topic), use of `name`.

Without a dialect it is no device at all: a bridge about itself, somebody's discovery, commands and their answers.
"""
_COMPILED = tuple((re.compile(pattern), dialect, made, use) for pattern, dialect, made, use in _TOPICS)


def shape_of(topic: str, payload: bytes) -> Shape:
    """What this message tells."""
    for pattern, dialect, made, use in _COMPILED:
        if match := pattern.fullmatch(topic):
            groups = {name: text or "" for name, text in match.groupdict().items()}
            key = made.format(**groups) if made else groups.get("key", topic)
            words, name = groups.get("words", topic), groups.get("name", "")
            if not dialect:
                return Shape(topic, "", topic)
            if use == "name":
                return Shape(key, dialect, words, tuple(_scalar(name, payload)))
            return Shape(key, dialect, words, _values(dialect, payload, name if use == "prefix" else ""))
    return _plain(topic, payload)


def _plain(topic: str, payload: bytes) -> Shape:
    data = _parse(payload)
    if isinstance(data, list) and data and isinstance(data[0], dict) and {"n", "bn", "v", "u"} & data[0].keys():
        return Shape(topic, "senml", topic, tuple(_senml(data)))
    time = ""
    if isinstance(data, dict):
        time = next((name for name in _TIMES if isinstance(data.get(name), str | int | float)), "")
    values = [one for one in _flat(data, "") if one.name != time] if isinstance(data, dict | list) else []
    if not values:
        values = list(_scalar(topic.rpartition("/")[2], payload))
    return Shape(topic, "json", topic, tuple(values[:MAX_VALUES]), time)


def _values(dialect: str, payload: bytes, prefix: str) -> tuple[Named, ...]:
    if dialect == "sparkplug":
        return tuple(_metrics(payload))
    data = _parse(payload)
    if not isinstance(data, dict | list):
        return ()
    if dialect == "plantroom":
        items = data if isinstance(data, list) else [data]
        found = [one for item in items[:20] if isinstance(item, dict) for one in _flat(item.get("values"), "")]
    elif dialect == "udmi":
        points = data.get("points") if isinstance(data, dict) else None
        found = [
            one
            for name, point in (points.items() if isinstance(points, dict) else ())
            if isinstance(point, dict)
            for one in _flat(point.get("present_value"), str(name))
        ]
    elif dialect == "shelly" and isinstance(data, dict) and isinstance(data.get("params"), dict):
        found = list(_flat({name: part for name, part in data["params"].items() if name != "ts"}, ""))
    else:
        found = list(_flat(data, prefix))
    skipped = ("Time", "linkquality", "last_seen", "update", "update_available")
    return tuple({one.name: one for one in found if one.name.split(".")[0] not in skipped}.values())[:MAX_VALUES]


def _metrics(payload: bytes) -> Iterator[Named]:
    """Only a birth names its metrics."""
    try:
        metrics = decode_payload(payload).metrics if len(payload) <= _MAX_BYTES else []
    except WireFormatError:
        return
    for metric in metrics[:MAX_VALUES]:
        if metric.name and metric.value is not None and metric.name != "bdSeq":
            yield from _flat(metric.value, metric.name)


def _senml(records: list[object]) -> Iterator[Named]:
    base_name, base_unit = "", ""
    for record in records[:MAX_VALUES]:
        if not isinstance(record, dict):
            continue
        base_name, base_unit = str(record.get("bn", base_name)), str(record.get("bu", base_unit))
        for part in ("v", "vs", "vb"):
            name = f"{base_name}{record.get('n', '')}"
            if part in record and name:
                for one in _flat(record[part], name):
                    yield Named(one.name, one.value, str(record.get("u", base_unit))[:16])


def _scalar(name: str, payload: bytes) -> Iterator[Named]:
    text = payload[: MAX_VALUE + 1].decode("utf-8", "replace").strip()
    data = _parse(payload)
    if isinstance(data, dict | list) or not text:
        return
    if isinstance(data, bool | int | float | str):
        yield from _flat(data, name)
    else:
        yield Named(name[:MAX_NAME], text[:MAX_VALUE])


def _parse(payload: bytes) -> object:
    if len(payload) > _MAX_BYTES:
        return None
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _flat(value: object, name: str, depth: int = 0) -> Iterator[Named]:
    """Every single value by its dotted name, as the dialects have it: `DHT11.Temperature`, `ENERGY.Power[1]`."""
    if isinstance(value, dict):
        if depth < _MAX_DEPTH:
            for key, part in list(value.items())[:MAX_VALUES]:
                yield from _flat(part, f"{name}.{key}" if name else str(key), depth + 1)
    elif isinstance(value, list):
        if depth < _MAX_DEPTH:
            for index, part in enumerate(value[:16]):
                yield from _flat(part, f"{name}[{index}]", depth + 1)
    elif isinstance(value, bool) and 0 < len(name) <= MAX_NAME:
        yield Named(name, value)
    elif isinstance(value, int | float) and 0 < len(name) <= MAX_NAME:
        yield Named(name, _float(value))
    elif isinstance(value, str) and 0 < len(name) <= MAX_NAME:
        yield Named(name, value[:MAX_VALUE])


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return 0.0
