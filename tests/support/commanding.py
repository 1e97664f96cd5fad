"""Runs a `plantroom` command as the console does: in this process where it leaves nothing behind."""

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest
from running import ROOT

from plantroom.cli import load_commands, main

OWN_PROCESS = ("demo", "run", "simulate", "replay")
"""These set up logs and signals for the whole process."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


class Commands:
    """Calls commands, in the current folder, that end by themselves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *words: str) -> Answer:
        if words and words[0] in OWN_PROCESS and "--help" not in words:
            return self._apart(*words)
        load_commands(())  # all of them, in their order: this process may be asked for more than one
        self._capsys.readouterr()
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["plantroom", *words])
            try:
                main()
                code: object = 0
            except SystemExit as ended:
                code = ended.code or 0
        said = self._capsys.readouterr()
        return Answer(int(str(code)), said.out, said.err)

    @staticmethod
    def _apart(*words: str) -> Answer:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "plantroom", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        return Answer(done.returncode, done.stdout, done.stderr)
