"""The program's own voice on the wire: a client that publishes what the monitor says of itself, at QoS 1.

The broker may be away: then the newest few messages wait, and older ones are dropped, because what the monitor said of
itself an hour ago helps nobody.
"""

import threading
import uuid
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ingest.link import BrokerAddress

_KEEPALIVE_S = 30
_WAITING = 3


class SelfReporter:
    """One connection that comes back by itself. `say` never blocks; `close` leaves."""

    def __init__(self, address: BrokerAddress, client_id: str | None = None) -> None:
        client_id = client_id or f"plantroom-self-{uuid.uuid4().hex[:8]}"  # the broker ends one for another of its name
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id, clean_session=True, protocol=mqtt.MQTTv311
        )  # fmt: skip
        self._client.max_queued_messages_set(_WAITING)
        self._client.max_inflight_messages_set(_WAITING)
        self._client.reconnect_delay_set(1, 30)
        if address.user is not None:
            self._client.username_pw_set(address.user, address.password)
        if address.ca_file is not None:
            self._client.tls_set(ca_certs=address.ca_file)
        self._there = threading.Event()
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.connect_async(address.host, address.port, _KEEPALIVE_S)
        self._client.loop_start()

    def say(self, topic: str, payload: bytes) -> bool:
        """Publish; False when there is no connection, and the message is dropped."""
        if not self._there.is_set():
            return False
        return self._client.publish(topic, payload, qos=1).rc == mqtt.MQTT_ERR_SUCCESS

    def close(self) -> None:
        """Take leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, _client: mqtt.Client, _data: Any, _flags: Any, code: Any, _more: Any) -> None:  # noqa: ANN401 - paho's own signature
        if not code.is_failure:
            self._there.set()

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, _code: Any, _more: Any) -> None:  # noqa: ANN401 - paho's own signature
        self._there.clear()
