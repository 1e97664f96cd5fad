"""The golden cases of the dialects, and a reader that plays messages to them.

A case has `topic` and `payload` (text) or `hex`, and what comes of it: `scans`, parts of the `problems`, topics in
`asks`. `before` are messages that came earlier, `arrived` and `retained` say how the message reached us.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facility.document import load_yaml
from facility.instant import format_instant, from_us, parse_instant, to_us
from facility.reading import Quality, Scan
from facility.site_file import parse_site
from ingest.payload import Arrival, PayloadError
from ingest.routing import Router

GOLDEN = Path(__file__).resolve().parents[1] / "ingest" / "golden"
CASES = sorted(GOLDEN.glob("*/*.yaml"))
ARRIVED = "2026-11-21T09:00:00Z"
_OWN = ("plantroom", "udmi")


@dataclass
class Player:
    """One router and what it was told and asked."""

    site: str
    asks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        path = GOLDEN / self.site
        registry = parse_site(path.read_text(encoding="utf-8"), path.name)
        self.router = Router(registry, lambda topic, _payload: self.asks.append(topic))

    def play(self, message: Mapping[str, Any]) -> tuple[tuple[Scan, ...], str]:
        """The scans of a message, and what was said about it."""
        arrival = Arrival(to_us(parse_instant(message.get("arrived", ARRIVED))), message.get("retained", False))
        return self.read(message["topic"], payload_of(message), arrival)

    def read(self, topic: str, payload: bytes, arrival: Arrival) -> tuple[tuple[Scan, ...], str]:
        """The same for raw parts."""
        route = self.router.find(topic)
        assert route is not None, self.router.explain_unknown(topic)
        try:
            return route.decoder.decode(topic, payload, arrival), ""
        except PayloadError as error:
            return error.scans, str(error)


def payload_of(message: Mapping[str, Any]) -> bytes:
    """The bytes of a message of a case."""
    return bytes.fromhex(message["hex"]) if "hex" in message else str(message["payload"]).encode()


def player_of(path: Path) -> Player:
    """A new player with the building of a case."""
    return Player("site.yaml" if path.parent.name in _OWN else "devices.yaml")


def load_case(path: Path) -> Any:  # noqa: ANN401 - raw YAML of a case
    """A case as it is written."""
    return load_yaml(path.read_text(encoding="utf-8"), path.name)[0]


def as_golden(scan: Scan) -> dict[str, Any]:
    """A scan as cases write it."""
    written: dict[str, Any] = {
        "asset": scan.asset_id,
        "at": format_instant(from_us(scan.at_us)),
        "complete": scan.complete,
        "values": {value.point: value.value for value in scan.values},
    }
    qualities = {value.point: int(value.quality) for value in scan.values if value.quality != Quality.GOOD}
    return written | ({"qualities": qualities} if qualities else {})
