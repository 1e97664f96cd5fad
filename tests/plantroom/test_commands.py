"""Every subcommand by the console's way in: its help, that it works, and what it says when it cannot."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from commanding import Commands
from running import ROOT, free_ports

from plantroom.cli import COMMANDS
from plantroom.commands.demo import own_files

SUBCOMMANDS = [*([name] for name in COMMANDS), ["contract", "explain"], ["db", "upgrade"]]
LBNL = ROOT / "examples/lbnl"
MAP = """
time: {column: Time, zone: Asia/Shanghai}
asset: tank-1
columns: {Level: {point: tank_level, unit: "%"}}
"""
STUCK_LOW = "".join(f"2026-03-02T{9 + minute // 60:02}:{minute % 60:02}:00,20\n" for minute in range(36))


@pytest.fixture
def starter(plantroom: Commands) -> Commands:
    """In a folder with the starter set, a map and a small CSV."""
    assert plantroom("init", ".").code == 0
    Path("map.yaml").write_text(MAP, encoding="utf-8")
    Path("history.csv").write_text(f"Time,Level\n{STUCK_LOW}", encoding="utf-8")
    return plantroom


@pytest.mark.parametrize("words", SUBCOMMANDS, ids=" ".join)
def test_every_command_has_help_that_says_what_it_is_for(words: list[str], plantroom: Commands) -> None:
    answer = plantroom(*words, "--help")
    assert answer.code == 0
    assert f"Usage: plantroom {' '.join(words)}" in answer.out
    described = [line for line in answer.out.splitlines() if line.startswith("  ") and not line.startswith("  -")]
    assert described[0].strip().endswith(".") or len(described) > 1


def test_without_a_command_it_lists_them_and_an_unknown_one_is_refused(plantroom: Commands) -> None:
    listed = plantroom()
    assert listed.code == 2
    assert all(f"  {name} " in listed.out + listed.err for name in COMMANDS)
    refused = plantroom("chek")
    assert refused.code == 2
    assert "No such command 'chek'" in refused.err
    assert plantroom("--version").out.strip()


def test_init_writes_a_set_that_passes_its_own_check_and_never_overwrites(plantroom: Commands) -> None:
    first = plantroom("init", "b")
    assert first.code == 0
    assert {path.name for path in Path("b").rglob("*.*")} == {"site.yaml", "contract.yaml", "own.yaml", "README.md"}
    checked = plantroom("check", "b/site.yaml", "b/contract.yaml", "b/rules")
    assert checked.code == 0, checked.err
    assert "b/contract.yaml: good contract file" in checked.out
    Path("b/site.yaml").unlink()
    again = plantroom("init", "b")
    assert again.code == 2
    assert "b/contract.yaml: is there already. Choose an empty folder" in again.err
    assert not Path("b/site.yaml").exists(), "when one file is there, nothing is written"


def test_check_names_the_kind_of_each_file_and_every_problem_of_all(starter: Commands) -> None:
    site = Path("site.yaml")
    good = starter("check", "site.yaml", "contract.yaml", "rules", "map.yaml")
    assert good.code == 0, good.err
    assert "map.yaml: good map file" in good.out
    site.write_text(site.read_text(encoding="utf-8").replace("class: tank", "class: tnk"), encoding="utf-8")
    Path("other.yaml").write_text("hello: 1\n", encoding="utf-8")
    bad = starter("check", "site.yaml", "other.yaml", "contract.yaml")
    assert bad.code == 2
    assert "'tnk' is not a known equipment class; did you mean 'tank'?" in bad.err
    assert "other.yaml: is no file of Plantroom. Expected one of these keys" in bad.err
    assert "contract.yaml: good contract file" in bad.out
    assert "Give the site file too" in starter("check", "map.yaml").err


@pytest.mark.parametrize("kind", ["site", "contract", "rules", "scenario", "map"])
def test_schema_prints_a_json_schema(kind: str, plantroom: Commands) -> None:
    answer = plantroom("schema", kind)
    assert answer.code == 0
    assert json.loads(answer.out)["$schema"].endswith("2020-12/schema")


def test_contract_explain_tells_every_clause(starter: Commands) -> None:
    answer = starter("contract", "explain", "contract.yaml", "--site", "site.yaml")
    assert answer.code == 0, answer.err
    for word in ("danger", "preventive", "whatever no level matches", "30 min", "Calendar office (Asia/Shanghai)"):
        assert word in answer.out


def test_db_upgrade_says_from_where_to_where(plantroom: Commands) -> None:
    first, second = plantroom("db", "upgrade"), plantroom("db", "upgrade")
    assert (first.code, second.code) == (0, 0)
    assert first.out.startswith("schema none -> ")
    newest = first.out.split()[-1]
    assert second.out == f"schema {newest} -> {newest}\n"


def test_backtest_writes_findings_and_orders(starter: Commands) -> None:
    told = starter(*_backtest(), "--rules", "rules", "--contract", "contract.yaml")
    assert told.code == 0, told.err
    found = json.loads(Path("out.json").read_bytes())
    rules = {order["rule_id"]: order for order in found["work_orders"]}
    order = rules["my-tank-below-half"]
    assert order["opened_at"] == "2026-03-02T01:10:00Z", "ten minutes after the first reading at 09:00 in Shanghai"
    assert (order["contract_id"], order["service_level"]) == ("my-contract", "fault")
    assert f"{len(found['findings'])} findings, {len(rules)} work orders -> out.json" in told.err
    assert "36 rows, 36 scans, 36 readings" in told.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check"], "Missing argument"),
        (["check", "nothing.yaml"], "nothing.yaml: cannot be read: No such file or directory. Name an existing"),
        (["check", "empty"], "empty: holds no yaml file (*.yaml). Name another folder or add one."),
        (["schema", "sites"], "'sites' is not a known kind of file; did you mean 'site'?"),
        (["contract", "explain", "nothing.yaml"], "Name an existing contract file."),
        (["contract", "explain", "site.yaml"], "site.yaml:3:1: 'revisions' is missing. Add it."),
        (["contract", "explain", "contract.yaml", "--site", "other-site.yaml"], "'my-site' is not a known site"),
        (
            ["backtest", "--site", "site.yaml"],
            "has nowhere to write. Give --out FILE.json, --report",
        ),
        (["run"], "no site file is set; start from `plantroom init`"),
        (["run", "--site", "site.yaml", "--clock", "sundial"], "got 'sundial'. clock is: real, scaled or journal."),
        (["run", "--site", "site.yaml", "--var", "history.csv/var"], "cannot be written: Not a directory. Name a"),
        (["simulate", "site.yaml"], "site.yaml:3:1: 'scenario' is missing. Add it."),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else None,
)
def test_a_command_that_cannot_says_why_and_ends_with_2(words: list[str], said: str, starter: Commands) -> None:
    Path("empty").mkdir()
    other = Path("site.yaml").read_text(encoding="utf-8").replace("id: my-site", "id: other")
    Path("other-site.yaml").write_text(other, encoding="utf-8")
    answer = starter(*words)
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--readings": "no.csv"}, "no.csv: cannot be opened: No such file or directory. Check its name and rights."),
        ({"--map": "site.yaml"}, "site.yaml:3:1: 'columns' is missing"),
        ({"--out": "no/out.json"}, "no: is no folder. Make it first, or write somewhere else with --out."),
        ({"--rules": "empty"}, "empty: holds no rule file"),
        ({"--contract": "site.yaml"}, "'revisions' is missing"),
    ],
    ids=str,
)
def test_a_backtest_refuses_before_it_starts(change: Mapping[str, str], said: str, starter: Commands) -> None:
    Path("empty").mkdir()
    words = _backtest()
    for flag, value in change.items():
        words = [*words, flag, value]
    answer = starter(*words)
    assert answer.code == 2
    assert said in answer.err, answer.err
    assert not Path("out.json").exists()


def test_run_refuses_a_port_that_another_program_has(starter: Commands) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken, free = str(other.getsockname()[1]), str(free_ports(1)[0])
        for flag, rest in (("--mqtt-port", ["--http-port", free]), ("--http-port", ["--mqtt-port", free])):
            answer = starter("run", "--site", "site.yaml", flag, taken, *rest)
            assert answer.code == 2
            refusal = f"127.0.0.1:{taken}: cannot be listened on: Address already in use. Stop what uses it, or"
            assert f"plantroom: {refusal} choose another one with {flag}." in answer.err


def test_db_upgrade_refuses_an_address_that_is_none(plantroom: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTROOM_DATABASE_URL", "orders.db")
    answer = plantroom("db", "upgrade")
    assert answer.code == 2
    assert "'orders.db' is not an address. Write sqlite:///path" in answer.err


def test_simulate_and_replay_without_a_broker_say_so_soon() -> None:
    port = str(free_ports(1)[0])
    replay = ["--readings", LBNL / "SZCAV.csv.gz", "--site", LBNL / "site.yaml", "--map", LBNL / "map-szcav.yaml"]
    commands = (["simulate", ROOT / "plantroom/demo/scenario.yaml"], ["replay", *replay])
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "plantroom", *map(str, words), "--mqtt-port", port],
            env={**os.environ, "PLANTROOM_LOG_LEVEL": "ERROR"}, cwd=ROOT, stderr=subprocess.PIPE, text=True,
        )
        for words in commands
    ]  # fmt: skip
    for process in started:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 2
        assert f"no MQTT broker answered at 127.0.0.1:{port} within 5 s; start it, or check host and port" in said


def _backtest() -> list[str]:
    return ["backtest", "--readings", "history.csv", "--site", "site.yaml", "--map", "map.yaml", "--out", "out.json"]


def test_the_demo_has_files_of_its_own_that_stay_as_they_are_edited(tmp_path: Path) -> None:
    shipped = ROOT / "plantroom/demo"
    folder = own_files(shipped, tmp_path / "var")
    assert (folder / "site.yaml").read_bytes() == (shipped / "site.yaml").read_bytes()
    (folder / "roster.yaml").write_text("edited", encoding="utf-8")
    assert own_files(shipped, tmp_path / "var") == folder
    assert (folder / "roster.yaml").read_text(encoding="utf-8") == "edited"
