"""One file per dialect: each turns a message of one asset into scans. All share `ingest.payload` and `wire`."""

from collections.abc import Callable, Mapping
from typing import Protocol

from facility.asset import Asset, WirePoint
from facility.reading import Scan
from ingest.dialects.plantroom_json import PlantroomJson
from ingest.dialects.udmi import POINTSET, STATE, Udmi


class Decoder(Protocol):
    """Reads the messages of one asset in one dialect."""

    def decode(self, topic: str, payload: bytes) -> tuple[Scan, ...]:
        """The scans of one message. Raises PayloadError, which carries what could be read all the same."""


DIALECTS: Mapping[str, Callable[[Asset, Mapping[str, WirePoint]], Decoder]] = {"plantroom": PlantroomJson, "udmi": Udmi}
"""By the name a site file uses."""

TOPICS: Mapping[str, Callable[[str], tuple[str, ...]]] = {
    "plantroom": lambda topic: (topic,),
    "udmi": lambda prefix: (f"{prefix.rstrip('/')}/{POINTSET}", f"{prefix.rstrip('/')}/{STATE}"),
}
"""The exact topics of a source, from the topic (prefix) a site file gives."""
