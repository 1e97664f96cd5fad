"""Orders, check lists, meters and notices at the console."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from commanding import Commands
from running import ROOT

from facility.site_file import parse_site
from plantroom.database import Database
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.notice import Notice
from ticketing.outbox_rows import put
from ticketing.preventive import due

AT = datetime(2026, 11, 23, 1, tzinfo=UTC)


@pytest.fixture
def tower(plantroom: Commands, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """In a folder with the demo building and the first visits of its plan; nothing runs."""
    texts = {name: (ROOT / f"plantroom/demo/{name}.yaml").read_text(encoding="utf-8") for name in ("site", "contract")}
    for name, text in texts.items():
        Path(f"{name}.yaml").write_text(text, encoding="utf-8")
        monkeypatch.setenv(f"PLANTROOM_{name.upper()}", f"{name}.yaml")
    assert plantroom("db", "upgrade").code == 0
    registry = parse_site(texts["site"], "site.yaml")
    book = ContractBook([parse_contract(texts["contract"], "contract.yaml")])
    with closing(Database("sqlite:///var/plantroom.db")) as database, database.writing() as session:
        assert due(session, Desk(book, lambda: registry), book, registry, AT)
    return plantroom


def said(tower: Commands, *words: str) -> str:
    """What a command says, good or bad."""
    answer = tower(*words)
    return answer.out if answer.code == 0 else answer.err


def test_an_order_is_opened_by_hand_and_may_be_a_part_of_another(tower: Commands) -> None:
    opened = said(tower, "order", "open", "EL-1", "Look at the doors", "--by", "Li", "--severity", "high")
    number = opened.split()[0]
    assert "EL-1  Look at the doors" in opened
    part = said(tower, "order", "open", "EL-1", "Order a door shoe", "--by", "Li", "--parent", number).split()[0]
    assert f"parent  by Li  Part of {number}" in said(tower, "order", "show", part)
    before = said(tower, "order", "list")
    assert "'EL-9' is not a known asset" in said(tower, "order", "open", "EL-9", "Look", "--by", "Li")
    assert "WO-999999" in said(tower, "order", "open", "EL-1", "Look", "--by", "Li", "--parent", "WO-999999")
    assert said(tower, "order", "list") == before, "what was refused has opened nothing"


def test_what_was_told_is_listed_by_state(tower: Commands) -> None:
    with closing(Database("sqlite:///var/plantroom.db")) as database, database.writing() as session:
        one = Notice("n/1", "notice", "opened", "", "li", (), "en", "Doors stuck", "b", AT, error="li has no channel")
        put(session, [one], AT, AT)
    assert said(tower, "notices", "--state", "failed").split("  ") == [
        "2026-11-23 01:00Z", "failed", "li", "Doors stuck", "li has no channel\n"]  # fmt: skip
    assert said(tower, "notices", "--state", "delivered") == ""
    assert "is not one of 'waiting'" in said(tower, "notices", "--state", "lost")


def test_a_visit_is_answered_item_by_item(tower: Commands) -> None:
    listed = said(tower, "order", "checklist", "WO-000001")
    assert "  1.  Machine room and drive  -" in listed
    assert "on site" in said(tower, "order", "answer", "WO-000001", "1", "ok", "--by", "Wang")
    for verb in ("acknowledge", "arrive"):
        assert tower("order", "act", "WO-000001", verb, "--by", "Wang").code == 0
    assert "1.  ok  passed" in said(tower, "order", "answer", "WO-000001", "1", "ok", "--by", "Wang")
    assert "no item 99" in said(tower, "order", "answer", "WO-000001", "99", "ok", "--by", "Wang")
    assert "Machine room and drive  ok: passed  by Wang" in said(tower, "order", "checklist", "WO-000001")


def test_a_meter_is_read_off(tower: Commands) -> None:
    assert "never read" in said(tower, "meter", "show", "EL-1", "run_hours")
    assert "4100" in said(tower, "meter", "read", "EL-1", "run_hours", "4100", "--by", "Wang")
    assert "showed 4100 already" in said(tower, "meter", "read", "EL-1", "run_hours", "7", "--by", "Wang")
    assert "  7  " in said(tower, "meter", "read", "EL-1", "run_hours", "7", "--by", "Wang", "--reset")
    assert "did you mean" in said(tower, "meter", "show", "EL-11", "run_hours")
    for wrong in ("nan", "inf"):
        assert "nothing a meter shows" in said(tower, "meter", "read", "EL-1", "run_hours", wrong, "--by", "Wang")
    assert "  7  " in said(tower, "meter", "show", "EL-1", "run_hours")
