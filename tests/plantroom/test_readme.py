"""README's commands, each run as written and in their order, in a folder of their own; only the ports differ."""

import json
import os
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from markdown import Page
from pasting import Paster
from running import ROOT, is_alive, wait_until

from simulators.wire import Wire

README = Page(ROOT / "README.md")


class Reader(Paster):
    """Knows what each command of the page should say."""

    def orders(self) -> list[dict[str, Any]]:
        """The open orders of the program in `my-building`."""
        token = (self.folder / "my-building/var/token").read_text(encoding="ascii").strip()
        url, headers = f"http://127.0.0.1:{self.http_port}/api/work-orders", {"Authorization": f"Bearer {token}"}
        answer = httpx.get(url, headers=headers, timeout=20, trust_env=False).raise_for_status()
        return list(answer.json())

    # --- one for each command of the page ------------------------------------------------------------------------
    def demo(self, command: str) -> None:
        """The printed link signs in; Ctrl-C ends it cleanly."""
        said = self.serve(command)
        link = re.search(r"Sign in +(\S+)", said)
        assert link is not None, said
        with httpx.Client(trust_env=False, follow_redirects=True, timeout=20) as browser:
            assert "<h1>Tower</h1>" in browser.get(link[1]).raise_for_status().text
        assert (self.folder / "var/token").stat().st_mode & 0o777 == 0o600
        pids = [int(path.read_text()) for path in [self.folder / "var/lock", *self.folder.glob("var/run/*.pid")]]
        assert len(pids) > 4
        assert self.end() in (0, -signal.SIGINT), "make ends by the signal itself"
        assert not [pid for pid in pids if is_alive(pid)]

    def init(self, command: str) -> None:
        """It names what it wrote."""
        assert "wrote my-building/site.yaml" in self.run(command)

    def check(self, command: str) -> None:
        """The starter set is good."""
        assert self.run(command).count(": good ") == 3

    def explain(self, command: str) -> None:
        """The contract in words."""
        assert "whatever no level matches" in self.run(command)

    def start(self, command: str) -> None:
        """It runs until the reader is done."""
        assert str(self.folder / "my-building/var/token") in self.serve(command)

    def leak(self, command: str) -> None:
        """The wet sensor becomes a work order."""
        assert not self.orders()
        if shutil.which("mosquitto_pub"):
            self.run(command)
        else:
            words = shlex.split(command, posix=False)
            payload = self.run(f"printf %s {' '.join(words[words.index('-m') + 1 :])}")
            with Wire("127.0.0.1", self.mqtt_port, "reader") as wire:
                wire.publish(words[words.index("-t") + 1], payload.encode())
                assert wire.drain(20)
        orders = wait_until(self.orders, 30, "the order of the leak")
        assert [order["rule_id"] for order in orders] == ["water-leak-detected"]

    def ask(self, command: str) -> None:
        """The order by API."""
        if shutil.which("curl") is None:
            pytest.skip("no curl: apt-get install curl")
        answer = self.run(command.replace("curl ", "curl -sS --noproxy '*' "))
        assert json.loads(answer)[0]["asset_id"] == "leak-1"

    def backtest(self, command: str) -> None:
        """Findings and orders of the real air handler."""
        assert "21,600 rows" in self.run(command)
        found = json.loads((self.folder / "out.json").read_bytes())
        assert found["findings"]
        assert found["work_orders"]


KNOWN = (
    (r"make demo$", Reader.demo),
    (r"\.venv/bin/plantroom init ", Reader.init),
    (r"\.venv/bin/plantroom check ", Reader.check),
    (r"\.venv/bin/plantroom contract explain ", Reader.explain),
    (r"\.venv/bin/plantroom run ", Reader.start),
    (r"mosquitto_pub ", Reader.leak),
    (r"curl ", Reader.ask),
    (r"\.venv/bin/plantroom backtest ", Reader.backtest),
)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """In a folder like a clone in which `make` has set up `.venv` already."""
    for name in ("Makefile", "examples", "requirements", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    program = tmp_path / ".venv/bin/plantroom"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m plantroom "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / ".venv/core").touch()
    reader = Reader(tmp_path)
    try:
        yield reader
    finally:
        if reader.serving is not None:
            os.killpg(reader.serving.pid, signal.SIGKILL)
            reader.serving.wait()


def test_every_command_of_the_readme_works_as_written(reader: Reader) -> None:
    commands = README.commands()
    for command in commands:
        act = next((act for pattern, act in KNOWN if re.match(pattern, command)), None)
        assert act is not None, f"the page shows a command this test does not know: {command}"
        act(reader, command)
    assert len(commands) == len(KNOWN)
    assert reader.end() == 0
