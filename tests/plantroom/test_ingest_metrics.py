"""An ingest process takes readings without the port of its metrics, and serves them when the port becomes free."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from locks import lock_holder
from running import PLAIN, System, free_ports, wait_until
from tanks import SITE


@pytest.fixture
def ingest(tmp_path: Path) -> Iterator[System]:
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    mqtt, metrics = free_ports(2)
    settings = {"VAR": str(tmp_path), "SITE": str(tmp_path / "site.yaml"), "HTTP_HOST": "127.0.0.1"}
    settings |= {"MQTT_PORT": str(mqtt), "METRICS_PORT": str(metrics)}
    system = System(tmp_path, {f"PLANTROOM_{key}": value for key, value in settings.items()})
    system.arguments += ["--role", "ingest"]
    yield system
    system.kill()


def test_who_writes_the_journal_goes_on_without_the_port_that_another_has(ingest: System, tmp_path: Path) -> None:
    port = int(ingest.settings["PLANTROOM_METRICS_PORT"])
    with closing(socket.create_server(("127.0.0.1", port))):
        ingest.launch()
        assert ingest.process is not None
        wait_until(lambda: "metrics wait for their port" in ingest.log(), 60, "it to say so")
        writer = tmp_path / "journal/writer.lock"
        wait_until(lambda: lock_holder(writer) or ingest.process.poll() is not None, 60, "it to have the journal")  # type: ignore[union-attr]  # asserted above
        assert ingest.process.poll() is None, ingest.log()

    def served() -> bool:
        try:
            return "plantroom_" in httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, verify=PLAIN).text
        except httpx.TransportError:
            return False

    wait_until(served, 30, "its metrics")
    assert ingest.process.poll() is None, ingest.log()
