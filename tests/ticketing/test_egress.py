"""Notices and webhooks reach public addresses, and of our own network only what the operator allows."""

import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from receiver import Receiver

from ticketing.egress import Egress, PrivateAddressError, is_public, parse_networks
from ticketing.notice_apprise import tell
from ticketing.webhook import NotDeliveredError, RefusedError, post


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


def send(address: str, egress: Egress) -> None:
    with egress.guarded():
        post(address, "secret", "key", "opened", "{}", 1, 2.0)


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("127.0.0.1", False), ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False), ("100.64.0.1", False),
        ("169.254.169.254", False), ("0.0.0.0", False), ("224.0.0.1", False), ("255.255.255.255", False),  # noqa: S104 - refused
        ("::1", False), ("fe80::1", False), ("fd00::1", False), ("::ffff:10.0.0.1", False), ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False), ("::", False), ("8.8.8.8", True), ("2606:4700::1", True), ("64:ff9b::808:808", True),
    ],
)  # fmt: skip
def test_which_addresses_are_everybodys(text: str, *, public: bool) -> None:
    assert is_public(ip_address(text)) is public


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "127.1"])
def test_a_webhook_into_our_own_network_is_refused_and_not_tried_again(receiver: Receiver, host: str) -> None:
    with pytest.raises((RefusedError, NotDeliveredError)) as refused:
        send(f"http://{host}:{receiver.port}/", Egress())
    assert not receiver.taken
    if host != "[::1]":  # a machine may have no IPv6 at all
        assert refused.type is RefusedError
        assert "PLANTROOM_OUTBOUND_PRIVATE" in str(refused.value)


def test_what_the_operator_allows_is_reached(receiver: Receiver) -> None:
    send(f"http://127.0.0.1:{receiver.port}/", Egress("10.0.0.0/8, 127.0.0.1"))
    assert receiver.taken["key"] == 1
    with pytest.raises(RefusedError):
        send(f"http://127.0.0.1:{receiver.port}/", Egress("10.0.0.0/8"))


def test_a_redirection_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [307, 200]
    with pytest.raises(RefusedError, match="redirections are not followed"):
        send(f"http://127.0.0.1:{receiver.port}/", Egress("127.0.0.1"))
    assert receiver.answers == [200], "it was asked once"


def test_a_name_that_answers_differently_the_second_time_gains_nothing(receiver: Receiver) -> None:
    """The connection itself is looked at: whatever was resolved before, this address is refused."""
    with pytest.raises(PrivateAddressError), Egress().guarded(), socket.socket() as late:
        late.connect(("127.0.0.1", receiver.port))
    with pytest.raises(PrivateAddressError), Egress().guarded(), socket.socket(type=socket.SOCK_DGRAM) as datagram:
        datagram.sendto(b"x", ("127.0.0.1", receiver.port))
    with pytest.raises(PrivateAddressError), Egress().guarded(), socket.socket(socket.AF_UNIX) as local:
        local.connect("/var/run/docker.sock")


@pytest.mark.parametrize("scheme", ["json", "form", "ntfy", "gotify", "xml"])
def test_no_library_gets_around_it(receiver: Receiver, scheme: str) -> None:
    with pytest.raises(RefusedError, match="our own network"):
        Egress().guard(tell)(f"{scheme}://127.0.0.1:{receiver.port}/topic", "subject", "body")
    assert not receiver.taken


def test_mail_is_looked_at_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(RefusedError, match="our own network"):
            Egress().guard(tell)(
                f"mailto://a:b@example.org:{port}?smtp=127.0.0.1&to=c@example.org&mode=insecure", "subject", "body"
            )


def test_other_threads_connect_as_they_like(receiver: Receiver) -> None:
    came = []

    def connect() -> None:
        with socket.create_connection(("127.0.0.1", receiver.port), 2):
            came.append(True)

    with Egress().guarded():
        thread = threading.Thread(target=connect)
        thread.start()
        thread.join()
    connect()
    assert came == [True, True]


def test_what_is_no_network_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.5/24"):
        parse_networks("10.0.0.5/24")
