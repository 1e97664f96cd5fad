"""Starts the processes of the program, keeps them running, and ends them all together.

Each child holds the reading end of a pipe whose writing end is ours: if we are killed, the pipe closes and the
child ends. A child that dies is started again: at once, and with a growing pause when it dies again.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from facility.clock import RealClock
from facility.errors import PermanentError
from plantroom.lifeline import LIFELINE

log = structlog.get_logger(__name__)
EXIT_CONFIGURATION = 78  # sysexits.h EX_CONFIG: starting again would not help


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process: its name, the arguments of `plantroom`, its environment, and how to tell that it is ready."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(hash=False)
    is_ready: Callable[[], bool] = lambda: True
    ready_seconds: float = 180.0


@dataclass(slots=True)
class _Child:
    spec: ProcessSpec
    process: subprocess.Popen[bytes]
    started_us: int
    failures: int = 0
    again_at_us: int | None = None


class Supervisor:
    """Runs the children until `stop` is set. A stage is started when every child of the one before is ready."""

    def __init__(self, stages: Sequence[Sequence[ProcessSpec]], run_folder: Path, stop: threading.Event) -> None:
        self._stages, self._folder, self._stop = stages, run_folder, stop
        self._children: list[_Child] = []
        self._clock = RealClock()

    def start(self) -> None:
        """Start stage after stage. Raises PermanentError when a child ends or is not ready in its time."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for stage in self._stages:
            children = [_Child(spec, self._spawn(spec), self._clock.now_us()) for spec in stage]
            self._children += children
            for child in children:
                self._wait_ready(child)

    def _wait_ready(self, child: _Child) -> None:
        name, deadline_us = child.spec.name, child.started_us + round(child.spec.ready_seconds * 1e6)
        while not self._stop.is_set() and not child.spec.is_ready():
            if (code := child.process.poll()) is not None:
                msg = f"the {name} process ended at its start (exit {code}); its log above says why"
                raise PermanentError(msg)
            if self._clock.now_us() > deadline_us:
                msg = f"the {name} process was not ready within {child.spec.ready_seconds:g} s; see its log above"
                raise PermanentError(msg)
            self._stop.wait(0.05)

    def run(self) -> None:
        """Keep the children running until `stop` is set."""
        while not self._stop.wait(0.1):
            for child in self._children:
                self._look_after(child)

    def end(self, seconds: float = 8.0) -> None:
        """End the children, the first stage last, each with `seconds` to finish; then kill what is left.

        The others live on the first (the broker): they take their leave while it is there.
        """
        first = len(self._stages[0])
        self._end(self._children[first:], seconds)
        self._end(self._children[:first], seconds)

    def _end(self, children: Sequence[_Child], seconds: float) -> None:
        for child in children:
            if child.process.poll() is None:
                child.process.terminate()
        for child in children:
            try:
                child.process.wait(seconds)
            except subprocess.TimeoutExpired:
                log.warning("process did not end in time, killed", name=child.spec.name)
                child.process.kill()
                child.process.wait()
            if child.process.stdin is not None:
                child.process.stdin.close()
            (self._folder / f"{child.spec.name}.pid").unlink(missing_ok=True)

    def _spawn(self, spec: ProcessSpec) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "plantroom", *spec.arguments],
            env={**os.environ, **spec.environment, LIFELINE: "1"},
            stdin=subprocess.PIPE,
            process_group=0,  # Ctrl-C is for us alone; in one session, Linux weighs all of us by our niceness
        )
        (self._folder / f"{spec.name}.pid").write_text(str(process.pid), encoding="ascii")
        return process

    def _look_after(self, child: _Child) -> None:
        now_us = self._clock.now_us()
        code = child.process.poll()
        if code is None:
            if child.failures and now_us - child.started_us > 60_000_000:
                child.failures = 0
            return
        if child.again_at_us is None:
            if child.process.stdin is not None:
                child.process.stdin.close()
            child.failures += 1
            pause = min(30.0, 0.25 * 2 ** (child.failures - 1)) if child.failures > 1 else 0.0
            child.again_at_us = now_us + round(pause * 1e6)
            log.error("process ended, starting it again", name=child.spec.name, exit=code, in_seconds=pause)
        elif not now_us < child.again_at_us <= now_us + 30_000_000:  # also after the clock was set back
            child.process = self._spawn(child.spec)
            child.started_us, child.again_at_us = now_us, None
