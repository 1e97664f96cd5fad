"""A real broker, the service and a Sparkplug node that was born before we listened: the link asks, the node answers."""

import threading
from pathlib import Path

import paho.mqtt.client as mqtt
from golden import GOLDEN, load_case, payload_of
from listening import entries_of, listening
from paho.mqtt.enums import CallbackAPIVersion
from running import wait_until

from facility.reading import DeadLetter, Scan
from facility.site_file import parse_site
from ingest.broker import EmbeddedBroker
from ingest.dialects.sparkplug import REBIRTH
from ingest.dialects.sparkplug_payload import decode_payload
from ingest.link import BrokerAddress

COMMAND = "spBv1.0/Plant/NCMD/edge-1"
BIRTHS = ("node-birth-brings-the-node-online", "birth-names-its-metrics-and-carries-values")
DATA = "data-by-alias-has-the-type-of-the-birth"


class Node:
    """The edge node of the golden cases. It gives its births only when it is asked."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.commands: list[bytes] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "edge-1")
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.on_message = lambda _client, _data, message: self._obey(bytes(message.payload))
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        self._client.subscribe(COMMAND, 1)
        assert subscribed.wait(20)

    def _obey(self, command: bytes) -> None:
        self.commands.append(command)
        for name in (*BIRTHS, DATA):
            self.send(name)

    def send(self, name: str) -> None:
        case = load_case(GOLDEN / "sparkplug" / f"{name}.yaml")
        self._client.publish(case["topic"], payload_of(case), qos=1)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def scans_of(asset_id: str, journal: Path) -> list[Scan]:
    return [entry for entry in entries_of(journal) if isinstance(entry, Scan) and entry.asset_id == asset_id]


def test_the_link_asks_for_a_rebirth_and_then_reads_everything(tmp_path: Path) -> None:
    registry = parse_site((GOLDEN / "devices.yaml").read_text(encoding="utf-8"), "devices.yaml")
    with EmbeddedBroker(tmp_path / "broker", port=0) as broker:
        node = Node(broker)
        try:
            with listening(BrokerAddress(broker.host, broker.port), tmp_path, registry) as journal:
                node.send(DATA)
                found = wait_until(lambda: scans_of("chiller-1", journal)[2:], 30, "the birth and the data after it")
        finally:
            node.close()
    assert [value.value for value in found[-1].values] == [0.0]
    assert len(node.commands) == 1
    (metric,) = decode_payload(node.commands[0]).metrics
    assert (metric.name, metric.value) == (REBIRTH, True)
    letters = [entry for entry in entries_of(journal) if isinstance(entry, DeadLetter)]
    assert len(letters) == 1
    assert "asked for a rebirth" in letters[0].reason
