"""`plantroom init --production`: everything docker-compose.yml needs, made fresh, told to nobody, never overwritten."""

import re
import ssl
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from commanding import Commands
from cryptography import x509
from running import ROOT

from facility.clock import RealClock
from facility.errors import InputError
from plantroom.production_files import SECRETS, issue_servers, write_production

COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
NOW = RealClock().now()


def read_env(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="ascii").splitlines()
    return dict(line.split("=", 1) for line in lines if line and line[0] != "#")


def test_it_sets_every_variable_that_compose_refuses_to_do_without(tmp_path: Path) -> None:
    write_production(tmp_path, ["plant.example"], NOW)
    found = read_env(tmp_path / ".env")
    needed = set(re.findall(r"\$\{([A-Z_]+):\?", COMPOSE))
    assert needed == {*SECRETS, "PLANT_GROUP"}
    assert needed <= set(found)
    assert set(found) - needed <= set(re.findall(r"\$\{([A-Z_]+):-", COMPOSE)), "what is set is used"
    assert found["PLANT_ADDRESS"] == "https://plant.example"


def test_each_secret_is_random_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_production(tmp_path / name, [], NOW)
    first, second = (read_env(tmp_path / name / ".env") for name in ("a", "b"))
    values = [env[name] for env in (first, second) for name in SECRETS]
    assert len(set(values)) == 2 * len(SECRETS)
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in values)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a").rglob("*") if path.is_file()}
    assert modes[".env"] == modes["ca.key"] == 0o600
    assert modes["mosquitto.key"] == modes["pages.key"] == modes["passwords"] == modes["acl"] == 0o640
    assert stat.S_IMODE((tmp_path / "a/secrets").stat().st_mode) == 0o700
    group = int(first["PLANT_GROUP"])
    assert {path.stat().st_gid for path in (tmp_path / "a/tls").glob("*.key")} == {group}
    assert group != 0, "containers are put into this group"


def test_what_compose_mounts_from_here_is_there(tmp_path: Path) -> None:
    write_production(tmp_path, [], NOW)
    mounted = set(re.findall(r"- \./(?!deploy|dashboards)([a-z]+):", COMPOSE))
    assert mounted == {"mqtt", "tls"}
    assert all((tmp_path / name).is_dir() for name in (*mounted, "plant"))
    named = set(re.findall(r"/(?:mosquitto|etc/nginx)/tls/([a-z.]+)", _configurations()))
    assert {f"tls/{name}" for name in named} <= {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}


def _configurations() -> str:
    return "".join((ROOT / "deploy" / name).read_text() for name in ("mosquitto/mosquitto.conf", "nginx/nginx.conf"))


def test_the_command_tells_no_secret_and_overwrites_nothing(plantroom: Commands) -> None:
    done = plantroom("init", "--production", "here", "--host", "plant.example")
    assert done.code == 0, done.err
    before = {path: path.read_bytes() for path in Path("here").rglob("*") if path.is_file()}
    assert not [value for value in read_env(Path("here/.env")).values() if len(value) > 30 and value in done.out]
    again = plantroom("init", "--production", "here")
    assert again.code == 2
    assert "here/.env: is there already" in again.err
    assert before == {path: path.read_bytes() for path in Path("here").rglob("*") if path.is_file()}
    refused = plantroom("init", "--production", "there", "--host", "not a name")
    assert refused.code == 2
    assert "neither a name nor an IP address" in refused.err
    assert not Path("there").exists(), "nothing is written when something is wrong"


def test_a_plant_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "plant").mkdir()
    (tmp_path / "plant/site.yaml").write_text("mine")
    write_production(tmp_path, [], NOW)
    assert (tmp_path / "plant/site.yaml").read_text() == "mine"
    assert (tmp_path / "plant/contract.yaml").exists()


def test_the_simulated_building_is_whole_and_runs_by_the_wall_clock(plantroom: Commands) -> None:
    done = plantroom("init", "--production", ".", "--simulator")
    assert done.code == 0, done.err
    assert read_env(Path(".env"))["COMPOSE_PROFILES"] == "standby,simulator"
    checked = plantroom("check", "plant")
    assert checked.code == 0, checked.err
    assert "plant/scenario.yaml: good scenario file" in checked.out
    assert not re.search("^ +(start|factor):", Path("plant/scenario.yaml").read_text(), re.MULTILINE)


def test_certificates_are_of_the_authority_for_the_hosts_and_can_be_issued_anew(plantroom: Commands) -> None:
    plantroom("init", "--production", ".", "--host", "plant.example", "--host", "192.0.2.7")
    first = x509.load_pem_x509_certificate(Path("tls/mosquitto.pem").read_bytes())
    names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"plant.example", "mosquitto", "localhost"} <= set(names.get_values_for_type(x509.DNSName))
    assert "192.0.2.7" in map(str, names.get_values_for_type(x509.IPAddress))
    authority = x509.load_pem_x509_certificate(Path("tls/ca.pem").read_bytes())
    first.verify_directly_issued_by(authority)
    assert first.not_valid_after_utc - first.not_valid_before_utc <= timedelta(days=825, hours=1)
    assert authority.not_valid_after_utc > NOW + timedelta(days=19 * 365)
    done = plantroom("certificates", ".", "--host", "other.example")
    assert done.code == 0, done.err
    second = x509.load_pem_x509_certificate(Path("tls/mosquitto.pem").read_bytes())
    second.verify_directly_issued_by(authority)
    assert first.public_key() != second.public_key()
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain("tls/mosquitto.pem", "tls/mosquitto.key")


def test_a_certificate_of_the_pages_from_elsewhere_is_kept_and_nothing_that_is_there_written_over(
    tmp_path: Path, plantroom: Commands
) -> None:
    for name in ("a", "b"):
        write_production(tmp_path / name, [], NOW - timedelta(days=name == "b"))
    foreign = (tmp_path / "b/tls/pages.pem").read_bytes()
    pages, broker = tmp_path / "a/tls/pages.pem", tmp_path / "a/tls/mosquitto.pem"
    pages.write_bytes(foreign)
    before = broker.read_bytes(), pages.with_suffix(".key").read_bytes()
    done = plantroom("certificates", str(tmp_path / "a"))
    assert f"kept {pages}: another authority gave it" in done.out, done.err
    assert pages.read_bytes() == foreign
    assert broker.read_bytes() != before[0]
    assert pages.with_suffix(".key").read_bytes() == before[1]
    for name in ("tls/pages.key", "tls/mosquitto.key", "mqtt/passwords", "mqtt/acl"):
        path = tmp_path / name.replace("/", "-") / name
        path.parent.mkdir(parents=True)
        path.touch()
        with pytest.raises(InputError, match=f"{name}: is there already"):
            write_production(tmp_path / name.replace("/", "-"), [], NOW)


def test_a_lost_or_foreign_authority_is_said_with_advice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="backup"):
        issue_servers(tmp_path, [], NOW)
    write_production(tmp_path / "a", [], NOW)
    write_production(tmp_path / "b", [], NOW)
    (tmp_path / "a/secrets/ca.key").write_bytes((tmp_path / "b/secrets/ca.key").read_bytes())
    kept = (tmp_path / "a/tls/pages.pem").read_bytes()
    with pytest.raises(InputError, match="is not the key of"):
        issue_servers(tmp_path / "a", [], NOW)
    assert (tmp_path / "a/tls/pages.pem").read_bytes() == kept


def test_a_device_that_joins_a_bridge_changes_neither_its_user_nor_its_password(plantroom: Commands) -> None:
    plantroom("init", "--production", ".")
    head = "site: {id: s, zone: UTC}\nbuildings:\n  - id: b\n    assets:\n"
    first, second = (
        f"      - {{id: {name}, class: tank, points: [tank_level], source: {{dialect: zigbee2mqtt,"
        f" topic: zigbee2mqtt/{name}, points: {{level: {{point: tank_level}}}}}}}}\n"
        for name in ("a-long-name", "b")
    )
    Path("plant/site.yaml").write_text(head + first, encoding="utf-8")
    assert "new: a-long-name" in plantroom("mqtt", "credentials", ".").out
    before = Path("mqtt/passwords").read_bytes()
    Path("plant/site.yaml").write_text(head + first + second, encoding="utf-8")
    done = plantroom("mqtt", "credentials", ".")
    assert "1 users: 0 new, 0 rotated, 0 removed, 1 kept" in done.out, done.err
    assert Path("mqtt/passwords").read_bytes() == before
