"""Sparkplug B: `spBv1.0/{group}/{NBIRTH|NDATA|NDEATH|DBIRTH|DDATA|DDEATH}/{node}[/{device}]`.

Reference: Eclipse Sparkplug 3.0. A birth names every metric and may give it an alias; data may carry the alias alone.
All messages of a node count in `seq`. When an alias is unknown or a number is missing, the node is asked for a rebirth
(command `Node Control/Rebirth`), never twice within 10 s, and ever more rarely while it gives none. A node's death is
that of its devices: they go offline (point `online`) and their aliases are forgotten. After a start of ingest nothing
of a node is known: its first message without birth asks for one.
"""

from collections.abc import Callable, Mapping, Sequence

from facility.reading import Quality, Scan
from ingest.dialects.harvest import Harvest, Tenant, WireTable
from ingest.dialects.protobuf import WireFormatError
from ingest.dialects.sparkplug_payload import DataType, Metric, Payload, decode_payload, encode_payload, typed
from ingest.payload import MAX_PAYLOAD_BYTES, Arrival, refuse_payload

Ask = Callable[[str, bytes], None]
"""Publishes a message to a device: topic and payload."""

REBIRTH = "Node Control/Rebirth"
_BIRTH_SEQUENCE = "bdSeq"
_NODE = ""
_DATA = ("NDATA", "DDATA")
_BIRTHS = ("NBIRTH", "DBIRTH")
_ASK_AGAIN_US = (10 * 10**6, 600 * 10**6)
_QUALITIES = {0: Quality.STALE, 500: Quality.STALE}
_LAST_MS = 253_402_300_799_000


class Sparkplug:
    """Reads one node with all its devices. Memory: the aliases of the devices that the site file names."""

    def __init__(self, tenants: Sequence[Tenant], ask: Ask) -> None:
        devices: dict[str, list[Tenant]] = {}
        for tenant in tenants:
            levels = tenant.source.topic.split("/")
            devices.setdefault(levels[3] if len(levels) == 4 else _NODE, []).append(tenant)
        _, self._group, self._node = tenants[0].source.topic.split("/")[:3]
        self._tables: Mapping[str, WireTable] = {device: WireTable(part) for device, part in devices.items()}
        self._aliases: dict[str, dict[int, Metric]] = {}
        self._ask = ask
        self._is_born = False
        self._birth_sequence: int | None = None
        self._next_seq: int | None = None
        self._asked_us: int | None = None
        self._patience_us = _ASK_AGAIN_US[0]

    def decode(self, topic: str, payload: bytes, arrival: Arrival) -> tuple[Scan, ...]:
        """The scans of one message. Raises PayloadError (with what was readable)."""
        levels = topic.split("/")
        verb, device = levels[2], levels[4] if len(levels) == 5 else _NODE
        message = _parse(topic, payload)
        harvest = Harvest(topic, arrival)
        if arrival.retained:
            # Sparkplug forbids it for all of these: a stored copy says nothing of now.
            harvest.fail("Sparkplug messages must not be retained", "Switch `retain` off at the node.")
            return harvest.scans()
        if verb == "NDEATH":
            self._bury_node(message, harvest)
            return harvest.scans()
        self._follow(verb, message, arrival)
        if verb == "NBIRTH":
            self._bear_node(message)
        if verb in _BIRTHS:
            self._bear(device, message, harvest)
        elif verb == "DDEATH":
            self._bury(device, _instant_us(None, message, harvest), harvest)
        elif verb in _DATA:
            self._read(device, message, harvest)
        return harvest.scans()

    def _follow(self, verb: str, message: Payload, arrival: Arrival) -> None:
        """Every message of the node has the next number; one that is missing may have been a birth."""
        if message.seq is None:
            return
        expected, self._next_seq = self._next_seq, (message.seq + 1) % 256
        if verb != "NBIRTH" and expected is not None and message.seq != expected and not arrival.redelivered:
            self._ask_rebirth(arrival)

    def _bear_node(self, message: Payload) -> None:
        self._is_born, self._patience_us = True, _ASK_AGAIN_US[0]
        self._aliases.clear()
        self._birth_sequence = _birth_sequence(message)

    def _bear(self, device: str, message: Payload, harvest: Harvest) -> None:
        if not self._is_born:
            self._ask_rebirth(harvest.arrival)
        table = self._tables.get(device)
        if table is None:
            return
        self._aliases[device] = {metric.alias: metric for metric in message.metrics if metric.alias is not None}
        harvest.say_online(table, online=True, at_us=_instant_us(None, message, harvest))
        for metric in message.metrics:
            if metric.name is not None:
                self._take(table, metric.name, metric, metric.datatype, message, harvest)

    def _read(self, device: str, message: Payload, harvest: Harvest) -> None:
        table = self._tables.get(device)
        aliases = self._aliases.get(device)
        if table is None:
            return
        unknown: list[int] = []
        for metric in message.metrics:
            born = aliases.get(metric.alias) if aliases is not None and metric.alias is not None else None
            name = metric.name or (born.name if born is not None else None)
            if name is None:
                unknown.append(metric.alias or 0)
                continue
            datatype = metric.datatype if metric.datatype is not None or born is None else born.datatype
            self._take(table, name, metric, datatype, message, harvest)
        if aliases is None or unknown:
            self._ask_rebirth(harvest.arrival)
        if unknown:
            what = f"the aliases {', '.join(map(str, unknown[:10]))} are unknown: no birth has named them"
            harvest.fail(what, "The node was asked for a rebirth; allow us to publish on NCMD if none comes.")

    def _take(
        self, table: WireTable, name: str, metric: Metric, datatype: int | None, message: Payload, harvest: Harvest
    ) -> None:
        if not table.find(name) or metric.is_null:
            return
        if metric.value is None:
            harvest.fail(f"{name!r} is {metric.kind}", "Map a metric with a single value.", name)
            return
        raw = metric.value
        value = typed(raw, datatype) if isinstance(raw, int) and not isinstance(raw, bool) else raw
        quality = _QUALITIES.get(metric.quality, Quality.GOOD) if metric.quality is not None else Quality.GOOD
        harvest.add(table, name, value, _instant_us(metric.timestamp_ms, message, harvest), quality=quality)

    def _bury_node(self, message: Payload, harvest: Harvest) -> None:
        """The will of a node: its stamp is from when it connected, so it died when the will arrived."""
        number = _birth_sequence(message)
        if self._is_born and None not in (number, self._birth_sequence) and number != self._birth_sequence:
            return  # of an older session of the node: it is back already
        self._is_born, self._next_seq = False, None
        for device in self._tables:
            self._bury(device, harvest.arrival.at_us, harvest)

    def _bury(self, device: str, at_us: int, harvest: Harvest) -> None:
        self._aliases.pop(device, None)
        if device in self._tables:
            harvest.say_online(self._tables[device], online=False, at_us=at_us)

    def _ask_rebirth(self, arrival: Arrival) -> None:
        now_us = arrival.at_us
        if self._asked_us is not None and 0 <= now_us - self._asked_us < self._patience_us:
            return
        if self._asked_us is not None:
            self._patience_us = min(self._patience_us * 2, _ASK_AGAIN_US[1])
        self._asked_us = now_us
        now_ms = max(0, now_us // 1000)
        command = Metric(REBIRTH, timestamp_ms=now_ms, datatype=DataType.BOOLEAN, value=True)
        self._ask(f"spBv1.0/{self._group}/NCMD/{self._node}", encode_payload(Payload([command], now_ms)))


def channel(topic: str) -> str:
    """Devices of one node are read together: `spBv1.0/GROUP/NODE`."""
    return "/".join(topic.split("/")[:3])


def filters(topic: str) -> tuple[str, ...]:
    """The topics of the node of a source."""
    _, group, node = topic.split("/")[:3]
    return tuple(
        f"spBv1.0/{group}/{verb}/{node}{'/+' if verb[0] == 'D' else ''}"
        for verb in (*_BIRTHS, *_DATA, "NDEATH", "DDEATH")
    )


def _parse(topic: str, payload: bytes) -> Payload:
    if len(payload) > MAX_PAYLOAD_BYTES:
        what = f"the payload has {len(payload):,} bytes; at most {MAX_PAYLOAD_BYTES:,} are read"
        raise refuse_payload(topic, what, "Send fewer metrics in one message.")
    try:
        return decode_payload(payload)
    except WireFormatError as error:
        raise refuse_payload(topic, f"the payload is not Sparkplug B: {error}", "Send protobuf.") from error


def _birth_sequence(message: Payload) -> int | None:
    for metric in message.metrics:
        if metric.name == _BIRTH_SEQUENCE and isinstance(metric.value, int):
            return metric.value
    return None


def _instant_us(own_ms: int | None, message: Payload, harvest: Harvest) -> int:
    """A metric's own time, or the message's, or that of arrival."""
    at_ms = own_ms if own_ms is not None else message.timestamp_ms
    if at_ms is None:
        return harvest.arrival.at_us
    if at_ms > _LAST_MS:
        harvest.fail(f"{at_ms} ms is no instant before the year 10000", "Send milliseconds since 1970.", "timestamp")
        return harvest.arrival.at_us
    return at_ms * 1000
