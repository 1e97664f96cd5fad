"""Messages a second end to end: publishers -> embedded broker -> ingest -> journal on disk, with acknowledgement.

Run: python bench/mqtt_load.py [--messages 50000] [--points 20] [--publishers 2]
"""

import argparse
import multiprocessing
import tempfile
import threading
import time
from pathlib import Path

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client import CollectorRegistry

from facility.clock import RealClock
from facility.instant import format_instant, from_us
from facility.reading import Scan
from facility.site_file import parse_site
from ingest.broker import EmbeddedBroker
from ingest.journal import JournalReader, JournalWriter
from ingest.link import BrokerAddress
from ingest.service import IngestService, IngestSettings

ASSETS = 50
POINTS = [
    "supply_air_temperature", "return_air_temperature", "mixed_air_temperature", "outside_air_temperature",
    "zone_air_temperature", "relative_humidity", "co2", "supply_air_static_pressure", "filter_differential_pressure",
    "air_flow", "heating_valve_command", "cooling_valve_command", "heating_valve_position", "cooling_valve_position",
    "outside_air_damper_command", "outside_air_damper_position", "return_air_damper_command",
    "exhaust_air_damper_command", "zone_damper_command", "supply_air_temperature_setpoint",
]  # fmt: skip


def site_text(points: int) -> str:
    """A site of `ASSETS` air handlers with the first `points` of POINTS."""
    names = ", ".join(POINTS[:points])
    assets = "\n".join(f"      - {{id: ahu-{n}, class: ahu, points: [{names}]}}" for n in range(ASSETS))
    return f"site: {{id: bench, zone: UTC}}\nbuildings:\n  - id: tower\n    assets:\n{assets}\n"


def publish(port: int, number: int, count: int, points: int, began_us: int) -> None:
    """Send `count` messages at QoS 1 and wait until the broker has taken them all."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, f"load-{number}")
    client.max_inflight_messages_set(500)
    client.connect("127.0.0.1", port)
    client.loop_start()
    info = None
    for index in range(count):
        at = format_instant(from_us(began_us + index * 100 + number))
        body = {"at": at, "values": dict.fromkeys(POINTS[:points], 20.0 + index % 7)}
        info = client.publish(f"plantroom/bench/ahu-{index % ASSETS}/readings", msgspec.json.encode(body), qos=1)
        if index % 500 == 499:
            info.wait_for_publish(30)
    if info is not None:
        info.wait_for_publish(30)
    client.disconnect()
    client.loop_stop()


def serve(folder: Path, port: int, points: int, stop: "threading.Event") -> None:
    """The ingest process."""
    journal = JournalWriter(folder / "journal")
    service = IngestService(
        BrokerAddress("127.0.0.1", port),
        journal,
        folder / "journal",
        folder / "spool",
        parse_site(site_text(points), "bench"),
        RealClock(),
        IngestSettings(allowance_us=2_000_000),
        CollectorRegistry(),
    )
    service.run(stop)
    journal.close()


def main() -> None:
    """Run once and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--points", type=int, default=len(POINTS))
    parser.add_argument("--publishers", type=int, default=2)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name, EmbeddedBroker(Path(name) / "broker", port=0) as broker:
        folder, stop = Path(name), context.Event()
        ingest = context.Process(target=serve, args=(folder, broker.port, options.points, stop))
        ingest.start()
        pause = threading.Event()
        reader, seq, scans, readings = JournalReader(folder / "journal"), 0, 0, 0
        while not reader.read(0):  # the first heartbeat: it listens
            pause.wait(0.05)
        each, began_us = options.messages // options.publishers, RealClock().now_us()
        load = [
            context.Process(target=publish, args=(broker.port, n, each, options.points, began_us))
            for n in range(options.publishers)
        ]
        for process in load:
            process.start()
        # Counted from the first commit with data to the last, by the journal's own arrival times.
        first_us = last_us = before = 0
        gives_up = time.monotonic() + 300
        while scans < each * options.publishers and time.monotonic() < gives_up:
            commits = reader.read(seq)
            for commit in commits:
                seq = commit.seq
                found = [entry for entry in commit.entries if isinstance(entry, Scan)]
                scans += len(found)
                readings += sum(len(entry.values) for entry in found)
                if found:
                    first_us, before = (first_us, before) if first_us else (commit.arrived_us, len(found))
                    last_us = commit.arrived_us
            if not commits:
                pause.wait(0.01)
        took = max(last_us - first_us, 1) / 1e6
        rate = (scans - before) / took
        print(f"{scans} messages of {options.points} readings: {rate:,.0f} messages/s, {rate * options.points:,.0f} "
              f"readings/s, {readings} readings in {seq} commits")  # fmt: skip
        stop.set()
        for process in (*load, ingest):
            process.join(10)
        reader.close()


if __name__ == "__main__":
    main()
