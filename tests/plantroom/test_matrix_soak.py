"""The long form of the matrix: broker away, disk full, journal damaged, ten thousand strangers, killed simulators."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from running import System, wait_until
from soaking import Begin
from tanks import TANKS, Tanks, children, damage_journal, episode, finish, journalled

from facility.clock import RealClock
from simulators.wire import Wire

pytestmark = pytest.mark.soak
TEN_MINUTES_S = 600.0


def resident_kb(pid: int) -> int:
    """The memory of a process in KiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return int(status.split("VmRSS:")[1].split()[0])


def test_the_broker_is_away_for_ten_minutes(tank_plant: tuple[System, Tanks], soak_row: Begin) -> None:
    """Ten real minutes; devices keep what they can and go on."""
    counted = soak_row("broker stopped for 10 real minutes")
    system, tanks = tank_plant
    wait_until(lambda: len(tanks.sent) > 200, 60, "readings to come")
    os.kill(children(system)["nats-server"], signal.SIGKILL)
    wait_until(lambda: "process ended, starting it again" in system.log(), 60, "the broker's process to end")
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        wait_until(lambda: squatter.connect_ex(("127.0.0.1", system.mqtt_port)) != 0, 60, "the port to be free")
    with socket.create_server(("127.0.0.1", system.mqtt_port), backlog=0):
        threading.Event().wait(TEN_MINUTES_S)
    wait_until(lambda: tanks.is_connected, 180, "devices to be back")
    sent = len(tanks.sent)
    wait_until(lambda: len(tanks.sent) > sent + 100, 120, "devices to go on")
    assert system.get("/api/findings", limit="1000") == [], "an outage of ours is nobody's fault"
    episode(system, tanks, 0, [], random.Random(1), exact=False)
    counted.update(finish(system, tanks))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 96 MiB; needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("mounting a small tmpfs needs root")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=96m", "tmpfs", folder], check=False, capture_output=True)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.decode()}")
    yield folder
    subprocess.run([str(shutil.which("umount")), "-l", folder], check=True)


def test_a_full_disk_stops_acknowledging_and_recovers_by_itself(
    new_tank_plant: Callable[..., tuple[System, Tanks]], small_disk: Path, soak_row: Begin
) -> None:
    """Journal, orders and readings are on the full disk; the embedded broker has its own."""
    counted = soak_row("disk full (a small tmpfs) under journal, orders and readings")
    system, tanks = new_tank_plant(on=str(small_disk))
    episode(system, tanks, 0, [], random.Random(1))
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(b"x" * 65_536)
                file.flush()
        except OSError:
            assert shutil.disk_usage(small_disk).free < 65_536
    wait_until(lambda: "journal cannot be written; nothing is acknowledged" in system.log(), 180, "it to say so")
    before = sum(journalled(system.journal).values())
    threading.Event().wait(10)
    assert sum(journalled(system.journal).values()) == before
    filler.unlink()
    wait_until(lambda: "journal can be written again" in system.log(), 120, "it to recover")
    wait_until(lambda: sum(journalled(system.journal).values()) > before, 120, "readings to come again")
    episode(system, tanks, 1, [], random.Random(1), exact=False)
    counted.update(finish(system, tanks))


def test_a_journal_that_lost_its_tail_goes_on_from_its_last_whole_commit(
    tank_plant: tuple[System, Tanks], soak_row: Begin
) -> None:
    """Half of the newest file is gone: ingest says what it kept, everyone who had read further notices."""
    counted = soak_row("journal's newest file cut in half under a running engine")
    system, tanks = tank_plant
    with Wire("127.0.0.1", system.mqtt_port, "strangers") as wire:  # more than the rule files, which come first
        for number in range(2_000):
            wire.publish(f"strange/{number}/state", b"x" * 2_000, threading.Event())
        assert wire.drain(120)
    episode(system, tanks, 0, [], random.Random(1))
    counted.update(finish(system, tanks))
    counted["commits before"] = damage_journal(system)
    said = wait_until(lambda: re.search(r"cut back to its last whole commit.*", system.log()), 60, "what it kept")
    again = Tanks(system.mqtt_port, RealClock())
    again.start()
    try:
        episode(system, again, TANKS - 1, [], random.Random(1))
    finally:
        again.halt.set()
        again.join(180)
    assert "the journal was cut back after it was judged" in system.log(), system.log()[-3000:]
    kept = re.search(r"last_seq=([0-9]+)", said[0])
    assert kept is not None, said[0]
    counted["commits kept"] = int(kept[1])
    assert 0 < counted["commits kept"] < counted["commits before"]


def test_ten_thousand_unknown_devices(tank_plant: tuple[System, Tanks], soak_row: Begin) -> None:
    counted = soak_row("10,000 topics of unknown devices, six times")
    system, tanks = tank_plant
    halt = threading.Event()
    sizes = []
    with Wire("127.0.0.1", system.mqtt_port, "strangers") as wire:
        for turn in range(6):
            for number in range(10_000):
                wire.publish(f"strange/{number}/state", b'{"n": %d}' % (turn * 10_000 + number), halt)
            assert wire.drain(300)
            sizes.append(resident_kb(children(system)["ingest"]))
    metrics = httpx.get(f"http://127.0.0.1:{system.settings['PLANTROOM_METRICS_PORT']}/metrics", trust_env=False).text
    assert "strange/" not in metrics
    assert len(metrics.splitlines()) < 500
    assert sizes[-1] - sizes[2] < 20_000, f"memory grows: {sizes} KiB"
    episode(system, tanks, 0, [], random.Random(1))
    counted.update({"messages": 60_000, "KiB of ingest at the end": sizes[-1], **finish(system, tanks)})


def test_simulators_die_and_the_demo_goes_on(new_system: Callable[..., System], soak_row: Begin) -> None:
    counted = soak_row("SIGKILL and SIGTERM of the demo's simulators")
    system = new_system("demo")
    system.start(300)
    signals = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL)
    for how in signals:
        _kill_simulators(system, how)
    counts = journalled(system.journal)
    assert [key for key, count in counts.items() if count > 1] == []
    counted.update({"kills": len(signals), "readings": len(counts)})


def _kill_simulators(system: System, how: signal.Signals) -> None:
    """Kill them, and wait until they speak again."""
    pid = wait_until(lambda: children(system).get("simulators"), 120, "simulators to run")
    os.kill(pid, how)
    wait_until(lambda: children(system).get("simulators") not in (None, pid), 120, "simulators to be back")
    before = sum(journalled(system.journal).values())
    wait_until(lambda: sum(journalled(system.journal).values()) > before + 20, 180, "readings to come again")
