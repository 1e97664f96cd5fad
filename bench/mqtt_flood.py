"""A cheap load for a broker: many MQTT connections in one process, raw sockets, frames made beforehand, QoS 1, paced.

Each connection is one device, `plantroom/SITE/ahu-N/readings`, with its publish instant as the readings' `at`. At most
`window` messages of a connection wait for their PUBACK. What was sent and what was acknowledged goes into a file, so
that a journal can be held against it. One write and one read a message; the process prints what it cost.

Run: python -m bench.mqtt_flood --port 1883 --rate 20000 --seconds 10 (the topics need bench.flood_site's site file)
"""

import argparse
import resource
import socket
import struct
import sys
import threading
import time
from array import array
from dataclasses import dataclass
from pathlib import Path

import msgspec

SITE_ID = "bench"
POINTS = ("supply_air_temperature", "return_air_temperature", "mixed_air_temperature")
_EPOCH_TEXT = "%Y-%m-%dT%H:%M:%S"
_BODIES = tuple(
    ("Z\",\"values\":{" + ",".join(f'"{point}":{18 + 2 * place + step / 10:.1f}' for place, point in enumerate(POINTS))
     + "}}").encode()
    for step in range(16)
)  # fmt: skip
_AT_BYTES = 7 + 19 + 1 + 6  # {"at":" and the instant with its microseconds
_ACK = struct.Struct(">2xH")
_PASS = 256
_PAUSE = threading.Event()


class FloodResult(msgspec.Struct):
    """What the generator did. `cpu_s` is its own, user and system; `held` counts sends put off by a full window."""

    connections: int
    sent: int
    acknowledged: int
    seconds: float
    cpu_s: float
    held: int
    broken: int


@dataclass(slots=True)
class Device:
    """One connection. `sent` are its messages' instants; the first `acked` were acknowledged, in order."""

    sock: socket.socket | None
    head: bytes
    sent: "array[int]"
    acked: int = 0
    rest: bytes = b""

    def hear(self) -> None:
        """Count the PUBACKs that are there."""
        if self.sock is None:
            return
        try:
            data = self.rest + self.sock.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if len(data) == len(self.rest):
            self.sock.close()
            self.sock = None
            return
        whole = len(data) // 4 * 4
        self.rest, data = data[whole:], data[:whole]
        for (mid,) in _ACK.iter_unpack(data):
            if mid != self.acked % 0xFFFF + 1:
                sys.exit(f"the broker acknowledged {mid}, but {self.acked % 0xFFFF + 1} is the oldest that waits")
            self.acked += 1


def connect(port: int, name: str) -> socket.socket:
    """A connection with a session of its own, accepted."""
    sock = socket.create_connection(("127.0.0.1", port), 20)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(name).to_bytes(2, "big") + name.encode()
    sock.sendall(bytes([0x10, len(body)]) + body)
    if sock.recv(4) != b"\x20\x02\x00\x00":
        sys.exit(f"the broker on port {port} does not take {name}")
    sock.settimeout(0.0)
    return sock


def open_devices(port: int, connections: int) -> list[Device]:
    """Every device connected, its frames prepared up to the packet id."""
    devices = []
    for number in range(connections):
        topic = f"plantroom/{SITE_ID}/ahu-{number}/readings".encode()
        size = 2 + len(topic) + 2 + _AT_BYTES + len(_BODIES[0])
        length = bytes([size & 0x7F | 0x80, size >> 7]) if size > 0x7F else bytes([size])
        head = b"\x32" + length + len(topic).to_bytes(2, "big") + topic
        devices.append(Device(connect(port, f"flood-{number}"), head, array("q")))
    return devices


def flood(devices: list[Device], rate: float, seconds: float, window: int, burst: int) -> FloodResult:
    """Send `rate` messages a second for `seconds`, in turn over all devices, `burst` in one write; then wait up to
    30 s for the acknowledgements."""
    count, turn, held, second, text = len(devices), 0, 0, -1, b""
    cpu_s, began = time.process_time(), time.monotonic()
    while (now := time.monotonic()) < began + seconds:
        due = int((now - began) * rate / burst)
        if turn >= due:
            _PAUSE.wait(0.0005)
            continue
        at_us = time.time_ns() // 1000
        if at_us // 10**6 != second:
            second = at_us // 10**6
            text = b'{"at":"' + time.strftime(_EPOCH_TEXT, time.gmtime(second)).encode() + b"."
        for place in range(turn, min(due, turn + _PASS)):
            device = devices[place % count]
            sent = device.sent
            if len(sent) - device.acked >= window // 4:
                device.hear()
            free = min(burst, window - len(sent) + device.acked)
            if device.sock is None or free <= 0:
                held += 1
                continue
            last_us = max(at_us, sent[-1] + 1 if sent else 0)
            if last_us + free > (second + 1) * 10**6:  # its text has another second: with the next turn
                held += 1
                continue
            frames: list[bytes] = []
            for one_us in range(last_us, last_us + free):
                mid = (len(sent) % 0xFFFF + 1).to_bytes(2, "big")
                frames += (device.head, mid, text, b"%06d" % (one_us % 10**6), _BODIES[len(sent) % 16])
                sent.append(one_us)
            data = b"".join(frames)
            try:
                written = device.sock.send(data)
            except OSError:
                written = 0
            if written != len(data):  # half a frame is out: this connection can say nothing more
                device.sock.close()
                device.sock = None
                del sent[len(sent) - free :]
        turn = min(due, turn + _PASS)
    took = time.monotonic() - began
    cpu_s = time.process_time() - cpu_s
    print("sent", flush=True)
    gives_up = time.monotonic() + 30
    while any(d.sock is not None and d.acked < len(d.sent) for d in devices) and time.monotonic() < gives_up:
        for device in devices:
            device.hear()
        _PAUSE.wait(0.02)
    sent_all, acked = sum(len(d.sent) for d in devices), sum(d.acked for d in devices)
    return FloodResult(count, sent_all, acked, took, cpu_s, held, sum(d.sock is None for d in devices))


def keep(devices: list[Device], path: Path) -> None:
    """Write the instants of every device's acknowledged messages."""
    path.write_bytes(msgspec.msgpack.encode([device.sent[: device.acked].tobytes() for device in devices]))


def read_acknowledged(path: Path) -> list["array[int]"]:
    """By device number, the instants (us since the epoch) of the messages that were acknowledged."""
    found = []
    for data in msgspec.msgpack.decode(path.read_bytes(), type=list[bytes]):
        found.append(array("q"))
        found[-1].frombytes(data)
    return found


def main() -> None:
    """Run once; the result as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=20_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--window", type=int, default=20, help="messages of a connection without a PUBACK")
    parser.add_argument("--burst", type=int, default=1, help="messages of a connection in one write")
    parser.add_argument("--acknowledged", type=Path, help="file to write the acknowledged messages to")
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    devices = open_devices(options.port, options.connections)
    print("connected", flush=True)
    result = flood(devices, options.rate, options.seconds, options.window, options.burst)
    if options.acknowledged:
        keep(devices, options.acknowledged)
    print(msgspec.json.encode(result).decode(), flush=True)


if __name__ == "__main__":
    main()
