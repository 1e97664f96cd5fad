"""The doctor: what it says of a good installation, of a broken one, and of each server that is away."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from running import ROOT, free_ports
from typer.testing import CliRunner

from facility.clock import RealClock
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.broker import EmbeddedBroker
from ingest.journal import JournalWriter
from plantroom.commands import doctor
from plantroom.database import Database
from plantroom.doctor import Check, Verdict, as_lines, bad, exit_code, good, warn
from plantroom.doctor_files import check_clock, check_disk, check_papers
from plantroom.doctor_servers import check_broker, check_database, check_store
from plantroom.settings import Mode, Settings, load_settings

SPACED = """
site: {id: d, zone: UTC}
buildings:
  - id: t
    assets:
      - {id: S-1, class: sensor, points: [co2], source: {dialect: udmi, topic: zigbee2mqtt/living room}}
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    own = EmbeddedBroker(tmp_path_factory.mktemp("broker"), port=0)
    own.start()
    yield own
    own.stop()


def settings(tmp_path: Path, **more: object) -> Settings:
    demo = ROOT / "plantroom/demo"
    given = {"var": tmp_path, "site": (demo / "site.yaml",), "contract": (demo / "contract.yaml",)}
    return load_settings(**{**given, "mqtt_port": free_ports(1)[0], **more})


def of(checks: list[Check] | tuple[Check, ...], name: str) -> Check:
    return next(check for check in checks if check.name == name)


def test_the_demo_s_files_are_good(tmp_path: Path) -> None:
    papers = check_papers(settings(tmp_path))
    assert papers.registry is not None
    assert {check.name: check.verdict for check in papers.checks} == dict.fromkeys(
        ("site", "rules", "contract"), Verdict.GOOD
    )


def test_a_wrong_site_file_is_named_with_its_line_and_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("site: {id: d, zone: UTC}\nbuildings: [{id: t, assets: [{id: A, class: pmup}]}]\n")
    papers = check_papers(settings(tmp_path, site=(file,)))
    site = of(papers.checks, "site")
    assert papers.registry is None
    assert site.verdict is Verdict.BAD
    assert "site.yaml:2" in site.said
    assert "pump" in site.said
    assert of(papers.checks, "contract").verdict is Verdict.WARN


def test_without_site_and_contract_it_says_how_to_begin(tmp_path: Path) -> None:
    papers = check_papers(settings(tmp_path, site=(), contract=()))
    assert "plantroom init" in of(papers.checks, "site").advice
    assert of(papers.checks, "contract").verdict is Verdict.WARN


def test_the_disk_s_room_is_said(tmp_path: Path) -> None:
    assert "GiB free" in check_disk(settings(tmp_path / "not" / "yet")).said


def test_a_journal_from_the_future_means_a_wrong_clock(tmp_path: Path) -> None:
    own = settings(tmp_path)
    assert of(check_clock(own), "clock").verdict in (Verdict.GOOD, Verdict.WARN)
    with JournalWriter(own.main.journal_folder) as journal:
        journal.append(RealClock().now_us() + 3_600_000_000, ())
    assert of(check_clock(own), "clock").verdict is Verdict.BAD


def test_simulated_time_that_was_never_started_is_bad(tmp_path: Path) -> None:
    assert of(check_clock(settings(tmp_path, clock="scaled")), "time").verdict is Verdict.BAD


def test_the_embedded_broker_hands_our_message_back_and_takes_no_name_with_a_space(
    tmp_path: Path, broker: EmbeddedBroker
) -> None:
    own = settings(tmp_path, mqtt_port=broker.port)
    checks = check_broker(own, Registry())
    assert [check.verdict for check in checks] == [Verdict.GOOD, Verdict.GOOD]
    names = of(check_broker(own, parse_site(SPACED, "site.yaml")), "names")
    assert names.verdict is Verdict.BAD
    assert "zigbee2mqtt/living room" in names.said
    assert "Mosquitto" in names.advice


def test_no_broker_is_a_warning_embedded_and_bad_in_production(tmp_path: Path) -> None:
    own = settings(tmp_path)
    assert of(check_broker(own, None), "broker").verdict is Verdict.WARN
    real = own.model_copy(update={"mode": Mode.PRODUCTION})
    assert of(check_broker(real, None), "broker").verdict is Verdict.BAD


def test_a_broker_that_would_be_open_without_a_password_is_bad(tmp_path: Path) -> None:
    (found,) = check_broker(settings(tmp_path, mqtt_listen="0.0.0.0"), None)  # noqa: S104 - the case itself
    assert found.verdict is Verdict.BAD
    assert "without a password" in found.said
    assert "PLANTROOM_MQTT_PASSWORD" in found.advice


def test_store_and_database_are_made_at_the_first_start_and_checked_after_it(tmp_path: Path) -> None:
    own = settings(tmp_path)
    assert "first start" in check_store(own, None).said
    assert "first start" in check_database(own).said
    database = Database(own.database_address())
    with database.reading():
        pass
    (tmp_path / "plantroom.db").touch()
    found = check_database(own)
    assert found.verdict is Verdict.BAD
    assert "db upgrade" in found.advice
    database.upgrade()
    database.close()
    assert check_database(own).verdict is Verdict.GOOD
    own.main.parquet_folder.mkdir()
    assert check_store(own, None).verdict is Verdict.GOOD


def test_an_influx_that_is_away_is_bad(tmp_path: Path) -> None:
    own = settings(tmp_path, store="influx", influx_url=f"http://127.0.0.1:{free_ports(1)[0]}")
    found = check_store(own, check_papers(own).registry)
    assert found.verdict is Verdict.BAD


def test_the_command_prints_lines_or_json_and_ends_with_1_when_something_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTROOM_MQTT_PORT", str(free_ports(1)[0]))
    app = typer.Typer()
    doctor.register(app)
    words = ["--var", str(tmp_path)]
    demo = ["--site", str(ROOT / "plantroom/demo/site.yaml"), "--contract", str(ROOT / "plantroom/demo/contract.yaml")]
    fine = CliRunner().invoke(app, [*words, *demo])
    assert fine.exit_code == 0, fine.output
    assert "good  site" in fine.output
    wrong = CliRunner().invoke(app, [*words, "--json"])
    assert wrong.exit_code == 1
    verdicts = {item["name"]: item["verdict"] for item in json.loads(wrong.output)}
    assert verdicts["site"] == "bad"
    assert verdicts["rules"] == "good"


def test_every_verdict_but_good_needs_advice_and_only_bad_counts() -> None:
    assert exit_code([good("a", "x"), warn("b", "y", "look")]) == 0
    assert exit_code([good("a", "x"), bad("b", "y", "do")]) == 1
    assert as_lines([warn("b", "y", "look")]) == ["warn  b           y", " " * 18 + "look"]
    with pytest.raises(ValueError, match="without advice"):
        Check("c", Verdict.BAD, "z")
