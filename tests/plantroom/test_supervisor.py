"""The supervisor with real processes."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from facility.clock import RealClock
from facility.errors import PermanentError
from plantroom.supervisor import ProcessSpec, Supervisor

ROOT = Path(__file__).resolve().parents[2]


def _wait(condition: Callable[[], bool], seconds: float = 20) -> bool:
    clock = RealClock()
    deadline_us = clock.now_us() + round(seconds * 1e6)
    while clock.now_us() < deadline_us:
        if condition():
            return True
        threading.Event().wait(0.05)
    return condition()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def _pid(folder: Path) -> int:
    path = folder / "run" / "broker.pid"
    return int(path.read_text()) if path.exists() else 0


def _broker(folder: Path, port: int) -> ProcessSpec:
    environment = {"PLANTROOM_VAR": str(folder), "PLANTROOM_MQTT_PORT": str(port)}
    return ProcessSpec("broker", ["run", "--role", "broker"], environment)


def test_a_dead_child_is_started_again_and_all_end_together(tmp_path: Path, free_port: int) -> None:
    stop = threading.Event()
    supervisor = Supervisor([[_broker(tmp_path, free_port)]], tmp_path / "run", stop)
    supervisor.start()
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    first = _pid(tmp_path)
    os.kill(first, signal.SIGKILL)
    try:
        assert _wait(lambda: _pid(tmp_path) not in (0, first) and _alive(_pid(tmp_path)))
    finally:
        second = _pid(tmp_path)
        stop.set()
        thread.join()
        supervisor.end()
    assert not _alive(second)
    assert not (tmp_path / "run" / "broker.pid").exists()


def test_a_child_that_cannot_start_is_said_by_name(tmp_path: Path) -> None:
    spec = ProcessSpec("broker", ["run", "--role", "nonsense"], {}, lambda: False, 15.0)
    supervisor = Supervisor([[spec]], tmp_path / "run", threading.Event())
    try:
        with pytest.raises(PermanentError, match="broker process ended at its start"):
            supervisor.start()
    finally:
        supervisor.end()


def test_children_end_when_the_supervisor_is_killed(tmp_path: Path, free_port: int) -> None:
    code = (
        "import sys, threading; from pathlib import Path; from plantroom.supervisor import *;"
        "s = Supervisor([[ProcessSpec('broker', ['run', '--role', 'broker'], {})]], Path(sys.argv[1]) / 'run',"
        " threading.Event()); s.start(); s.run()"
    )
    environment = {**os.environ, "PLANTROOM_VAR": str(tmp_path), "PLANTROOM_MQTT_PORT": str(free_port)}
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment, cwd=ROOT)
    try:
        assert _wait(lambda: _pid(tmp_path) != 0)
        child = _pid(tmp_path)
        parent.kill()
        parent.wait()
        assert _wait(lambda: not _alive(child))
    finally:
        if parent.poll() is None:
            parent.kill()
            parent.wait()
