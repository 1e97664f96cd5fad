"""What the program itself writes on an order can be read in both languages, then and later."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asking import Client, bare_app

from facility.clock import JournalClock
from facility.finding import Finding, FindingState, Severity
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing.api import build_router
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.said import NOTHING, Said, together, typed

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
ENGLISH = re.compile(r"[A-Za-z]{3,} [A-Za-z]{2,}")
"""Two words of English one after the other: a sentence, not a name."""
NAMES = ("Motor hot", "By hand")
CONTRACT = """contract: {id: c, name: C, zone: Asia/Shanghai}
revisions:
  - revision: 1
    effective_at: "2026-01-01"
    calendars: {always: {hours: always}}
    default_level: {clause: "9", priority: 4, calendar: always, response: "8 h", resolution: "24 h"}
    levels:
      - {id: lift, clause: "1", match: {class: elevator}, priority: 2, calendar: always, response: "1 h",
         resolution: {limit: "4 h", pauses: [access]}, repeat_window: "7 days", on_repeat: reopen}
      - {id: worst, clause: "2", match: {class: elevator, severity: critical}, priority: 1, calendar: always,
         response: "30 min", resolution: {limit: "4 h", pauses: [access]}, repeat_window: "7 days", on_repeat: reopen}
"""


@pytest.fixture
def clock() -> JournalClock:
    return JournalClock(to_us(AT + timedelta(hours=1)))


def english(text: str) -> bool:
    """Whether a Chinese text has a piece of an English sentence in it, beside names."""
    for name in NAMES:
        text = text.replace(name, "")
    return bool(ENGLISH.search(text))


def life(database: Database, desk: Desk, finding: NewFinding, client: Client) -> None:
    """Open, join, recover, complete, come back, relate: an order on which the program writes much."""

    def receive(*findings: Finding) -> None:
        with database.writing() as session:
            desk.receive(session, list(findings))

    def act(order: int, verb: str, **body: Any) -> None:  # noqa: ANN401 - the body of a verb
        answer = client.post(f"/api/work-orders/{order}/{verb}", json=body)
        assert answer.status_code == 200, answer.text

    first = finding()
    receive(first, finding(rule="worse", cause_key=first.cause_key, severity=Severity.CRITICAL))
    receive(finding(state=FindingState.CLEARED, cleared_us=to_us(AT + timedelta(minutes=5))))
    receive(finding(asset="ahu-1", rule="other"))
    for verb, body in (
        ("escalate", {"to": "li", "note": "Urgent"}), ("acknowledge", {}), ("relevel", {"to": "worst", "note": "So"}),
        ("hold", {"reason": "parts"}), ("resume", {}), ("link", {"to": "2"}), ("parent", {"to": "2"}), ("parent", {}),
        ("arrive", {}), ("complete", {}), ("accept", {"override": "Seen"}),
    ):  # fmt: skip
        act(1, verb, **body)
    receive(finding(at=AT + timedelta(hours=2)))


def test_every_line_of_the_program_is_there_in_chinese(
    database: Database, registry: Registry, finding: NewFinding, clock: JournalClock
) -> None:
    book = ContractBook([parse_contract(CONTRACT, "contract.yaml")])
    client = Client(bare_app(build_router(database, clock, book)))
    life(database, Desk(book, lambda: registry), finding, client)
    for order in client.get("/api/work-orders").json():
        assert order["level_reason_zh"].startswith("合同 c 第 1 版。")
        assert not english(order["level_reason_zh"])
        for line in order["history"]:
            if line["note"] not in ("", "So", "Urgent"):
                assert line["note_zh"], line
                assert not english(line["note_zh"]), line
    lines = {line["verb"]: line for line in client.get("/api/work-orders/1").json()["history"]}
    assert lines["join"]["note_zh"] == "发现并入：Motor hot (lift-1, 严重度危急)。 严重度高于工单（高）。"
    assert lines["escalate"]["note"] == "To li. Urgent"
    assert lines["escalate"]["note_zh"] == "交给 li。 Urgent"
    assert "计为第 1 次重复" in lines["reopen"]["note_zh"]
    chinese = client.get("/api/work-orders/1/deadline?language=zh").json()["level_reason"]
    assert chinese.endswith("等级 lift（条款 1）匹配：设备类别为 elevator；没有其他匹配的等级。")


def test_sentences_are_put_together_in_both_languages() -> None:
    assert together(Said("a.", "甲。"), NOTHING, typed("b")) == Said("a. b", "甲。 b")
