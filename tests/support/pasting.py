"""Somebody who follows a page of the docs: pastes its commands in a folder of their own; only the ports differ."""

import os
import re
import signal
import subprocess
from pathlib import Path

from running import ROOT, free_ports, wait_until

READY = "Ctrl-C ends it."


class Paster:
    """Runs commands as they are written, and knows when to press Ctrl-C."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.http_port, self.mqtt_port = free_ports(2)
        self.serving: subprocess.Popen[bytes] | None = None
        own = {"PYTHONPATH": str(ROOT), "PLANTROOM_HTTP_PORT": self.http_port, "PLANTROOM_MQTT_PORT": self.mqtt_port}
        around = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "ARGS")}
        self.environment = {**around, **{name: str(value) for name, value in own.items()}}

    def run(self, command: str) -> str:
        """Run a command that ends, with our ports; what it wrote."""
        line = command.replace("127.0.0.1:8600", f"127.0.0.1:{self.http_port}")
        line = re.sub(r"^mosquitto_pub ", f"mosquitto_pub -p {self.mqtt_port} ", line)
        done = subprocess.run(
            ["sh", "-c", line], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def serve(self, command: str) -> str:
        """Start a command that goes on until Ctrl-C; what it said when it was ready."""
        log = self.folder / "served"
        with log.open("wb") as out:
            self.serving = subprocess.Popen(
                ["sh", "-c", f"exec {command}"], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

        def said() -> str:
            text = log.read_text(encoding="utf-8", errors="replace")
            assert self.serving is not None
            assert self.serving.poll() is None, text
            return text if READY in text else ""

        return str(wait_until(said, 120, command))

    def end(self) -> int:
        """Press Ctrl-C; the exit code."""
        if self.serving is None:
            return 0
        if self.serving.poll() is None:
            os.killpg(self.serving.pid, signal.SIGINT)
        code, self.serving = self.serving.wait(60), None
        return code
