"""Trials of rules that somebody asked for on a page: one process at a time, nice to the others, bounded."""

import os
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import structlog

from dashboards.web.backtest_report import BacktestReport
from dashboards.web.rule_view import TrialView, TrialWish
from facility.clock import Clock
from facility.errors import PermanentError
from plantroom.lifeline import LIFELINE
from plantroom.trial_process import Ordered

log = structlog.get_logger(__name__)
KEPT = 20
LONGEST_SECONDS = 1_800.0
NICE = 10
_LOOK_SECONDS = 0.5


class RuleTrials:
    """Thread-safe. `touched` is called whenever something shown has changed."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], clock: Clock, touched: Callable[[], None], nice: int = NICE
    ) -> None:
        """`environment` are the program's own settings; `nice` is how far a trial stands back behind all else."""
        self._folder, self._environment, self._clock, self._touched = folder, environment, clock, touched
        self._nice = nice
        self._lock = threading.Lock()
        self._trials: dict[str, TrialView] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self._ended.set()

    def clear(self) -> None:
        """Before the first trial, and while no other process has any: what a killed one left is cleared away."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def begin(self, wish: TrialWish, ordered: Ordered, by: str) -> TrialView:
        """Start it. Raises PermanentError while another one runs."""
        with self._lock:
            if not self._ended.is_set():
                running = next(one for one in self._trials.values() if one.state == "running")
                msg = (
                    f"a trial of {running.wish.rule_id} by {running.by} runs already; one at a time, try again after it"
                )
                raise PermanentError(msg)
            trial = TrialView(uuid.uuid4().hex[:12], wish, "running", 0, by, self._clock.now())
            home = self._folder / trial.id
            home.mkdir(parents=True)
            (home / "order.json").write_bytes(msgspec.json.encode(ordered))
            process = self._spawn(home)
            self._trials[trial.id], self._process = trial, process
            self._ended.clear()
            for old in list(self._trials)[:-KEPT]:
                shutil.rmtree(self._folder / old, ignore_errors=True)
                del self._trials[old]
        threading.Thread(target=self._watch, args=(trial.id, home, process), name="trial", daemon=True).start()
        log.info("a rule is tried over the readings kept", rule=wish.rule_id, kind=wish.kind, days=wish.days, by=by)
        return trial

    def trial(self, trial_id: str) -> TrialView | None:
        """A trial; None when it is not kept."""
        return self._trials.get(trial_id)

    def trials(self, rule_id: str) -> list[TrialView]:
        """Those of a rule, the newest first."""
        with self._lock:
            return [one for one in reversed(self._trials.values()) if one.wish.rule_id == rule_id]

    def report(self, trial_id: str) -> BacktestReport | None:
        """Of a trial that is done."""
        trial = self.trial(trial_id)
        if trial is None or trial.state != "done":
            return None
        return msgspec.json.decode((self._folder / trial.id / "result.json").read_bytes(), type=BacktestReport)

    def close(self) -> None:
        """End what runs."""
        with self._lock:
            process = self._process
        if process is not None and process.poll() is None:
            process.kill()
        self._ended.wait(10)

    def _spawn(self, home: Path) -> "subprocess.Popen[bytes]":
        polite = ["nice", "-n", str(self._nice)] if shutil.which("nice") else []
        command = [*polite, sys.executable, "-m", "plantroom.trial_process", str(home)]
        environment = os.environ | dict(self._environment) | {LIFELINE: "1", "POLARS_MAX_THREADS": "1"}
        with (home / "log").open("wb") as out:
            return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out, env=environment)

    def _watch(self, trial_id: str, home: Path, process: "subprocess.Popen[bytes]") -> None:
        left = LONGEST_SECONDS
        while process.poll() is None:
            try:
                process.wait(_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                left -= _LOOK_SECONDS
                if left < 0:
                    process.kill()
                self._change(trial_id, percent=_percent(home))
        if process.stdin is not None:
            process.stdin.close()
        if (home / "result.json").is_file():
            self._change(trial_id, state="done", percent=100)
        else:
            self._change(trial_id, state="failed", error=_reason(home, process.returncode, was_long=left < 0))
        self._ended.set()

    def _change(self, trial_id: str, **changed: object) -> None:
        with self._lock:
            before = self._trials[trial_id]
            after = self._trials[trial_id] = replace(before, **changed)  # type: ignore[arg-type]  # fields by name
        if after != before:
            self._touched()


def _percent(home: Path) -> int:
    try:
        return int((home / "progress").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0  # nothing said yet


def _reason(home: Path, code: int, *, was_long: bool) -> str:
    if was_long:
        return f"it took longer than {LONGEST_SECONDS / 60:g} min and was ended; choose fewer days"
    try:
        return (home / "error").read_text(encoding="utf-8")
    except OSError:
        told = (home / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        log.error("a trial ended early", code=code, log=told[-20:])
        return f"it ended early (exit {code}): {told[-1] if told else 'it said nothing'}"
