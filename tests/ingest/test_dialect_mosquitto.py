"""zigbee2mqtt's names with spaces, by `mosquitto_pub` through a real Mosquitto, into the journal."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from golden import GOLDEN
from listening import entries_of, listening
from running import free_ports, wait_until

from facility.reading import Scan
from facility.site_file import parse_site
from ingest.link import BrokerAddress

TOPIC = "zigbee2mqtt/Basement/Pump room/leak"


def program(name: str) -> str:
    """The path of a program of Debian's package mosquitto."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        reason = f"{name} is not installed; on Debian: apt-get install mosquitto mosquitto-clients"
        if os.environ.get("PLANTROOM_REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.mark.service
def test_a_name_with_a_space_is_read_where_the_broker_takes_it(tmp_path: Path) -> None:
    server, publisher = program("mosquitto"), program("mosquitto_pub")
    (port,) = free_ports(1)
    (tmp_path / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n", encoding="utf-8")
    registry = parse_site((GOLDEN / "devices.yaml").read_text(encoding="utf-8"), "devices.yaml")
    with subprocess.Popen([server, "-c", str(tmp_path / "mosquitto.conf")], stderr=subprocess.DEVNULL) as broker:
        try:
            with listening(BrokerAddress(port=port), tmp_path, registry) as journal:
                payload = '{"battery": 97, "linkquality": 120, "water_leak": true}'
                command = [publisher, "-p", str(port), "-q", "1", "-t", TOPIC, "-m", payload]
                subprocess.run(command, check=True, timeout=20)
                scans = wait_until(
                    lambda: [entry for entry in entries_of(journal) if isinstance(entry, Scan)], 20, "the reading"
                )
        finally:
            broker.terminate()
    assert {value.point: value.value for value in scans[0].values} == {"battery_level": 97.0, "leak_detected": 1.0}
