"""The ingest process reads from a broker that speaks TLS, by the settings alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from brokers import Mosquitto, make_certificate
from running import ROOT, wait_until
from tanks import SITE


@pytest.mark.service
@pytest.mark.parametrize("client", ["raw", "paho"])
def test_ingest_listens_through_tls(tmp_path: Path, client: str) -> None:
    certificate, key = make_certificate(tmp_path, "broker")
    broker = Mosquitto(tmp_path, f"allow_anonymous true\ncertfile {certificate}\nkeyfile {key}\n")
    broker.start()
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    settings = {
        "VAR": str(tmp_path / "var"), "SITE": str(tmp_path / "site.yaml"), "MQTT_PORT": str(broker.port),
        "MQTT_CA_FILE": str(certificate), "MQTT_CLIENT": client,
    }  # fmt: skip
    environment = {**os.environ, **{f"PLANTROOM_{name}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", "plantroom", "run", "--role", "ingest"]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL)
    try:
        wait_until((tmp_path / "var" / "run" / "ingest.listening").exists, 60, "ingest to listen")
    finally:
        process.terminate()
        assert process.wait(20) == 0
        broker.kill()
