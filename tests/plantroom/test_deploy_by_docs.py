"""A new user writes, tests, backtests and deploys a rule by `docs/deploy-a-rule.md` alone: every block is pasted and
run in its order, in a folder of its own; only the ports differ. What the page says it prints must come."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import ROOT, free_ports, wait_until

PAGE = ROOT / "docs/deploy-a-rule.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TARGET = re.compile(r"Save this as `([^`]+)`")
READY = "Ctrl-C ends it."


class User:
    """Pastes what the page shows; knows how to wait for what it says takes some seconds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / ".venv/bin/plantroom"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m plantroom "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        self.http_port, mqtt_port = free_ports(2)
        own = {"PYTHONPATH": ROOT, "PLANTROOM_HTTP_PORT": self.http_port, "PLANTROOM_MQTT_PORT": mqtt_port}
        self.environment = {**os.environ, "no_proxy": "*", **{name: str(value) for name, value in own.items()}}
        self.serving: subprocess.Popen[bytes] | None = None

    def save(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, command: str) -> str:
        """A command that ends; what it said."""
        line = command.replace("127.0.0.1:8600", f"127.0.0.1:{self.http_port}")
        done = subprocess.run(
            ["sh", "-c", line], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def serve(self, command: str) -> None:
        """A command that goes on; until it says that it is ready."""
        log = self.folder / "served"
        with log.open("wb") as out:
            self.serving = subprocess.Popen(
                ["sh", "-c", f"exec {command}"], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        wait_until(lambda: READY in log.read_text(encoding="utf-8", errors="replace"), 120, command)

    def await_text(self, command: str, wanted: list[str]) -> None:
        """Ask again until the answer holds every line of the page: it says that it takes some seconds."""

        def missing() -> list[str]:
            said = self.run(command)
            return [line for line in wanted if line not in said]

        wait_until(lambda: not missing(), 60, f"{command} to say {wanted}; the last time it said {self.run(command)}")

    def end(self) -> int:
        if self.serving is None:
            return 0
        os.killpg(self.serving.pid, signal.SIGINT)
        code, self.serving = self.serving.wait(60), None
        return code


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
