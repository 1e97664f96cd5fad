"""The MQTT client that a setting names."""

from ingest.link import BrokerAddress, ClientKind, Link
from ingest.mqtt_paho import PahoLink
from ingest.mqtt_raw import RawLink


def make_link(kind: ClientKind, address: BrokerAddress) -> Link:
    """A link that is not connected yet."""
    return RawLink(address) if kind is ClientKind.RAW else PahoLink(address)
