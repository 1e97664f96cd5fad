"""A new user writes, tests, backtests and deploys a rule by `docs/deploy-a-rule.md` alone: every block is pasted and
run in its order, in a folder of its own; only the ports differ. What the page says it prints must come."""

import os
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pasting import Paster
from running import ROOT, wait_until

PAGE = ROOT / "docs/deploy-a-rule.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TARGET = re.compile(r"Save this as `([^`]+)`")


class User(Paster):
    """Knows how to wait for what the page says takes some seconds."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        program = folder / ".venv/bin/plantroom"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m plantroom "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        self.environment["no_proxy"] = "*"

    def save(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def await_text(self, command: str, wanted: list[str]) -> None:
        """Ask again until the answer holds every line of the page: it says that it takes some seconds."""

        def missing() -> list[str]:
            said = self.run(command)
            return [line for line in wanted if line not in said]

        wait_until(lambda: not missing(), 60, f"{command} to say {wanted}; the last time it said {self.run(command)}")


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    for name in ("curl", "awk", "sed"):
        if shutil.which(name) is None:
            pytest.skip(f"no {name}: apt-get install {name}")
    user = User(tmp_path)
    try:
        yield user
    finally:
        if user.serving is not None:
            os.killpg(user.serving.pid, signal.SIGKILL)
            user.serving.wait()


def test_the_page_alone_brings_a_rule_into_force(user: User) -> None:
    text = PAGE.read_text(encoding="utf-8")
    blocks = list(_BLOCK.finditer(text))
    assert len(blocks) > 20
    before = 0
    for block, after in zip(blocks, [*blocks[1:], None], strict=True):
        language, body, prose = block[1], block[2], text[before : block.start()]
        before = block.end()
        if language == "yaml":
            targets = _TARGET.findall(prose)
            assert targets, f"the page does not say where to save:\n{body}"
            user.save(targets[-1], body)
        elif language == "sh":
            (command,) = body.splitlines()
            wanted = after[2].splitlines() if after is not None and after[1] == "text" else []
            if " run --site" in command:
                user.serve(command)
            elif command.startswith("curl"):
                user.await_text(command, wanted)
            else:
                said = user.run(command)
                assert not [line for line in wanted if line not in said], said
        else:
            assert language == "text"
    assert "<svg" in (user.folder / "plant/report.html").read_text(encoding="utf-8")
    refused = [line for line in (user.folder / "served").read_text(encoding="utf-8").splitlines() if "refused" in line]
    assert len(refused) == 1, "the log says once why the file is not taken"
    assert "plant/rules/tank.yaml:7" in refused[0]
    assert user.end() == 0
