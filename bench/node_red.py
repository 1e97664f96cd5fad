"""Node-RED as a consumer of the same messages: mqtt in, JSON, a range check in a function. It keeps nothing.

Installed by npm into a folder of its own; nothing of it is part of this program.
"""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COUNT_TOPIC = "count/node-red"
_PACKAGE = "node-red@4"
_CHECK = """
let n = (flow.get("n") || 0) + 1;
for (const value of Object.values(msg.payload.values)) {
    if (!(value >= -50 && value <= 150)) { flow.set("odd", (flow.get("odd") || 0) + 1); }
}
flow.set("n", n);
return null;
"""
_TELL = 'return {payload: String(flow.get("n") || 0)};'
_SETTINGS = """module.exports = {
  httpAdminRoot: false, httpNodeRoot: false, flowFile: "flows.json", credentialSecret: false,
  logging: {console: {level: "error", metrics: false, audit: false}},
};
"""


def install(folder: Path) -> Path:
    """Node-RED's start script; installed into the folder when it is not there. Exits where there is no npm."""
    script = folder / "node_modules" / "node-red" / "red.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            sys.exit("npm is not installed; on Debian: apt-get install npm")
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--loglevel=error", _PACKAGE]
        subprocess.run(command, cwd=folder, check=True)
    return script


def flows(port: int) -> list[dict[str, object]]:
    """One tab: everything that is published is parsed and checked; twice a second it tells how many it was."""
    broker = {
        "id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(port), "clientid": "node-red",
        "protocolVersion": "4", "keepalive": "60", "cleansession": False, "autoConnect": True, "usetls": False,
    }  # fmt: skip
    on_tab = {"z": "tab", "x": 100, "y": 100}
    return [
        {"id": "tab", "type": "tab", "label": "bench"},
        broker,
        {"id": "in", "type": "mqtt in", "topic": "plantroom/#", "qos": "1", "datatype": "utf8", "broker": "broker",
         "wires": [["json"]], **on_tab},
        {"id": "json", "type": "json", "property": "payload", "action": "obj", "wires": [["check"]], **on_tab},
        {"id": "check", "type": "function", "func": _CHECK, "outputs": 1, "wires": [[]], **on_tab},
        {"id": "clock", "type": "inject", "repeat": "0.5", "once": True, "onceDelay": "0.1", "props": [],
         "wires": [["tell"]], **on_tab},
        {"id": "tell", "type": "function", "func": _TELL, "outputs": 1, "wires": [["out"]], **on_tab},
        {"id": "out", "type": "mqtt out", "topic": COUNT_TOPIC, "qos": "0", "broker": "broker", "wires": [], **on_tab},
    ]  # fmt: skip


class Counter:
    """What Node-RED has told of its count, by `mosquitto_sub`."""

    def __init__(self, port: int) -> None:
        program = shutil.which("mosquitto_sub")
        if program is None:
            sys.exit("mosquitto_sub is not installed; on Debian: apt-get install mosquitto-clients")
        command = [program, "-p", str(port), "-t", COUNT_TOPIC]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.count, self.told = 0, threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self.count = int(line)
            self.told.set()

    def close(self) -> None:
        """Stop listening."""
        self._process.terminate()
        self._process.wait(10)


@contextmanager
def node_red(script: Path, folder: Path, port: int) -> Iterator[tuple[int, Counter]]:
    """Node-RED with its flow deployed and subscribed: its process id and its count."""
    home = folder / "node-red"
    home.mkdir()
    (home / "settings.js").write_text(_SETTINGS, encoding="utf-8")
    (home / "flows.json").write_text(json.dumps(flows(port)), encoding="utf-8")
    counter = Counter(port)
    node = shutil.which("node")
    if node is None:
        sys.exit("node is not installed; on Debian: apt-get install nodejs")
    process = subprocess.Popen([node, str(script), "--userDir", str(home)], stdin=subprocess.DEVNULL)
    try:
        if not counter.told.wait(60):
            sys.exit("Node-RED did not come up within 60 s")
        yield process.pid, counter
    finally:
        process.terminate()
        process.wait(20)
        counter.close()
