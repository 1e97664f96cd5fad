"""One suite for both MQTT clients, on the embedded broker, on Mosquitto, and on a broker that misbehaves."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from brokers import Broker, Mosquitto, Nats, broker_by_hand, make_certificate
from running import wait_until

from ingest.link import BrokerAddress, ClientKind, Delivery, Link, LinkError
from ingest.mqtt_frames import acknowledgements, publish
from ingest.mqtt_link import make_link
from ingest.mqtt_raw import RawLink

STOP = threading.Event()


@pytest.fixture(params=list(ClientKind))
def kind(request: pytest.FixtureRequest) -> ClientKind:
    return ClientKind(request.param)


@pytest.fixture(params=["nats", pytest.param("mosquitto", marks=pytest.mark.service)])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    found: Broker = Nats(tmp_path) if request.param == "nats" else Mosquitto(tmp_path)
    found.start()
    yield found
    found.kill()


def opened(kind: ClientKind, port: int, client_id: str = "own", filters: Sequence[str] = (), **more: str) -> Link:
    link = make_link(kind, BrokerAddress("127.0.0.1", port, client_id, **more))
    if filters:
        link.want(filters)
    assert link.open(STOP)
    return link


def receive(link: Link, count: int, limit: int = 100) -> list[Delivery]:
    found: list[Delivery] = []
    for _ in range(200):
        found += link.read(min(limit, count - len(found)), 0.1)
        if len(found) >= count:
            return found
    pytest.fail(f"got {len(found)} of {count} messages")


def drain(link: Link, is_enough: Callable[[list[Delivery]], bool]) -> list[Delivery]:
    found: list[Delivery] = []
    for _ in range(400):
        found += link.read(50, 0.05)
        if is_enough(found):
            return found
    pytest.fail(f"it ended with {[one.payload for one in found]}; lost: {link.lost}")


def test_messages_come_in_order_and_once(kind: ClientKind, broker: Broker) -> None:
    link, sender = opened(kind, broker.port), opened(ClientKind.PAHO, broker.port, "other")
    bodies = [b"%d" % number + b"x" * (number * 37 % 400) for number in range(40)]
    for body in bodies:
        sender.publish("a/b", body)
        assert receive(sender, 1)[0].payload == body
    found = receive(link, len(bodies), limit=7)
    assert [one.payload for one in found] == bodies
    assert {(one.topic, one.qos, one.redelivered, one.retained) for one in found} == {("a/b", 1, False, False)}
    assert link.acknowledge(found) == len(bodies)
    assert link.read(1, 0.05) == []
    assert not link.is_over
    for one in (link, sender):
        one.close()
        assert one.is_over


def test_only_what_was_not_acknowledged_comes_again_after_the_broker_died(kind: ClientKind, broker: Broker) -> None:
    link = opened(kind, broker.port)
    for number in range(4):
        link.publish("a/$b/c", b"%d" % number)
    first = receive(link, 4)
    assert link.acknowledge(first[:2]) == 2
    link.publish("fence", b"")  # what the broker answers behind our acknowledgement, it has dealt with
    receive(link, 1)
    broker.kill()
    wait_until(lambda: not link.read(1, 0.01) and link.is_over, 10, "the link to know")
    assert link.lost
    assert link.acknowledge(first[2:]) == 0, "there is no connection"
    link.publish("a/lost", b"never sent")
    broker.start()
    assert link.open(STOP)
    again = drain(link, lambda found: {b"2", b"3"} <= {one.payload for one in found})
    assert link.acknowledge(first[2:]) == 0, "delivered on another connection"
    assert "a/lost" not in {one.topic for one in again}
    assert link.acknowledge(again) == len(again)
    link.close()


def test_a_connection_that_was_lost_still_gives_what_it_had_delivered(kind: ClientKind) -> None:
    burst = b"".join(publish(mid, "a", b"%d" % mid) for mid in range(1, 501))
    with broker_by_hand(burst, closes=True) as port:
        link = opened(kind, port)
        found = drain(link, lambda _: link.is_over)
    assert [one.mid for one in found] == list(range(1, 501))
    assert "closed the connection" in (link.lost or "")


def test_a_message_comes_in_pieces(kind: ClientKind) -> None:
    frame = publish(7, "a/b", bytes(range(256)) * 4)
    with broker_by_hand(frame[:1], frame[1:2], frame[2:20], frame[20:]) as port:
        link = opened(kind, port)
        for _ in range(3):
            assert link.read(1, 0.05) == []
            link.publish("x", b"")  # asks the hand for the next piece
        found = receive(link, 1)
        assert found[0].payload == bytes(range(256)) * 4
        assert link.acknowledge(found) == 1
        link.close()


@pytest.mark.parametrize(
    "packet", [b"\x32\x01\x00", b"\x30\xff\xff\xff\xff\x01", b"\xf0\x00"], ids=["message", "length", "type"]
)
def test_what_is_no_packet_ends_the_connection(packet: bytes) -> None:
    with broker_by_hand(publish(1, "a", b"good") + packet) as port:
        link = opened(ClientKind.RAW, port)
        assert receive(link, 1)[0].payload == b"good"
        wait_until(lambda: not link.read(1, 0.01) and link.is_over, 10, "the end")
    assert "that is not MQTT 3.1.1" in (link.lost or "")


def until_granted(link: Link, *filters: str) -> list[Delivery]:
    """What comes until the broker has granted exactly these, and the session holds no others."""
    found: list[Delivery] = []

    def is_so() -> bool:
        found.extend(link.read(50, 0.02))
        return link.granted == link.held == set(filters)

    wait_until(is_so, 10, f"{filters} to be granted, not {link.granted}")
    return found


def test_what_is_heard_changes_on_the_connection(kind: ClientKind, broker: Broker) -> None:
    sender = opened(ClientKind.PAHO, broker.port, "other", ["none"])
    link = opened(kind, broker.port, "own", ["a/+", "fence"])
    link.want(["b/#", "fence"])
    until_granted(link, "b/#", "fence")
    for topic in ("a/1", "b/1", "b/2/3", "c"):
        sender.publish(topic, b"x")
    sender.publish("b/last", b"x")
    found = drain(link, lambda found: any(one.topic == "b/last" for one in found))
    assert [one.topic for one in found] == ["b/1", "b/2/3", "b/last"]
    assert link.acknowledge(found) == 3
    link.close()
    sender.close()


@pytest.mark.service
def test_nothing_is_missed_while_one_filter_takes_over_from_another(kind: ClientKind, tmp_path: Path) -> None:
    """Mosquitto has one queue for a session; nats-server has one for each filter, which goes with it."""
    broker = Mosquitto(tmp_path)
    broker.start()
    sender = opened(ClientKind.RAW, broker.port, "other", ["none"])
    link = opened(kind, broker.port, "own", ["fence", "a/1"])
    found: list[Delivery] = []
    for number in range(200):
        sender.publish("a/1", b"%d" % number)
        sender.read(10, 0)
        if number % 40 == 20:
            link.want(["fence", "a/+"] if number % 80 == 20 else ["fence", "a/1"])
        more = link.read(10, 0.005)
        link.acknowledge(more)
        found += more
        wait_until(lambda: not sender.read(1, 0.001), 5, "the sender")
    found += drain(link, lambda more: any(one.payload == b"199" for one in (*found, *more)))
    assert {one.payload for one in found} == {b"%d" % number for number in range(200)}
    link.close()
    sender.close()
    broker.kill()


def test_the_session_keeps_what_was_asked_for_on_the_way(kind: ClientKind, broker: Broker) -> None:
    sender = opened(ClientKind.PAHO, broker.port, "other", ["none"])
    link = opened(kind, broker.port, "own", ["fence"])
    link.want(["fence", "a/1"])
    until_granted(link, "fence", "a/1")
    link.close()
    sender.publish("a/1", b"while away")
    wait_until(lambda: not sender.read(1, 0.01), 5, "the sender")
    again = opened(kind, broker.port, "own", ["fence", "a/1"])
    found = drain(again, bool)
    assert [one.payload for one in found] == [b"while away"]
    again.acknowledge(found)
    again.close()
    last = make_link(kind, BrokerAddress("127.0.0.1", broker.port, "own"))
    last.want(["fence"], held=["a/1"])
    assert last.open(STOP)
    until_granted(last, "fence")
    sender.publish("a/1", b"not ours any more")
    sender.publish("fence", b"")
    assert [one.topic for one in drain(last, bool)] == ["fence"]
    last.close()
    sender.close()


@pytest.mark.service
def test_many_filters_are_asked_for_in_packets(kind: ClientKind, tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    broker.start()
    try:
        many = [f"site/{number}/readings" for number in range(1_000)]
        link = opened(kind, broker.port, "own", ["fence", *many])
        assert link.granted == {"fence", *many}
        link.want(["fence"])
        until_granted(link, "fence")
        link.close()
    finally:
        broker.kill()


def test_a_filter_that_is_refused_is_named_and_the_others_are_heard(kind: ClientKind) -> None:
    with broker_by_hand(publish(1, "fence", b"x")) as port:  # it answers for the first filter only
        link = opened(kind, port, "own", ["fence", "b/1"])
        assert link.granted == {"fence"}
        assert list(link.refused) == ["b/1"]
        assert receive(link, 1)[0].topic == "fence"
        link.want(["fence"])
        assert list(link.refused) == []
        link.close()


@pytest.mark.parametrize(
    ("code", "said"),
    [(0x80, r"refused the subscription to '#' \(code 0x80\)"), (0x00, "grants only QoS 0 .* would be lost")],
)
def test_a_subscription_that_is_not_granted_is_said(kind: ClientKind, code: int, said: str) -> None:
    with broker_by_hand(code=code) as port, pytest.raises(LinkError, match=said):
        opened(kind, port)


def test_no_broker_is_said(kind: ClientKind) -> None:
    with broker_by_hand() as port:
        opened(kind, port).close()
    with pytest.raises(LinkError, match=f"cannot connect to the broker at 127.0.0.1:{port}: .*refused"):
        opened(kind, port)


def test_a_stop_ends_the_wait_for_a_broker_that_says_nothing(kind: ClientKind) -> None:
    stop = threading.Event()
    stop.set()
    with broker_by_hand() as port:
        link = make_link(kind, BrokerAddress("127.0.0.1", port))
        assert not link.open(stop)
        link.close()


def test_a_user_and_a_wrong_password(kind: ClientKind, tmp_path: Path) -> None:
    broker, secret = Nats(tmp_path, "plant", "green"), "green"
    broker.start()
    try:
        opened(kind, broker.port, user="plant", password=secret).close()
        with pytest.raises(LinkError, match=r"did not take us: .*Check user and password"):
            opened(kind, broker.port, user="plant", password=secret + "!")
    finally:
        broker.kill()


class Steady:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_broker_that_is_gone_without_a_word_is_noticed() -> None:
    steady = Steady()
    with broker_by_hand() as port:
        link = RawLink(BrokerAddress("127.0.0.1", port), steady)
        assert link.open(STOP)
        pass_s: Callable[[float], None] = lambda seconds: setattr(steady, "now", steady.now + seconds)  # noqa: E731 - one line
        pass_s(16)  # half the promised 30 s: we ask whether it is there
        assert link.read(1, 0.01) == []
        pass_s(29)
        link.keep_alive()  # while the disk refuses nothing is read, and silence proves nothing
        pass_s(29)
        assert link.read(1, 0.01) == []
        assert not link.is_over
        pass_s(31)
        assert link.read(1, 0.01) == []
        wait_until(lambda: link.is_over, 1, "the end")
    assert link.lost == "the broker has not answered for 30 s"


def test_unanswered_messages_are_bounded_and_sent_again_as_duplicates() -> None:
    with broker_by_hand(acknowledgements([2])) as port:
        link = opened(ClientKind.RAW, port)
        for number in range(200):
            link.publish("beat", b"%d" % number)
        link.close()
    received = bytearray()
    with broker_by_hand(b"", sink=received) as port:
        link.address = BrokerAddress("127.0.0.1", port, "own")
        assert link.open(STOP)
        wait_until(lambda: received.count(b"\x00\x04beat") >= 60, 10, "the old ones")
        link.close()
    assert received.count(b"\x3a") >= 60, "marked as sent before"
    assert received.count(b"\x00\x04beat") == 60


@pytest.mark.service
def test_tls_with_the_certificate_of_the_broker(kind: ClientKind, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "broker")
    other, _ = make_certificate(tmp_path, "other")
    broker = Mosquitto(tmp_path, f"allow_anonymous true\ncertfile {certificate}\nkeyfile {key}\n")
    broker.start()
    try:
        link = opened(kind, broker.port, ca_file=str(certificate))
        body = bytes(100_000)
        for number in range(5):
            link.publish("a", b"%d" % number + body)
        found = receive(link, 5)
        assert [one.payload for one in found] == [b"%d" % number + body for number in range(5)]
        assert link.acknowledge(found) == 5
        link.close()
        with pytest.raises(LinkError, match=r"cannot connect to the broker .*certificate"):
            # Not by paho: it leaves the refused socket to the garbage collector, and warnings are errors here.
            opened(ClientKind.RAW, broker.port, ca_file=str(other))
    finally:
        broker.kill()
