"""Runs a `plantroom` command in this process, as the console script does."""

import sys
from dataclasses import dataclass

import pytest

from plantroom.cli import main


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


class Commands:
    """Calls commands that end by themselves and leave no process-wide settings behind (not run, simulate, replay)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *words: str) -> Answer:
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
