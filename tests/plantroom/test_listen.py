"""The embedded broker open to the local network: with a password of its own, and never without one."""

import shlex
import stat
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from commanding import Commands
from running import System, wait_until

from facility.errors import InputError
from plantroom.listen import check_password, device_password, invitation, is_open, parse_listen, reachable_at
from plantroom.settings import load_settings
from simulators.wire import Wire, WireRefusedError

ANY = "0.0.0.0"  # noqa: S104 - the case itself
OTHER_LOOPBACK = "127.0.0.2"
READY = "Ctrl-C ends it."


def test_only_an_address_is_taken() -> None:
    assert parse_listen("192.168.1.20") == "192.168.1.20"
    assert parse_listen("[::1]") == "::1"
    for wrong in ("", "eth0", "192.168.1", "router.local"):
        with pytest.raises(InputError, match="is no IP address"):
            parse_listen(wrong)


def test_what_others_can_reach_needs_a_password() -> None:
    assert [is_open(host) for host in ("127.0.0.1", "::1", "localhost", ANY, "192.168.1.20", "::")] == [
        False, False, False, True, True, True,
    ]  # fmt: skip
    check_password(load_settings())
    check_password(load_settings(mqtt_listen=ANY, mqtt_user="u", mqtt_password="long-enough"))  # noqa: S106 - made up
    for opened in ({"mqtt_listen": ANY}, {"mqtt_host": "192.168.1.20"}):
        with pytest.raises(InputError, match="without a password"):
            check_password(load_settings(**opened))


def test_the_password_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "var/mqtt_password"
    password, is_new = device_password(path)
    assert is_new
    assert len(password) >= 20
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert device_password(path) == (password, False)
    path.write_text("short\n", encoding="ascii")
    with pytest.raises(InputError, match="no usable password"):
        device_password(path)


def test_the_password_is_shown_the_first_time_only() -> None:
    settings = load_settings(mqtt_listen="192.168.1.20", mqtt_user="plantroom", mqtt_password="long-enough")  # noqa: S106 - made up
    assert any("-h 192.168.1.20 -p 1883 -u plantroom -P long-enough" in one for one in invitation(settings, first=True))
    assert "long-enough" not in "".join(invitation(settings, first=False))


def test_a_device_is_told_an_address_it_can_use() -> None:
    assert reachable_at("192.168.1.20") == "192.168.1.20"
    assert reachable_at(ANY) != ANY


def test_a_run_that_would_be_open_without_a_password_is_refused(plantroom: Commands, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("site: {id: s, zone: UTC}\nbuildings: [{id: b}]\n", encoding="utf-8")
    result = plantroom("run", "--site", str(site), "--mqtt-listen", ANY)
    assert result.code != 0
    assert "without a password" in result.err
    assert "plantroom demo --listen" in result.err


def test_an_address_of_another_machine_is_refused_at_once(plantroom: Commands) -> None:
    result = plantroom("demo", "--listen", "192.0.2.7")
    assert result.code != 0
    assert "no address of this machine" in result.err


def test_the_demo_opens_its_broker_to_who_knows_the_password_and_keeps_its_pages(
    new_system: Callable[..., System],
) -> None:
    system = new_system("demo", "--listen", OTHER_LOOPBACK)
    system.start()
    wait_until(lambda: READY in system.log(), 60, "the addresses to be said")
    password = (system.var / "mqtt_password").read_text(encoding="ascii").strip()
    line = next(line for line in system.log().splitlines() if line.startswith("mosquitto_pub "))
    assert password in line
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{OTHER_LOOPBACK}:{system.http_port}/healthz", timeout=5, trust_env=False)
    with pytest.raises(WireRefusedError), Wire(OTHER_LOOPBACK, system.mqtt_port, "stranger", wait_s=20):
        raise AssertionError

    words = shlex.split(line)
    told = {flag: words[words.index(flag) + 1] for flag in ("-h", "-p", "-u", "-P", "-t", "-m")}
    with Wire(told["-h"], int(told["-p"]), "device", username=told["-u"], password=told["-P"]) as wire:
        wire.publish(told["-t"], told["-m"].encode())
        assert wire.drain(20)
    heard = wait_until(lambda: [one["topic"] for one in system.get("/api/devices")], 60, "the new device")
    assert heard == ["zigbee2mqtt/try-me"]
