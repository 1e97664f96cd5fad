"""`plantroom contract explain` in words: the levels with their clauses and the calendars' next seven days."""

from datetime import UTC, datetime
from pathlib import Path

from ticketing.contract import Contract
from ticketing.contract_explain import explain_contract
from ticketing.contract_load import parse_contract

DEMO = Path(__file__).parents[2] / "plantroom/demo/contract.yaml"


def demo() -> Contract:
    return parse_contract(DEMO.read_text(encoding="utf-8"), "contract.yaml")


def test_the_demo_contract_in_words() -> None:
    lines = explain_contract(demo(), datetime(2026, 9, 18, 16, tzinfo=UTC))
    assert lines[0] == "Contract demo-2026: 示范大厦 2026-2028 年技术服务 / Demo tower, technical services 2026-2028"
    assert "Revision 1: from 2026-01-01, in force now" in lines
    table = [line for line in lines if line.startswith("3.1 ")]
    assert len(table) == 1
    assert table[0].split("  ")[0] == "3.1"
    assert "5 min, never pauses" in table[0]
    assert "30 min, never pauses" in table[0]
    start = lines.index("Calendar office (Asia/Shanghai), seven days from 2026-09-19:")
    assert lines[start + 1 : start + 9] == [
        "  Sat 2026-09-19  closed",
        "  Sun 2026-09-20  08:00-12:00, 13:00-18:00  (make-up working day)",
        "  Mon 2026-09-21  08:00-12:00, 13:00-18:00",
        "  Tue 2026-09-22  08:00-12:00, 13:00-18:00",
        "  Wed 2026-09-23  08:00-12:00, 13:00-18:00",
        "  Thu 2026-09-24  08:00-12:00, 13:00-18:00",
        "  Fri 2026-09-25  closed  (holiday, Mid-Autumn Festival)",
        "  open 45 h in these seven days",
    ]


def test_every_level_and_calendar_is_there_and_the_clock_may_be_left_out() -> None:
    contract = demo()
    text = "\n".join(explain_contract(contract))
    for level in contract.revisions[0].levels:
        assert f"{level.clause}  " in text
        assert level.id in text
    assert text.count("seven days from 2026-01-01") == len(contract.revisions[0].calendars)
    assert "in force now" not in text
