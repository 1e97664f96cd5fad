"""Settings: defaults that run, and every problem reported together."""

from pathlib import Path

import pytest

from facility.errors import InputError
from plantroom.settings import Mode, Settings, load_settings


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_defaults_run_embedded_on_loopback() -> None:
    settings = load_settings()
    assert settings.mode is Mode.EMBEDDED
    assert settings.http_host == "127.0.0.1"
    assert settings.database_address().startswith("sqlite:///")


def test_the_environment_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTROOM_SITE", "a.yaml, b.yaml")
    monkeypatch.setenv("PLANTROOM_HTTP_PORT", "9000")
    settings = load_settings()
    assert settings.site == (Path("a.yaml"), Path("b.yaml"))
    assert settings.http_port == 9000


def test_a_child_process_gets_the_very_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = load_settings(site=(tmp_path / "s.yaml",), var=tmp_path / "v", http_port=8700, token="x" * 40)
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_all_that_is_wrong_is_reported_together() -> None:
    with pytest.raises(InputError) as caught:
        load_settings(http_port=99999, clock="sundial", log_level="LOUD")
    text = str(caught.value)
    assert len(caught.value.problems) == 3
    for part in ("http_port", "99999", "clock", "'sundial'", "log_level"):
        assert part in text


def test_a_public_address_needs_a_token() -> None:
    with pytest.raises(InputError, match=r"no token is set.*127\.0\.0\.1"):
        load_settings(http_host="0.0.0.0")  # noqa: S104 - the case itself
    assert load_settings(http_host="0.0.0.0", token="y" * 40)  # noqa: S104 - the case itself, a made-up token


def test_production_refuses_missing_and_default_secrets() -> None:
    with pytest.raises(InputError) as caught:
        load_settings(mode="production", token="changeme", store="influx")  # noqa: S106 - the case itself
    text = str(caught.value)
    for part in (
        "mqtt_password is missing",
        "influx_token is missing",
        "database_url is missing",
        "a default everyone",
    ):
        assert part in text


def test_no_error_shows_a_secret() -> None:
    with pytest.raises(InputError) as caught:
        load_settings(mode="production", token="hunter2-hunter2", mqtt_port=0)  # noqa: S106 - a made-up token
    assert "hunter2" not in str(caught.value)


def test_every_setting_is_documented() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/settings.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"`PLANTROOM_{name.upper()}`" in page, f"docs/settings.md does not name PLANTROOM_{name.upper()}"
