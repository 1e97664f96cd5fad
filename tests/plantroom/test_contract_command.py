"""`plantroom contract check` and `compare` as a person runs them."""

import json
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from facility.errors import InputError
from facility.finding import Finding
from plantroom.cli import app, load_commands
from plantroom.database import Database
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.lists import read_orders
from ticketing.repository import OrderQuery

ROOT = Path(__file__).parents[2]
SITE, CONTRACT = ROOT / "tests/data/ticketing/site.yaml", ROOT / "tests/data/ticketing/contract.yaml"
NewFinding = Callable[..., Finding]


def run(*words: object) -> str:
    load_commands(["contract"])
    result = CliRunner().invoke(app, ["contract", *(str(word) for word in words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_every_sample_is_good() -> None:
    for path in (ROOT / "examples/contracts").glob("*.yaml"):
        assert ": good." in run("check", path)
    assert "good against its buildings" in run("check", CONTRACT, "--site", SITE)


def test_every_sample_is_explained_in_chinese() -> None:
    for path in (ROOT / "examples/contracts").glob("*.yaml"):
        told = run("explain", path, "--language", "zh")
        assert told.startswith("合同 ")
        assert re.search(r"第 1 版：自 \d{4}-\d\d-\d\d 起", told)
        assert "日历 " in told
        for word in ("(clause", "Calendar ", "Revision ", "in force now", "Covers "):
            assert word not in told, (path.name, word)
    with pytest.raises(InputError, match="is not a language we write"):
        run("explain", CONTRACT, "--language", "de")


def test_two_files_of_one_contract_are_refused_together() -> None:
    with pytest.raises(InputError, match="demo-2026"):
        run("check", CONTRACT, CONTRACT)


def test_compare_over_a_file_and_over_a_database(
    tmp_path: Path, book: ContractBook, desk: Desk, finding: NewFinding
) -> None:
    url = f"sqlite:///{tmp_path / 'plantroom.db'}"
    with closing(Database(url)) as database:
        database.upgrade()
        with database.writing() as session:
            desk.receive(session, [finding(), finding(asset="ahu-1")])
        with database.reading() as session:
            views = read_orders(
                session, book, OrderQuery(), finding_time := book.contracts[0].revisions[0].effective_at
            )
    assert finding_time.year == 2025
    other = tmp_path / "other.yaml"
    other.write_text(CONTRACT.read_text(encoding="utf-8").replace('response: "2 h"', 'response: "10 min"'))
    orders = tmp_path / "out.json"
    orders.write_text(json.dumps({"work_orders": [view.model_dump(mode="json", by_alias=True) for view in views]}))
    shared = ("compare", CONTRACT, other, "--site", SITE, "--arrives", "1 h", "--completes", "2 h", "--detail",
              "--until", "2026-03-09T00:00:00Z")  # fmt: skip
    found = [run(*shared, "--orders", orders), run(*shared, "--database", url)]
    assert found[0] == found[1]
    lines = {line.split("  ")[0].strip(): line.split()[-2:] for line in found[0].splitlines()}
    assert lines["orders"] == ["2", "2"]
    assert lines["breaches"] == ["0", "1"]
    assert "WO-000001 Motor hot (lift-1): lift / lift" in found[0]


def test_a_file_without_orders_says_what_it_wants(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    for text in ("{}", "[]x", '{"work_orders": [{"id": 1}]}'):
        bad.write_text(text)
        with pytest.raises(InputError, match="plantroom backtest --out"):
            run("compare", CONTRACT, CONTRACT, "--site", SITE, "--orders", bad)
