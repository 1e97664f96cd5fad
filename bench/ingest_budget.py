"""What one message costs ingest, stage by stage, in CPU time of this process: nothing but its own code, no broker.

The messages are those of bench.mqtt_flood: 3 readings, 1,000 devices. Run: python -m bench.ingest_budget
"""

import argparse
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bench.ingest_bench import site_text
from bench.mqtt_flood import POINTS
from facility.clock import RealClock
from facility.instant import format_instant, from_us
from facility.reading import Scan, encode_entries
from facility.site_file import parse_site
from ingest.heartbeat import Pulse
from ingest.intake import Batch, Intake
from ingest.journal import JournalWriter
from ingest.limits import Limits
from ingest.link import Delivery
from ingest.mqtt_frames import FrameReader, acknowledgements, publish
from ingest.payload import Arrival
from ingest.quality import QualityJudge
from ingest.routing import Router

GROUP = 1_000
ASSETS = 1_000
Result = TypeVar("Result")
_READ, _PARSE, _DECODE = "read from the socket", "MQTT packets to messages", "route and decode JSON"
_JUDGE, _TAKE, _GLUE = "judge quality", "take", "counts, limits, glue"
_ENCODE, _WRITE, _ACK = "encode", "write and sync the journal", "acknowledgements"
_LEAVE = "leave alone another shard's"


class Stages:
    """CPU time by stage, user and system."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, work: Callable[[], Result]) -> Result:
        """What the work returns; its CPU time goes to the stage."""
        began = time.process_time()
        found = work()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - began
        return found


def frames(count: int, first: int, began_us: int) -> list[bytes]:
    """PUBLISH packets, as a broker sends them to us."""
    found = []
    for index in range(first, first + count):
        values = ",".join(f'"{point}":{18 + place + index % 16 / 10:.1f}' for place, point in enumerate(POINTS))
        at = format_instant(from_us(began_us + index * 50 + 1))
        body = f'{{"at":"{at}","values":{{{values}}}}}'.encode()
        found.append(publish(index % 0xFFFF + 1, f"plantroom/bench/ahu-{index % ASSETS}/readings", body))
    return found


class Ingest:
    """The parts of ingest, each called for a whole group of messages."""

    def __init__(self, journal: JournalWriter, sockets: tuple[socket.socket, socket.socket]) -> None:
        registry, clock = parse_site(site_text(ASSETS), "bench"), RealClock()
        self.journal, (self.ours, self.theirs) = journal, sockets
        self.reader, self.router = FrameReader(), Router(registry)
        self.judge = QualityJudge(registry, clock, allowance_us=2_000_000, tolerance_us=600 * 10**6)
        judge = QualityJudge(registry, clock, allowance_us=2_000_000, tolerance_us=600 * 10**6)
        limits = Limits(message_bytes=2**20, device_per_s=100.0)
        self.intake = Intake(registry, judge, clock, Pulse(), limits)
        self.strangers = Intake(registry, judge, clock, Pulse(), limits, own=frozenset())

    def parse(self, data: bytes) -> list[Delivery]:
        self.reader.feed(data)
        return self.reader.take(GROUP, 1, [])

    def decode(self, group: list[Delivery], arrival: Arrival) -> list[Scan]:
        found: list[Scan] = []
        for one in group:
            route = self.router.find(one.topic)
            if route is not None:
                found.extend(route.decoder.decode(one.topic, one.payload, arrival))
        return found

    def judge_all(self, scans: list[Scan], now_us: int) -> list[Scan]:
        return [found for scan in scans if (found := self.judge.judge(scan, now_us=now_us))]

    def take(self, intake: Intake, group: list[Delivery], now_us: int) -> Batch:
        batch = Batch()
        for one in group:
            intake.take(one, batch, now_us)
        return batch


def main() -> None:
    """Run every stage over the same messages, group by group, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    groups = parser.parse_args().messages // GROUP
    stages, now_us = Stages(), RealClock().now_us()
    sockets = socket.socketpair()
    sockets[1].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**20)
    with tempfile.TemporaryDirectory() as name, JournalWriter(Path(name)) as journal, sockets[0], sockets[1]:
        ingest = Ingest(journal, sockets)
        for number in range(groups):
            measure(ingest, stages, frames(GROUP, number * GROUP, now_us), now_us)
    left, whole, parts = stages.seconds.pop(_LEAVE), stages.seconds.pop(_TAKE), stages.seconds
    parts[_GLUE] = whole - parts[_DECODE] - parts[_JUDGE]
    parts[_WRITE] -= parts[_ENCODE]
    for name, seconds in parts.items():
        print(f"{name:28} {seconds / groups / GROUP * 1e6:6.2f} us a message")
    total = sum(parts.values()) / groups / GROUP
    print(f"{'all':28} {total * 1e6:6.2f} us a message, {1 / total:,.0f} messages/s on one core")
    left += parts[_READ] + parts[_PARSE] + parts[_ACK]
    print(f"{_LEAVE:28} {left / groups / GROUP * 1e6:6.2f} us a message, read and acknowledged")


def measure(ingest: Ingest, stages: Stages, packets: list[bytes], now_us: int) -> None:
    """One group through every stage. Decoding and judging are timed on their own and inside of the whole intake."""
    data = b""
    for half in (packets[: GROUP // 2], packets[GROUP // 2 :]):
        ingest.theirs.sendall(b"".join(half))
        data += stages.time(_READ, lambda: ingest.ours.recv(256 * 1024))
    group = stages.time(_PARSE, lambda: ingest.parse(data))
    scans = stages.time(_DECODE, lambda: ingest.decode(group, Arrival(now_us)))
    stages.time(_JUDGE, lambda: ingest.judge_all(scans, now_us))
    batch = stages.time(_TAKE, lambda: ingest.take(ingest.intake, group, now_us))
    left = stages.time(_LEAVE, lambda: ingest.take(ingest.strangers, group, now_us))
    if len(batch.entries) != GROUP or left.ignored != GROUP:
        sys.exit(f"{len(batch.entries)} of {GROUP} messages were read, {left.ignored} left alone")
    stages.time(_ENCODE, lambda: encode_entries(tuple(batch.entries)))
    stages.time(_WRITE, lambda: ingest.journal.append(now_us, batch.entries))
    stages.time(_ACK, lambda: acknowledgements([one.mid for one in group]))


if __name__ == "__main__":
    main()
