"""Real brokers for tests: the embedded one and Debian's Mosquitto, and one by hand that says what it is told to."""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import pytest
from running import free_ports, wait_until

from ingest.broker import EmbeddedBroker


class Broker(Protocol):
    """One that can be stopped, as hard as it bears, and started again on the same port."""

    port: int

    def start(self) -> None: ...

    def kill(self) -> None: ...


class Nats:
    """The embedded broker."""

    def __init__(self, folder: Path, user: str | None = None, password: str | None = None) -> None:
        self._broker = EmbeddedBroker(folder / "nats", port=0, ack_wait_s=1, user=user, password=password)
        self.port = 0

    def start(self) -> None:
        self._broker.start()
        self.port = self._broker.port

    def kill(self) -> None:
        if (pid := self._broker.pid) is not None:
            os.kill(pid, 9)
            self._broker.stop()


class Mosquitto:
    """Debian's. It saves what it holds only now and then, so it is ended in order: a kill would lose its sessions."""

    def __init__(self, folder: Path, more: str = "allow_anonymous true\n") -> None:
        self._program = program("mosquitto")
        self._config = folder / "mosquitto.conf"
        (self.port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None
        kept = "user root\n" if os.geteuid() == 0 else ""  # else it gives up its rights and cannot read the folder
        kept += "sys_interval 0\n" if "sys_interval" not in more else ""
        kept += f"persistence true\npersistence_location {folder}/\n"
        kept += "max_inflight_messages 2000\n" if "max_inflight" not in more else ""
        self._config.write_text(f"{kept}listener {self.port} 127.0.0.1\n{more}", encoding="utf-8")

    def start(self) -> None:
        self._process = subprocess.Popen([self._program, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        wait_until(self._answers, 10, "mosquitto to listen")

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(10)

    def crash(self) -> None:
        """Without a last word: what its snapshot does not hold is gone."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(10)


def program(name: str) -> str:
    """The path of a program of Debian's package mosquitto, or of another; skips without it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        reason = f"{name} is not installed; on Debian: apt-get install mosquitto mosquitto-clients openssl"
        if os.environ.get("PLANTROOM_REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that vouches for itself, and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    command += [*names, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@contextmanager
def broker_by_hand(*says: bytes, code: int = 1, closes: bool = False, sink: bytearray | None = None) -> Iterator[int]:
    """Takes one client, answers its subscription with `code`, and sends `says` piece by piece; its port.

    Each further piece goes out when the client has sent something. When the pieces are over it closes, or listens in
    silence; what it hears then is added to `sink`.
    """

    def listen(client: socket.socket) -> bytes:
        data = client.recv(4096)
        if sink is not None:
            sink.extend(data)
        return data

    def talk(client: socket.socket) -> None:
        client.recv(4096)
        client.sendall(b"\x20\x02\x00\x00")
        if not (subscribe := listen(client)):
            return
        client.sendall(b"\x90\x03" + subscribe[2:4] + bytes([code]))
        for number, piece in enumerate(says):
            if number and not listen(client):
                return
            client.sendall(piece)
        while not closes and listen(client):
            continue

    def serve() -> None:
        client, _ = server.accept()
        client.settimeout(10)
        with client, suppress(ConnectionError):  # the client may leave at any point
            talk(client)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)
