"""An operator who has only the page sets a building up on one machine, loses everything and has it back.

Every `sh` block of docs/operate-a-building.md is pasted in its order; only ports, folders and addresses of servers are
this test's. What the page calls not run stands in other blocks.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from brokers import program
from influx_server import create, influx
from markdown import Page
from production import answers
from running import ROOT, free_ports, wait_until

PAGE = Page(ROOT / "docs/operate-a-building.md")
SERVED = {"sh broker.sh": "broker", "plantroom run": "program"}
SAYS = {
    "plantroom init": "wrote",
    "plantroom doctor": "good  broker",
    "curl -sG": '"tags":{"asset":"leak-1"}',
    "plantroom order list": "WO-000001  open",
    "psql -d plantroom": "Leak sensor in the pump room",
    "plantroom backup backups": "backup",
    "plantroom restore": "1 orders, schema",
}
"""What a block that contains this says, at the latest after a while."""


class Operator:
    """Pastes blocks into a shell in a folder of her own."""

    def __init__(self, folder: Path, postgres: str, series: str) -> None:
        self.folder, self._served = folder, dict[str, subprocess.Popen[bytes]]()
        self.tls_port, self.plain_port, http_port = free_ports(3)
        socket_folder = parse_qs(urlsplit(postgres).query)["host"][0]
        self._others = {
            "8883": str(self.tls_port),
            "MQTT_PORT=1883": f"MQTT_PORT={self.plain_port}",
            "8600": str(http_port),
            "http://127.0.0.1:8086": series,
            "/var/run/postgresql": socket_folder,
            "sudo -u postgres ": "PGUSER=postgres ",
        }
        around = {name: value for name, value in os.environ.items() if not name.startswith(("PLANTROOM_", "PG"))}
        path = f"{Path(sys.executable).parent}:{around['PATH']}:/usr/sbin"
        postgres_too = {"PGHOST": socket_folder, "PGUSER": "plantroom"}
        self._environment = {**around, **postgres_too, "PATH": path, "PYTHONPATH": str(ROOT)}

    def run(self, block: str) -> str:
        """What the block said. Fails the test when one of its lines does."""
        done = subprocess.run(
            ["sh", "-eu", "-c", self._mine(block)], cwd=self.folder, env=self._environment, capture_output=True,
            text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}\n{self.logs()}"
        return done.stdout + done.stderr

    def run_until(self, block: str, said: str) -> None:
        """Run it until it says that."""
        wait_until(lambda: said in self.run(block), 60, f"{said!r} from: {block}\n{self.logs()}")

    def serve(self, block: str) -> None:
        """Start what goes on, and wait until it is there."""
        name = SERVED[block]
        log = self.folder / f"{name}.log"
        with log.open("ab") as out:
            self._served[name] = started = subprocess.Popen(
                ["sh", "-c", f"exec {block}"], cwd=self.folder, env=self._environment, stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        before = self.logs().count("Ctrl-C ends it.")

        def ready() -> bool:
            assert started.poll() is None, self.logs()
            return answers(self.tls_port) if name == "broker" else self.logs().count("Ctrl-C ends it.") > before

        wait_until(ready, 120, f"{block} to be there\n{self.logs()}")

    def stop(self, name: str) -> None:
        """Ctrl-C."""
        served = self._served.pop(name)
        os.killpg(served.pid, signal.SIGINT if name == "program" else signal.SIGTERM)
        assert served.wait(60) in (0, -signal.SIGTERM)

    def leave(self) -> None:
        """End what still runs, as hard as it needs."""
        for served in self._served.values():
            if served.poll() is None:
                os.killpg(served.pid, signal.SIGTERM)
                served.wait(60)

    def logs(self) -> str:
        """What the broker and the program said."""
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in self.folder.glob("*.log"))

    def use_my_ports(self) -> None:
        """The broker's configuration as the page makes it, on this test's ports."""
        path = self.folder / "mosquitto.conf"
        text = path.read_text(encoding="utf-8")
        for wanted, port in (("listener 8883\n", self.tls_port), ("listener 1883 127.0.0.1\n", self.plain_port)):
            assert wanted in text
            text = text.replace(wanted, f"listener {port} 127.0.0.1\n")
        path.write_text(text + ("user root\n" if os.geteuid() == 0 else ""), encoding="utf-8")

    def _mine(self, block: str) -> str:
        for theirs, ours in self._others.items():
            block = block.replace(theirs, ours)
        return block


@pytest.fixture
def operator(tmp_path: Path, postgres_server: str) -> Iterator[Operator]:
    for name in ("mosquitto", "mosquitto_pub", "curl", "psql"):
        program(name)
    (tmp_path / "source").symlink_to(ROOT)
    (tmp_path / "series").mkdir()
    with ExitStack() as ending:
        series = ending.enter_context(influx(tmp_path / "series"))
        create(series, ["plantroom"])
        one = Operator(tmp_path, postgres_server, series)
        ending.callback(one.run, "sudo -u postgres dropdb --if-exists plantroom\nsudo -u postgres dropuser plantroom")
        ending.callback(one.leave)
        yield one


@pytest.mark.soak
@pytest.mark.service
def test_the_page_alone_brings_a_building_up_and_back(operator: Operator) -> None:
    unsaid, blocks = set(SAYS), [block.strip() for block in PAGE.blocks("sh")]
    for block in blocks:
        if block in SERVED:
            operator.serve(block)
            continue
        if block.startswith("rm -rf var"):
            operator.stop("program")
        said = next((one for one in SAYS if one in block), None)
        if said is None:
            operator.run(block)
        else:
            operator.run_until(block, SAYS[said])
            unsaid.discard(said)
        if "mosquitto.conf" in block:
            operator.use_my_ports()
    operator.stop("program")
    assert not unsaid


def test_what_is_not_run_is_named_and_services_start_what_was_pasted() -> None:
    text = PAGE.text
    for at in (found.start() for found in re.finditer(r"^```bash", text, re.MULTILINE)):
        assert "ot run" in text[max(0, at - 200) : at] or "systemctl enable" in text[at : at + 60]
    started = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    assert [one.removeprefix("/bin/").removeprefix("/srv/plantroom/.venv/bin/") for one in started] == list(SERVED)
