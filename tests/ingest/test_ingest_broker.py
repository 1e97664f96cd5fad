"""The embedded broker: up when start returns, clear when it cannot, gone with its parent, sessions kept."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from facility.errors import PermanentError
from ingest.broker import BrokerError, EmbeddedBroker, redelivery_s
from ingest.link import BrokerAddress, Delivery, LinkError
from ingest.mqtt_raw import RawLink

PARENT = """
import sys
from pathlib import Path
from ingest.broker import EmbeddedBroker
broker = EmbeddedBroker(Path(sys.argv[1]), port=0)
broker.start()
sys.stdout.write(f"pid {broker.pid}\\n")
sys.stdout.flush()
sys.stdin.read()
"""


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    pause = threading.Event()
    for _ in range(int(seconds * 50)):
        if holds():
            return
        pause.wait(0.02)
    pytest.fail(f"not within {seconds:g} s: {what}")


def receive(link: RawLink, count: int) -> list[Delivery]:
    found: list[Delivery] = []
    for _ in range(100):
        found += link.read(count - len(found), 0.1)
        if len(found) >= count:
            return found
    pytest.fail(f"got {len(found)} of {count} messages")


def address(broker: EmbeddedBroker, client_id: str, **more: str) -> BrokerAddress:
    return BrokerAddress(broker.host, broker.port, client_id, **more)


def test_who_was_away_long_enough_gets_what_was_not_acknowledged_first(tmp_path: Path) -> None:
    stop = threading.Event()
    with EmbeddedBroker(tmp_path, port=0) as broker:
        link, sender = RawLink(address(broker, "own")), RawLink(address(broker, "other"))
        assert link.open(stop)
        assert sender.open(stop)
        for payload in (b"1", b"2"):
            sender.publish("a/b", payload)
        assert [item.payload for item in receive(link, 2)] == [b"1", b"2"]
        link.close()
        sender.publish("a/b", b"3")
        stop.wait(redelivery_s(tmp_path))
        assert link.open(stop)
        assert [item.payload for item in receive(link, 3)] == [b"1", b"2", b"3"]
        link.close()
        sender.close()


def test_a_folder_goes_on_with_what_its_sessions_were_made_with(tmp_path: Path) -> None:
    assert redelivery_s(tmp_path / "new") == 1.3
    for folder, made_with in (("own", 2), ("before", 3), ("emptied", 3)):
        with EmbeddedBroker(tmp_path / folder, port=0, ack_wait_s=made_with):
            pass
    (tmp_path / "before/ack_wait_s").unlink()  # one that was made when nothing was written down
    (tmp_path / "emptied/ack_wait_s").write_bytes(b"")  # by a power cut
    for folder, away_s in (("own", 2.3), ("before", 3.3), ("emptied", 3.3)):
        with EmbeddedBroker(tmp_path / folder, port=0):
            assert redelivery_s(tmp_path / folder) == away_s
            config = (tmp_path / folder / "nats-server.conf").read_text(encoding="utf-8")
            assert f'"ack_wait": "{away_s - 0.3:.0f}s"' in config


def test_a_message_goes_through_and_waits_for_a_restart_of_the_broker(tmp_path: Path) -> None:
    stop = threading.Event()
    broker = EmbeddedBroker(tmp_path, port=0)
    broker.start()
    try:
        link, sender = RawLink(address(broker, "own")), RawLink(address(broker, "other"))
        assert link.open(stop)
        assert sender.open(stop)
        sender.publish("a/$b/c", b"1")
        sender.publish("a/$b/c", b"2")
        first = receive(link, 2)
        assert [item.payload for item in first] == [b"1", b"2"]
        assert link.acknowledge(first[:1]) == 1
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
        wait_until(lambda: broker.pid is None, "the broker is gone")
        wait_until(lambda: not link.read(1, 0.01) and link.lost is not None, "the link knows")
        broker.start()
        assert link.open(stop)
        again = receive(link, 1)[0]
        if again.payload == b"1":  # its acknowledgement may have died with the broker
            again = receive(link, 1)[0]
        assert again.payload == b"2"
        assert link.acknowledge(first[1:]) == 0, "delivered on another connection"
        assert link.acknowledge([again]) == 1
        link.close()
        sender.close()
    finally:
        broker.stop()
    assert broker.pid is None


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(BrokerError, match=f"port {port} on 127.0.0.1 is taken.* or set another port"):
            EmbeddedBroker(tmp_path, port=port).start()


def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the store should be")
    with pytest.raises(
        BrokerError, match=r"ended with code \d+: .*storage directory is not a directory; see .*nats-server.log"
    ):
        EmbeddedBroker(tmp_path, port=0).start()


def test_user_and_password_are_asked_for(tmp_path: Path) -> None:
    secret = "".join(["r", '"', "oom"])  # a quote in it has to survive the broker's configuration
    with EmbeddedBroker(tmp_path, port=0, user="plant", password=secret) as broker:
        link = RawLink(address(broker, "own", user="plant", password=secret))
        assert link.open(threading.Event())
        link.close()
        with pytest.raises(LinkError, match=r"did not take us: .*Check user and password"):
            RawLink(address(broker, "own", user="plant", password=secret + "!")).open(threading.Event())
        assert (tmp_path / "nats-server.conf").stat().st_mode & 0o077 == 0
    with pytest.raises(PermanentError, match="user and password together"):
        EmbeddedBroker(tmp_path, user="plant")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's notice of a dead parent is Linux's")
def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    line = ""
    while not line.startswith("pid "):
        line = parent.stdout.readline()
        assert line, "the parent ended"
    pid = int(line.split()[1])
    parent.kill()
    parent.wait()
    wait_until(lambda: not _runs(pid), "the broker is gone")
    parent.stdout.close()
    parent.stdin.close()


def _runs(pid: int) -> bool:
    """A zombie that waits for its new parent runs no more."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
