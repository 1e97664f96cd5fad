"""The very files the containers mount, on real servers: Mosquitto's from Debian, PostgreSQL's, InfluxDB's in Docker."""

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from brokers import program
from paho.mqtt.enums import CallbackAPIVersion
from production import house_broker, installed
from pydantic import SecretStr
from running import wait_until

from facility.catalogue import PointKind
from facility.clock import RealClock
from facility.instant import to_us
from facility.reading import Reading
from facility.site_file import parse_site
from ingest.conformance_listen import probe
from ingest.dialects.plantroom_json import own_topic
from ingest.link import BrokerAddress
from ingest.self_report import SelfReporter
from ingest.stores.influx import InfluxStore
from ingest.stores.influx_setup import set_up
from ingest.stores.influx_wire import InfluxAddress
from ingest.stores.keeping import Keep, KeepPolicy

ROOT = Path(__file__).resolve().parents[2]
MANY = 2_500


def unavailable(reason: str) -> None:
    if os.environ.get("PLANTROOM_REQUIRE_REAL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """Mosquitto with our files and one device; its port."""
    installed(tmp_path)
    command = [program("mosquitto_passwd"), "-b", str(tmp_path / "mqtt/passwords"), "device", "of-device"]
    subprocess.run(command, check=True, capture_output=True)
    (tmp_path / "mqtt/acl").write_text("user device\ntopic write plantroom/+/+/readings\n", encoding="ascii")
    with house_broker(tmp_path, shards="north south") as running:
        yield running.port


class Person:
    """One client at the broker, with what it heard."""

    def __init__(self, port: int, user: str | None, *, name: str = "", stays: bool = False, expected: int = 1) -> None:
        self.code = ""
        self.heard: list[bytes] = []
        self.connected, self.granted, self.enough = threading.Event(), threading.Event(), threading.Event()
        self.expected = expected
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, name, clean_session=not stays)
        self.client.max_queued_messages_set(0)
        self.client.max_inflight_messages_set(1000)
        if user is not None:
            self.client.username_pw_set(user, f"of-{user.removesuffix('-south')}")
        self.client.on_connect = lambda _client, _data, _flags, code, _more: self._connected(str(code))
        self.client.on_message = lambda _client, _data, message: self._heard(bytes(message.payload))
        self.client.on_subscribe = lambda *_: self.granted.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.connected.wait(10)

    def _connected(self, code: str) -> None:
        self.code = code
        self.connected.set()

    def _heard(self, payload: bytes) -> None:
        self.heard.append(payload)
        if len(self.heard) >= self.expected:
            self.enough.set()

    def subscribe(self, topic: str) -> None:
        self.client.subscribe(topic, 1)
        assert self.granted.wait(10)

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.service
def test_the_broker_holds_far_more_than_its_default_for_an_ingest_that_is_away(broker: int) -> None:
    ingest = Person(broker, "plantroom", name="plantroom-ingest", stays=True)
    ingest.subscribe("plantroom/+/+/readings")
    ingest.leave()
    device = Person(broker, "device")
    sent = [device.client.publish("plantroom/s/a/readings", str(number), qos=1) for number in range(MANY)]
    sent[-1].wait_for_publish(60)
    device.leave()
    back = Person(broker, "plantroom", name="plantroom-ingest", stays=True, expected=MANY)
    assert back.enough.wait(60), f"{len(back.heard)} of {MANY}"
    back.leave()
    assert back.heard == [str(number).encode() for number in range(MANY)]


@pytest.mark.service
def test_the_broker_refuses_strangers_and_devices_that_listen_or_write_elsewhere(broker: int) -> None:
    stranger = Person(broker, None)
    assert stranger.code == "Not authorized"
    stranger.leave()
    ingest, device = Person(broker, "plantroom", expected=2), Person(broker, "device")
    ingest.subscribe("#")
    device.subscribe("#")
    device.client.publish("plantroom/$ingest/heartbeat", "forged", qos=1).wait_for_publish(10)
    device.client.publish("plantroom/s/a/other", "elsewhere", qos=1).wait_for_publish(10)
    device.client.publish("plantroom/s/a/readings", "mine", qos=1).wait_for_publish(10)
    ingest.client.publish("plantroom/$ingest/heartbeat", "beat", qos=1).wait_for_publish(10)
    assert ingest.enough.wait(10)
    ingest.leave()
    device.leave()
    assert ingest.heard == [b"mine", b"beat"]
    assert device.heard == []


@pytest.mark.service
def test_the_ingest_of_each_shard_reads_everything_and_writes_its_own_heartbeat(broker: int) -> None:
    main, south = Person(broker, "plantroom", expected=2), Person(broker, "plantroom-south", expected=2)
    for one in (main, south):
        assert one.code == "Success"
        one.subscribe("#")
    for topic, beat in (("plantroom/$ingest/heartbeat", "forged"), ("plantroom/$ingest/heartbeat/south", "beat")):
        south.client.publish(topic, beat, qos=1).wait_for_publish(10)
    device = Person(broker, "device")
    device.client.publish("plantroom/s/a/readings", "heard by both", qos=1).wait_for_publish(10)
    for one in (main, south):
        assert one.enough.wait(10)
        assert one.heard == [b"beat", b"heard by both"]
    for one in (main, south, device):
        one.leave()


@pytest.mark.service
def test_the_doctors_probe_comes_back_and_the_monitor_may_speak_of_itself(broker: int) -> None:
    address = BrokerAddress("127.0.0.1", broker, user="plantroom", password="of-plantroom")  # noqa: S106 - ends with the test
    assert probe(address, RealClock(), threading.Event()) is not None
    ingest, reporter = Person(broker, "plantroom"), SelfReporter(address)
    ingest.subscribe("plantroom/#")
    wait_until(lambda: reporter.say(own_topic("s", "monitor"), b"me"), 10, "the reporter to connect")
    assert ingest.enough.wait(10)
    reporter.close()
    ingest.leave()
    assert ingest.heard == [b"me"]


@pytest.fixture(scope="module")
def influx_address() -> Iterator[str]:
    """InfluxDB 2.7 in a container, set up as docker-compose.yml does it; its address."""
    if "DOCKER_HOST" not in os.environ and not Path("/var/run/docker.sock").exists():
        unavailable("no Docker engine for InfluxDB 2.7: neither DOCKER_HOST nor /var/run/docker.sock is there")
    from testcontainers.community.influxdb import InfluxDb2Container  # noqa: PLC0415 - it looks for Docker at import

    with InfluxDb2Container(
        "influxdb:2.7", init_mode="setup", username="plantroom", password="of-plantroom",  # noqa: S106 - ends with the test
        org_name="plantroom", bucket="plantroom", admin_token="token-of-plantroom",  # noqa: S106 - ends with the test
    ) as container:  # fmt: skip
        yield container.get_url()


def test_influxdb_serves_a_bucket_to_influxql_under_its_own_name(influx_address: str) -> None:
    import httpx  # noqa: PLC0415 - only needed where a Docker engine runs

    headers = {"Authorization": "Token token-of-plantroom"}
    line = "ahu,asset=a,building=b,point=p,site=s value=1.5,quality=0i 1760000000000000"
    write = {"org": "plantroom", "bucket": "plantroom", "precision": "us"}
    written = httpx.post(f"{influx_address}/api/v2/write", params=write, headers=headers, content=line)
    assert written.status_code == 204
    ask = {"db": "plantroom", "q": 'SELECT mean("value") FROM "ahu" WHERE "quality" = 0'}
    answer = httpx.get(f"{influx_address}/query", params=ask, headers=headers).json()
    assert answer["results"][0]["series"][0]["values"][0][1] == 1.5


def test_influxdb_is_set_up_and_keeps_old_readings_coarsely(influx_address: str, tmp_path: Path) -> None:
    address = InfluxAddress(influx_address, "plantroom", "plantroom", SecretStr("token-of-plantroom"))
    policy = KeepPolicy({PointKind.SENSOR: Keep(raw_days=2, five_minute_days=10)})
    assets = "[{id: a, class: ahu, points: [supply_air_temperature]}]"
    registry = parse_site(f"site: {{id: s, zone: UTC}}\nbuildings: [{{id: b, assets: {assets}}}]\n", "site.yaml")
    assert len(set_up(address, policy)) == len(set_up(address, policy)) == 5
    store = InfluxStore(address, tmp_path / "cursor", lambda: registry, policy)
    minute_us, day_us = 60_000_000, 86_400_000_000
    now_us = to_us(RealClock().now()) // day_us * day_us
    at_us = now_us - 3 * day_us
    store.write(1, 1, [Reading("a", "supply_air_temperature", at_us + n * minute_us, float(n)) for n in range(10)])
    while store.thin(now_us):
        continue
    found = store.read("a", "supply_air_temperature", at_us, now_us)
    assert [(reading.at_us - at_us, reading.value) for reading in found] == [(0, 2.0), (5 * minute_us, 7.0)]
    store.close()
