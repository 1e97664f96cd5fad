"""A real broker, the service and a Sparkplug node that was born before we listened: the link asks, the node answers."""

import threading
from pathlib import Path

import paho.mqtt.client as mqtt
from golden import GOLDEN, load_case, payload_of
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client import CollectorRegistry
from running import wait_until

from facility.clock import RealClock
from facility.reading import DeadLetter, Scan
from facility.site_file import parse_site
from ingest.broker import EmbeddedBroker
from ingest.dialects.sparkplug import REBIRTH
from ingest.dialects.sparkplug_payload import decode_payload
from ingest.journal import JournalReader, JournalWriter
from ingest.link import BrokerAddress
from ingest.service import IngestService, IngestSettings

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


def entries(folder: Path) -> list[object]:
    with JournalReader(folder) as reader:
        return [entry for commit in reader.read(0, 1_000) for entry in commit.entries]


def scans_of(asset_id: str, folder: Path) -> list[Scan]:
    return [entry for entry in entries(folder) if isinstance(entry, Scan) and entry.asset_id == asset_id]


def test_the_link_asks_for_a_rebirth_and_then_reads_everything(tmp_path: Path) -> None:
    registry = parse_site((GOLDEN / "devices.yaml").read_text(encoding="utf-8"), "devices.yaml")
    stop = threading.Event()
    with EmbeddedBroker(tmp_path / "broker", port=0) as broker, JournalWriter(tmp_path / "journal") as writer:
        service = IngestService(
            BrokerAddress(broker.host, broker.port),
            writer,
            tmp_path / "journal",
            tmp_path / "spool",
            registry,
            RealClock(),
            IngestSettings(allowance_us=2_000_000),
            CollectorRegistry(),
        )
        thread = threading.Thread(target=service.run, args=(stop,))
        thread.start()
        node = Node(broker)
        try:
            assert service.listening.wait(30)
            node.send(DATA)
            found = wait_until(
                lambda: [e for e in entries(tmp_path / "journal") if isinstance(e, Scan) and e.asset_id == "chiller-1"][
                    2:
                ],
                30,
                "the birth and the data after it",
            )
        finally:
            node.close()
            stop.set()
            thread.join(30)
    assert [value.value for value in found[-1].values] == [0.0]
    assert len(node.commands) == 1
    (metric,) = decode_payload(node.commands[0]).metrics
    assert (metric.name, metric.value) == (REBIRTH, True)
    letters = [entry for entry in entries(tmp_path / "journal") if isinstance(entry, DeadLetter)]
    assert len(letters) == 1
    assert "asked for a rebirth" in letters[0].reason
