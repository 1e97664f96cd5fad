"""One file per dialect: each turns messages of a device into scans. They share `ingest.payload`, `wire`, `harvest`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from facility.reading import Scan
from ingest.dialects import homie, shelly, sparkplug, tasmota, zigbee2mqtt
from ingest.dialects.harvest import Tenant
from ingest.dialects.mapped_json import MappedJson
from ingest.dialects.plantroom_json import PlantroomJson
from ingest.dialects.senml import SenMl
from ingest.dialects.sparkplug import Ask
from ingest.dialects.udmi import POINTSET, STATE, Udmi
from ingest.payload import Arrival


class Decoder(Protocol):
    """Reads the messages of one channel: of one asset, or of those that share a gateway."""

    def decode(self, topic: str, payload: bytes, arrival: Arrival, /) -> tuple[Scan, ...]:
        """The scans of one message. Raises PayloadError, which carries what could be read all the same."""


def _same(topic: str) -> str:
    return topic


def _only(topic: str) -> tuple[str, ...]:
    return (topic,)


def _none(_topic: str) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """How sources of a dialect are read.

    `channel` of a source's topic: sources with the same one share a decoder. `filters` are the topics to read, `quiet`
    those of the device that are no data. `is_shared`: several assets may be behind one topic. `is_timed`: messages
    carry their own instant as a rule; otherwise a message that comes twice gives readings twice.
    """

    build: Callable[[Sequence[Tenant], Ask], Decoder]
    channel: Callable[[str], str] = _same
    filters: Callable[[str], tuple[str, ...]] = _only
    quiet: Callable[[str], tuple[str, ...]] = _none
    is_shared: bool = True
    is_timed: bool = False


def _udmi_filters(prefix: str) -> tuple[str, ...]:
    return f"{prefix.rstrip('/')}/{POINTSET}", f"{prefix.rstrip('/')}/{STATE}"


DIALECTS: Mapping[str, Dialect] = {
    "plantroom": Dialect(
        lambda tenants, _: PlantroomJson(tenants[0].asset, tenants[0].source), is_shared=False, is_timed=True
    ),
    "udmi": Dialect(
        lambda tenants, _: Udmi(tenants[0].asset, tenants[0].source),
        filters=_udmi_filters,
        quiet=lambda prefix: (f"{prefix.rstrip('/')}/#",),
        is_shared=False,
        is_timed=True,
    ),
    "sparkplug": Dialect(
        sparkplug.Sparkplug,
        sparkplug.channel,
        sparkplug.filters,
        quiet=lambda _: ("spBv1.0/+/NCMD/#", "spBv1.0/+/DCMD/#", "spBv1.0/STATE/#"),
        is_timed=True,
    ),
    "senml": Dialect(lambda tenants, _: SenMl(tenants)),
    "homie": Dialect(lambda tenants, _: homie.Homie(tenants), homie.channel, homie.filters, homie.quiet),
    "tasmota": Dialect(lambda tenants, _: tasmota.Tasmota(tenants), filters=tasmota.filters, quiet=tasmota.quiet),
    "shelly": Dialect(lambda tenants, _: shelly.Shelly(tenants), filters=shelly.filters, quiet=shelly.quiet),
    "zigbee2mqtt": Dialect(
        lambda tenants, _: zigbee2mqtt.Zigbee2Mqtt(tenants),
        zigbee2mqtt.channel,
        zigbee2mqtt.filters,
        zigbee2mqtt.quiet,
    ),
    "json": Dialect(lambda tenants, _: MappedJson(tenants)),
}
"""By the name a site file uses."""
