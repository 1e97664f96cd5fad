"""Secrets come from the environment or from files, and are told to nobody: no log, page, figure, command or error."""

import stat
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from commanding import Commands
from running import System, free_ports
from tanks import CONTRACT, SITE

from facility.errors import InputError
from plantroom.settings import Settings, load_settings

SECRETS = {
    "token": "known-token-0123456789abcdef0123456789",
    "mqtt_password": "known-mqtt-0123456789abcdef",
    "influx_token": "known-influx-0123456789abcdef",
    "database_password": "known-postgres-0123456789abcdef",
}


def told(text: str) -> list[str]:
    """The names of the secrets that stand in a text."""
    return [name for name, secret in SECRETS.items() if secret in text]


@pytest.fixture
def unreachable() -> dict[str, str]:
    """Settings of servers that nobody answers at, so that each has something to complain of."""
    (port,) = free_ports(1)
    return {
        "mqtt_user": "plantroom",
        "mqtt_password": SECRETS["mqtt_password"],
        "influx_token": SECRETS["influx_token"],
        "influx_url": f"http://127.0.0.1:{port}",
        "store": "influx",
        "database_url": f"postgresql+psycopg://plantroom:{SECRETS['database_password']}@127.0.0.1:{port}/plantroom",
        "token": SECRETS["token"],
    }


def test_each_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
    assert {"token", "mqtt_password", "influx_token", "database_url"} <= set(secrets)
    for name in secrets:
        (tmp_path / name).write_text(f"of-{name}\n", encoding="utf-8")
        monkeypatch.setenv(f"PLANTROOM_{name.upper()}_FILE", str(tmp_path / name))
    monkeypatch.setenv("PLANTROOM_MQTT_PASSWORD", "of the environment")
    found = Settings(_env_file=None)
    values = {name: getattr(found, name).get_secret_value() for name in secrets}
    assert values == {name: f"of-{name}" for name in secrets} | {"mqtt_password": "of the environment"}
    assert not [name for name in secrets if f"of-{name}" in repr(found)]


def test_a_file_may_be_named_in_the_file_of_settings_and_the_environment_goes_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [f"PLANTROOM_{name}_FILE={name}" for name in ("TOKEN", "MQTT_PASSWORD", "INFLUX_TOKEN")]
    (tmp_path / ".env").write_text("\n".join([*lines, "PLANTROOM_INFLUX_TOKEN=direct"]), encoding="utf-8")
    for name in ("TOKEN", "MQTT_PASSWORD", "INFLUX_TOKEN"):
        (tmp_path / name).write_text(f"of-{name}-0123456789abcdef0123456789\n", encoding="utf-8")
    monkeypatch.setenv("PLANTROOM_MQTT_PASSWORD", "of-the-environment")
    found = load_settings()
    values = [secret and secret.get_secret_value() for secret in (found.token, found.mqtt_password, found.influx_token)]
    assert values == ["of-TOKEN-0123456789abcdef0123456789", "of-the-environment", "direct"]


@pytest.mark.parametrize(("content", "says"), [(None, "No such file"), (b"", "is empty"), (b"\xff\xfe", "no text")])
def test_a_file_that_holds_no_secret_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("PLANTROOM_TOKEN_FILE", str(path))
    with pytest.raises(InputError, match=f"PLANTROOM_TOKEN_FILE: {path}.*{says}"):
        load_settings()


def test_no_command_and_no_refusal_tells_a_secret(
    plantroom: Commands, monkeypatch: pytest.MonkeyPatch, unreachable: dict[str, str]
) -> None:
    for name, value in unreachable.items():
        monkeypatch.setenv(f"PLANTROOM_{name.upper()}", value)
    monkeypatch.setenv("PLANTROOM_STORE", "parquet")  # the other is tried again for seconds
    for words in (("doctor",), ("run", "--http-port", "99999")):
        done = plantroom(*words)
        assert done.code != 0, words
        assert told(done.out + done.err) == [], words
    monkeypatch.setenv("PLANTROOM_DATABASE_URL", f"nosuch://u:{SECRETS['database_password']}@h/d")
    monkeypatch.setenv("PLANTROOM_HTTP_PORT", "no port")
    refused = plantroom("run")
    assert refused.code == 2
    assert told(refused.out + refused.err) == []


def test_the_running_program_tells_none(
    new_system: Callable[..., System], unreachable: dict[str, str], tmp_path: Path
) -> None:
    files = {name: tmp_path / f"{name}.yaml" for name in ("site", "contract")}
    for name, text in (("site", SITE), ("contract", CONTRACT)):
        files[name].write_text(text, encoding="utf-8")
    more = {name: unreachable[name] for name in unreachable if name not in ("database_url", "influx_url")}
    system = new_system(
        **more | {name: str(path) for name, path in files.items()} | {"store": "parquet", "log_level": "DEBUG"}
    )
    (system.var / "token").write_text(SECRETS["token"], encoding="ascii")
    system.start()
    base, bearer = f"http://127.0.0.1:{system.http_port}", {"Authorization": f"Bearer {SECRETS['token']}"}
    heard = [system.get_text("/metrics")]
    with httpx.Client(base_url=base, trust_env=False) as client:
        heard.append(client.post("/login", data={"token": SECRETS["token"]}, headers={"Origin": base}).text)
        heard += [
            client.get(path, headers={"Accept": "text/html"}).text for path in ("/", "/system", "/office", "/none")
        ]
        heard += [client.get(path).text for path in ("/readyz", "/healthz")]
        for path in ("/api/none", "/api/work-orders?limit=x", "/openapi.json", "/api/users"):
            heard.append(client.get(path, headers=bearer).text)
        heard.append(client.post("/api/work-orders/x/accept", headers=bearer, content=b"{").text)
        heard.append(client.get(f"/enter/{SECRETS['token']}").text)
        heard.append(client.get("/metrics", headers={"Authorization": f"Bearer {SECRETS['token']}x"}).text)
    system.stop()
    assert sum(bool(text) for text in heard) >= len(heard) - 2, "but for two redirections each answered something"
    assert told("".join(heard)) == []
    assert "DEBUG" in system.log().upper()
    assert told(system.log()) == []
    kept = [path for path in system.var.rglob("*") if path.is_file() and told(path.read_bytes().decode("latin-1"))]
    assert {path.name for path in kept} == {"token", "nats-server.conf"}, "the embedded broker reads its own password"
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept if path.name != "token"} == {0o600}
