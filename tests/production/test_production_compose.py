"""docker-compose.yml, Dockerfile and what the containers mount: complete, without a default secret, by the schema."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from plantroom.part import PLANT, Role, check_shard, parse_roles
from plantroom.production_files import SECRETS
from plantroom.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = YAML(typ="safe").load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
STANDBYS = {
    "plantroom-ingest-standby": "plantroom-ingest",
    "plantroom-standby": "plantroom-engine",
    "plantroom-web-standby": "plantroom-web",
}
OWN = (*STANDBYS, *STANDBYS.values())


def environment() -> dict[str, str]:
    return {name: f"value{index}" for index, name in enumerate(SECRETS)} | {"PLANT_GROUP": "10001"}


def test_the_servers_are_the_promised_versions() -> None:
    images = {name: service["image"] for name, service in SERVICES.items()}
    assert images["mosquitto"] == "eclipse-mosquitto:2"
    assert images["influxdb"] == "influxdb:2.7"
    assert images["postgres"] == "postgres:16"
    assert images["grafana"].startswith("grafana/grafana:12.")
    assert not [image for image in images.values() if image.endswith(":latest")]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_is_watched_restarted_and_bounded(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert service["deploy"]["resources"]["limits"]["memory"]


def test_the_broker_has_the_memory_its_queue_may_fill() -> None:
    text = (ROOT / "deploy/mosquitto/mosquitto.conf").read_text(encoding="utf-8")
    queued = {name: int(number) for name, number in re.findall(r"^max_queued_(messages|bytes) (\d+)$", text, re.M)}
    limit = re.fullmatch(r"(\d+)g", SERVICES["mosquitto"]["deploy"]["resources"]["limits"]["memory"])
    assert limit
    bytes_a_message = 470  # measured, see the file
    assert int(limit[1]) * 2**30 > max(queued["messages"] * bytes_a_message, queued["bytes"]) * 1.5, (
        "its snapshot and connections too"
    )


def test_no_secret_has_a_default() -> None:
    used = re.findall(r"\$\{([A-Z_]*(?:PASSWORD|TOKEN))(:[-?][^}]*)?\}", TEXT)
    assert {name for name, _ in used} == set(SECRETS)
    for name, rest in used:
        assert rest.startswith(":?"), f"{name} must be refused when it is missing"


def test_only_what_speaks_tls_can_be_opened_beyond_loopback() -> None:
    ports = {port for service in SERVICES.values() for port in service.get("ports", [])}
    assert {port for port in ports if not port.startswith("127.0.0.1:")} == {
        "${MQTT_BIND:-127.0.0.1}:8883:8883",
        "${HTTPS_BIND:-127.0.0.1}:443:8443",
        "${HTTPS_BIND:-127.0.0.1}:80:8080",  # sends to the one above
    }


def test_what_is_mounted_exists_and_volumes_are_declared() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists() or source in ("./mqtt", "./tls"), source  # init writes these
                assert volume.endswith(":ro"), volume
            elif not source.startswith("$"):
                assert source in COMPOSE["volumes"], source


@pytest.mark.parametrize("name", OWN)
def test_the_program_runs_as_a_role_with_settings_that_exist(name: str) -> None:
    service = SERVICES[name]
    assert service["command"][:2] == ["run", "--role"]
    parse_roles(service["command"][2])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    fields = {f"PLANTROOM_{field.upper()}" for field in Settings.model_fields}
    assert set(service["environment"]) <= fields
    assert any(volume.startswith("journal:") for volume in service["volumes"])


def test_every_role_has_a_process_and_a_standby_is_what_it_stands_by_for() -> None:
    roles = {name: parse_roles(SERVICES[name]["command"][2]) for name in OWN}
    always = [roles[name] for name in OWN if "profiles" not in SERVICES[name]]
    assert frozenset().union(*always) == {Role.INGEST, *PLANT}
    for standby, first in STANDBYS.items():
        but_ports: dict[str, Any] = (
            {"ports": []} if "ports" in SERVICES[first] else {}
        )  # the host's own port is one container's
        assert SERVICES[standby] == {**SERVICES[first], "profiles": ["standby"], **but_ports}, standby
    assert {role for name in STANDBYS for role in roles[name]} == {Role.INGEST, *PLANT}


def test_a_standby_is_watched_where_it_listens_and_found_where_it_serves() -> None:
    for name in ("plantroom-web", "plantroom-web-standby"):
        port = SERVICES[name]["environment"]["PLANTROOM_METRICS_PORT"]
        assert f"127.0.0.1:{port}/readyz" in SERVICES[name]["healthcheck"]["test"][-1], "it has no port for pages yet"
        assert SERVICES[name]["networks"]["default"]["aliases"] == ["pages"]


@pytest.mark.parametrize("name", OWN)
def test_the_settings_of_the_containers_are_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = environment()
    for key, value in SERVICES[name]["environment"].items():
        filled = re.sub(r"\$\{([A-Z_]+)(?::[-?]([^}]*))?\}", lambda match: known.get(match[1], match[2]), str(value))
        monkeypatch.setenv(key, filled)
    settings = Settings(_env_file=None)
    assert settings.database_address().startswith("postgresql+psycopg://plantroom:value")
    assert settings.http_proxies == "*"
    assert settings.http_host == "0.0.0.0"  # noqa: S104 - inside the container; compose publishes it on loopback


def test_the_file_follows_the_compose_specification() -> None:
    if importlib.util.find_spec("check_jsonschema") is None:
        pytest.skip("no Compose schema here: pip install check-jsonschema brings it")
    schema = files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json")
    jsonschema.validate(COMPOSE, json.loads(schema.read_text(encoding="utf-8")))


def _compose() -> str:
    """Why `docker compose` cannot be asked here; empty when it can."""
    if shutil.which("docker") is None:
        return "no docker client"
    found = subprocess.run(["docker", "compose", "version"], capture_output=True, text=True, check=False, timeout=20)
    return "" if found.returncode == 0 else "the docker client has no compose plug-in"


def test_docker_compose_reads_it_and_refuses_an_empty_environment(tmp_path: Path) -> None:
    if reason := _compose():
        pytest.skip(reason)
    full = tmp_path / "full.env"
    full.write_text("".join(f"{name}={value}\n" for name, value in environment().items()), encoding="utf-8")
    ask = ["docker", "compose", "-f", str(ROOT / "docker-compose.yml"), "--env-file"]
    clean = {name: value for name, value in os.environ.items() if name not in environment()}
    read = subprocess.run([*ask, str(full), "config", "-q"], capture_output=True, text=True, check=False, env=clean)
    assert read.returncode == 0, read.stderr
    (tmp_path / "empty.env").touch()
    empty = [*ask, str(tmp_path / "empty.env"), "config", "-q"]
    refused = subprocess.run(empty, capture_output=True, text=True, check=False, env=clean)
    assert refused.returncode != 0
    assert "in .env" in refused.stderr or "init --production" in refused.stderr


def test_the_image_is_slim_not_root_and_copies_what_exists() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "ARG PYTHON_IMAGE=python:3.11-slim" in text
    assert text.rindex("USER 10001:10001") > text.rindex("FROM ")
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    names = [name.rstrip("/") for line in copied for name in line.split()]
    assert {"facility", "plantroom", "pyproject.toml"} <= set(names)
    for name in names:
        assert f"!{name}\n" in ignore, name
        if name != "README.md":
            assert (ROOT / name).exists(), name


@pytest.mark.parametrize("path", sorted((ROOT / "deploy").rglob("*.sh")), ids=lambda path: path.name)
def test_scripts_stop_at_the_first_error_and_parse(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#!/bin/sh\n# ")
    assert "set -eu" in text
    assert os.access(path, os.X_OK)
    subprocess.run(["sh", "-n", str(path)], check=True)


def test_the_services_of_a_further_shard_in_the_docs_are_those_of_the_file_with_another_command() -> None:
    page = (ROOT / "docs/production.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(services:.*?)```", page, re.DOTALL)
    services = YAML(typ="safe").load(block)["services"]
    assert len(services) == 2
    roles = {"plantroom-ingest": "ingest", "plantroom-engine": "engine"}
    for service in services.values():
        run, flag, role, other, shard = service["command"]
        assert (run, flag, other, shard) == ("run", "--role", "--shard", "north")
        assert service["extends"]["file"] == "docker-compose.yml"
        assert roles[service["extends"]["service"]] == role
        assert role in SERVICES[service["extends"]["service"]]["command"][2]
        check_shard(parse_roles(role), shard)
