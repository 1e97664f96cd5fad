"""`plantroom mqtt credentials` on a real Mosquitto with the very files: who comes in, who writes what, what goes by."""

import csv
import socket
import ssl
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from production import INGEST_PASSWORD, HouseBroker, house_broker, installed

from facility.errors import InputError
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.broker_users import broker_users
from ingest.link import BrokerAddress, ClientKind
from ingest.mqtt_link import make_link
from plantroom.broker_credentials import Changed, update_credentials
from plantroom.production_files import Place

SITE = """
site: {id: s, zone: UTC}
buildings:
  - id: b
    assets:
      - {id: a, class: tank, points: [tank_level]}
      - {id: b-1, class: tank, points: [tank_level]}
      - {id: gw, class: gateway, points: [online], controls: [b-1]}
      - {id: node, class: gateway, points: [online], source: {dialect: sparkplug, topic: spBv1.0/G/node}}
      - id: wide
        class: tank
        points: [tank_level]
        source: {dialect: json, topic: w/+/level, points: {v: {point: tank_level}}}
      - id: narrow
        class: tank
        points: [tank_level]
        source: {dialect: json, topic: w/7/level, points: {v: {point: tank_level}}}
"""


def site(text: str = SITE) -> Registry:
    return parse_site(text, "site.yaml")


def passwords(root: Path) -> dict[str, str]:
    with Place(root).handover.open(encoding="utf-8", newline="") as file:
        return {row["user"]: row["password"] for row in csv.DictReader(file)}


def update(root: Path, registry: Registry, *rotate: str) -> Changed:
    place = Place(root)
    return update_credentials(broker_users(registry), place.broker, place.handover, rotate)


class Device:
    """A client of the broker as an installer sets it up."""

    def __init__(
        self, port: int, user: str | None, password: str = "", authority: Path | None = None, listens: str = "",
        client_id: str = "",
    ) -> None:  # fmt: skip
        self.code, self.heard = "", list[str]()
        self.granted, self._told = threading.Event(), threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5)
        if user is not None:
            self._client.username_pw_set(user, password)
        if authority is not None:
            trusted = ssl.create_default_context(cafile=str(authority))
            trusted.verify_flags |= ssl.VERIFY_X509_STRICT
            self._client.tls_set_context(trusted)
        self._client.on_connect = lambda _client, _data, _flags, code, _more: self._answer(str(code))
        self._client.on_message = lambda _client, _data, message: self.heard.append(message.topic)
        self._client.on_subscribe = lambda *_: self.granted.set()
        self._client.connect("localhost" if authority is not None else "127.0.0.1", port)
        self._client.loop_start()
        assert self._told.wait(10)
        if listens:
            self._client.subscribe(listens, 1)
            assert self.granted.wait(10)

    def _answer(self, code: str) -> None:
        self.code = code
        self._told.set()

    def publish(self, topic: str, body: str = "x") -> None:
        self._client.publish(topic, body, qos=1).wait_for_publish(10)

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HouseBroker]:
    root = installed(tmp_path_factory.mktemp("broker"))
    update(root, site())
    with house_broker(root) as running:
        yield running


def device(broker: HouseBroker, name: str, listens: str = "") -> Device:
    found = Device(broker.tls_port, name, passwords(broker.root)[name], broker.root / "tls/ca.pem", listens)
    assert found.code == "Success"
    return found


@pytest.mark.service
def test_each_device_writes_its_own_topics_and_ingest_never_sees_the_rest(broker: HouseBroker) -> None:
    ingest = make_link(ClientKind.RAW, BrokerAddress("127.0.0.1", broker.port, "ingest", "plantroom", INGEST_PASSWORD))
    assert ingest.open(threading.Event())
    allowed = {
        "a": ["plantroom/s/a/readings"],
        "gw": ["plantroom/s/gw/readings", "plantroom/s/b-1/readings"],
        "node": ["spBv1.0/G/NBIRTH/node", "spBv1.0/G/DDATA/node/d"],
        "wide": ["w/8/level"],
        "narrow": ["w/7/level"],
    }
    refused = {
        "a": ["plantroom/s/b-1/readings", "plantroom/$ingest/heartbeat", "spBv1.0/G/NBIRTH/node", "else", "$SYS/x"],
        "gw": ["plantroom/s/a/readings"],
        "node": ["spBv1.0/G/NBIRTH/other", "spBv1.0/G/NCMD/node"],
        "wide": ["w/7/level", "w/8/other"],
        "narrow": ["w/8/level"],
    }
    for name, topics in allowed.items():
        one = device(broker, name)
        for topic in (*refused[name], *topics):
            one.publish(topic)
        one.leave()
    wanted, seen = [topic for topics in allowed.values() for topic in topics], list[str]()
    ingest.publish("plantroom/$ingest/heartbeat", b"end")
    for _ in range(100):
        found = ingest.read(100, 0.1)
        ingest.acknowledge(found)
        seen += [one.topic for one in found if not one.topic.startswith("$SYS/")]
        if any(one.payload == b"end" for one in found):
            break
    ingest.close()
    seen.remove("plantroom/$ingest/heartbeat")
    assert sorted(seen) == sorted(wanted)


@pytest.mark.service
def test_a_device_cannot_take_the_session_of_ingest(broker: HouseBroker) -> None:
    address = BrokerAddress("127.0.0.1", broker.port, user="plantroom", password=INGEST_PASSWORD)
    ingest = make_link(ClientKind.RAW, address)
    assert ingest.open(threading.Event())
    ingest.close()
    one = device(broker, "a")
    one.publish("plantroom/s/a/readings", "kept")
    one.leave()
    thief = Device(
        broker.tls_port, "a", passwords(broker.root)["a"], broker.root / "tls/ca.pem", client_id=address.client_id
    )
    assert thief.code == "Success"
    thief.leave()
    ingest = make_link(ClientKind.RAW, address)
    assert ingest.open(threading.Event())
    held: list[bytes] = []
    for _ in range(50):
        found = ingest.read(100, 0.1)
        ingest.acknowledge(found)
        held += [one.payload for one in found]
        if b"kept" in held:
            break
    ingest.close()
    assert b"kept" in held


@pytest.mark.service
def test_a_device_hears_its_own_commands_and_nothing_else(broker: HouseBroker) -> None:
    node, other = device(broker, "node", "spBv1.0/G/NCMD/node"), device(broker, "a", "#")
    ingest = Device(broker.port, "plantroom", INGEST_PASSWORD)
    for topic in ("plantroom/$ingest/heartbeat", "spBv1.0/G/NCMD/node"):
        ingest.publish(topic)
    for one in (ingest, node, other):
        one.publish("end")  # what was delivered before is heard before this is acknowledged
        one.leave()
    assert node.heard == ["spBv1.0/G/NCMD/node"]
    assert other.heard == []


@pytest.mark.service
def test_nobody_comes_in_without_a_name_or_with_a_wrong_password_or_without_tls(broker: HouseBroker) -> None:
    authority = broker.root / "tls/ca.pem"
    right = passwords(broker.root)["a"]
    tries = ((None, ""), ("a", ""), ("a", right + "x"), ("b-1", right), ("device", right))
    for user, password in tries:
        stranger = Device(broker.tls_port, user, password, authority)
        assert "Not authorized" in stranger.code or "Bad user name" in stranger.code, (user, stranger.code)
        stranger.leave()
    assert answer_without_tls(broker.tls_port)[:1] != b"\x20"


def answer_without_tls(port: int) -> bytes:
    """What the broker says to who speaks MQTT without TLS; nothing when it hangs up."""
    with socket.create_connection(("127.0.0.1", port), 5) as plain:
        plain.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01x")
        try:
            return plain.recv(10)
        except ConnectionResetError:
            return b""


@pytest.mark.service
def test_a_changed_password_and_a_device_that_left_count_at_once(tmp_path: Path) -> None:
    root = installed(tmp_path)
    update(root, site())
    before = passwords(root)
    with house_broker(root) as running:
        stays = device(running, "node")
        fewer = site(SITE.replace("      - {id: a, class: tank, points: [tank_level]}\n", ""))
        done = update(root, fewer, "b-1")
        assert (done.rotated, done.removed) == (("b-1",), ("a",))
        running.reload()
        device(running, "b-1").leave()
        authority = root / "tls/ca.pem"
        for name in ("a", "b-1"):
            old = Device(running.tls_port, name, before[name], authority)
            assert old.code != "Success", name
            old.leave()
        stays.publish("spBv1.0/G/NDATA/node")
        assert stays.code == "Success"
        stays.leave()


@pytest.mark.service
@pytest.mark.parametrize("profiles", ["", "simulator"])
def test_the_simulator_comes_in_only_with_its_profile(tmp_path: Path, profiles: str) -> None:
    with house_broker(installed(tmp_path), profiles=profiles) as running:
        ingest = Device(running.port, "plantroom", INGEST_PASSWORD, listens="plantroom/#")
        simulator = Device(running.port, "simulator", "of-simulator")
        assert (simulator.code == "Success") is bool(profiles)
        if profiles:
            for topic in ("plantroom/$ingest/heartbeat", "plantroom/s/a/readings"):
                simulator.publish(topic)
            ingest.publish("end")
        for one in (simulator, ingest):
            one.leave()
    assert ingest.heard == (["plantroom/s/a/readings"] if profiles else [])


def test_what_exists_is_kept_and_only_the_installer_reads_passwords(tmp_path: Path) -> None:
    root = installed(tmp_path)
    first = update(root, site())
    assert len(first.made) == 6
    files = [root / "mqtt/passwords", root / "mqtt/acl", Place(root).handover]
    before = [path.read_bytes() for path in files]
    second = update(root, site())
    assert (second.made, second.rotated, second.removed) == ((), (), ())
    assert set(second.kept) == set(first.made)
    assert [path.read_bytes() for path in files] == before
    assert stat.S_IMODE(files[2].stat().st_mode) == 0o600
    assert [stat.S_IMODE(path.stat().st_mode) for path in files[:2]] == [0o640, 0o640]
    told = passwords(root)
    assert len(set(told.values())) == 6
    assert all(len(password) == 24 for password in told.values())
    assert not [password for password in told.values() if password.encode() in before[0] + before[1]]
    files[2].unlink()  # handed over
    update(root, site(), "a")
    assert set(passwords(root)) == {"a"}, "only what is new has to be handed over"
    assert files[0].read_bytes() != before[0]


def test_a_user_nobody_knows_and_a_damaged_file_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    root = installed(tmp_path)
    update(root, site())
    before = passwords(root)
    with pytest.raises(InputError, match="there is no user 'x'"):
        update(root, site(), "x")
    path = root / "mqtt/passwords"
    path.write_text("what is this\n")
    with pytest.raises(InputError, match="no line of a password file"):
        update(root, site(), "a")
    assert path.read_text() == "what is this\n"
    assert passwords(root) == before
