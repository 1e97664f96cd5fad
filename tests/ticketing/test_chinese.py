"""A reader of Chinese is told in Chinese: deadlines of the shipped contracts, reports, penalties, definitions."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from people import contract_text

from facility.finding import Finding
from facility.registry import Registry
from plantroom.database import Database
from ticketing import repository
from ticketing.calendar_holidays import CountryHolidays, holiday_year
from ticketing.contract import Contract, PauseReason, Promise, ServiceLevel
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.deadline import Pause, decide_deadline
from ticketing.deadline_explain import explain_deadline
from ticketing.desk import Desk
from ticketing.kpi import DEFINITIONS
from ticketing.kpi_period import parse_period
from ticketing.kpi_zh import TEXTS_ZH
from ticketing.limit import parse_limit
from ticketing.limit_zh import limit_zh
from ticketing.modify import modify
from ticketing.report import Report, make_report
from ticketing.report_csv import csv_report
from ticketing.report_html import html_report
from ticketing.report_tables import advice_lines, penalty_table
from ticketing.report_words import ZH
from ticketing.terms import Circumstances
from ticketing.transition import Act, carry_out
from ticketing.work_order import Verb, Words

SAMPLES = sorted((Path(__file__).parents[2] / "examples/contracts").glob("*.yaml"))
ENGLISH = re.compile(r"[A-Za-z]{3,} [A-Za-z]{2,}")
"""Two words of English one after the other: a sentence, not a name."""
AT = datetime(2026, 9, 24, 22, tzinfo=UTC)  # the evening before a holiday, outside most hours
MARCH = datetime(2026, 3, 2, 1, tzinfo=UTC)
PENALTIES = """    penalties: {currency: CNY, monthly_fee: 10000, cap: {amount: 700, per: month}, terms: [
      {id: late, clause: "5.1", amount: 500, clocks: [response]},
      {id: slow, clause: "5.2", percent: 1, per: started_hour, clocks: [resolution]}]}
"""


def english(lines: Iterator[str] | list[str], names: tuple[str, ...] = ()) -> list[str]:
    """The lines in which English is left, names that people gave aside."""
    found = []
    for line in lines:
        rest = line
        for name in names:
            rest = rest.replace(name, "")
        if ENGLISH.search(rest):
            found.append(line)
    return found


def levels(contract: Contract) -> Iterator[ServiceLevel]:
    """Every level as all modifiers of its contract leave it."""
    for revision in contract.revisions:
        for level in revision.levels:
            about = Circumstances(AT, "b", "a", key_equipment=True)
            yield modify(level, revision.terms.modifiers, contract.declared, about)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_no_english_is_left_in_the_deadlines_of_the_samples(path: Path) -> None:
    contract = parse_contract(path.read_text(encoding="utf-8"), path.name)
    pauses = [
        Pause(AT + timedelta(hours=index), AT + timedelta(hours=index + 2), reason)
        for index, reason in enumerate(PauseReason)
    ]
    now, lines = AT + timedelta(days=1), []
    for level in levels(contract):
        promises = [level.response, level.resolution, *(one.promise for one in level.clocks)]
        for promise in promises:
            gap = (AT + timedelta(hours=20), AT + timedelta(hours=21))
            deadline = decide_deadline(
                promise, level.calendar, AT, now=now, pauses=pauses, gaps=[gap], clause=level.clause
            )
            lines += explain_deadline(deadline, "zh")
    assert len(lines) > 30
    assert english(lines) == []
    assert any(line.startswith("截止时间：") for line in lines)


def test_a_deadline_in_chinese_names_holidays_and_what_is_left() -> None:
    contracts = (parse_contract(path.read_text(encoding="utf-8"), path.name) for path in SAMPLES)
    calendars = (one.calendar for contract in contracts for one in levels(contract))
    office = next(one for one in calendars if one.rules.country == CountryHolidays("CN"))
    open_pause = Pause(AT + timedelta(days=1), None, PauseReason.PARTS)
    promise = Promise(parse_limit("2 open days, end of day"), frozenset(PauseReason))
    lines = explain_deadline(
        decide_deadline(promise, office, AT, now=AT + timedelta(days=2), pauses=[open_pause]), "zh"
    )
    assert lines[0].startswith("时限：2 个工作日，至当日结束，按日历")
    assert "周五 2026-09-25：跳过，节假日（中秋节）。" in lines
    assert lines[-1].startswith("已暂停（等待配件），剩余 ")


@pytest.mark.parametrize(
    ("limit", "chinese"),
    [
        ("5 min", "5 分钟"), ("26 h 30 min", "26 小时 30 分钟"), ("4 open hours", "4 小时（工作时间）"),
        ("2 open days", "2 个工作日"), ("1 open day, next open", "1 个工作日，顺延至下次开放"),
    ],
)  # fmt: skip
def test_a_limit_in_chinese(limit: str, chinese: str) -> None:
    assert limit_zh(parse_limit(limit)) == chinese


def test_holidays_have_one_name_whatever_the_machine_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    holiday_year.cache_clear()
    assert "Mid-Autumn Festival" in holiday_year(CountryHolidays("CN"), 2026).days.values()


@pytest.fixture
def report(database: Database, registry: Registry, finding: Callable[..., Finding]) -> Report:
    """March: a lift order that is answered and repaired too late, and an air handler that waits."""
    book = ContractBook([parse_contract(contract_text(PENALTIES), "contract.yaml")])
    desk = Desk(book, lambda: registry)
    with database.writing() as session:
        (order,) = desk.receive(session, [finding(rule="door", title="门机故障")]).opened
        desk.receive(session, [finding(asset="ahu-1", rule="belt", title="皮带松")])
        for verb, hours in ((Verb.ACKNOWLEDGE, 3), (Verb.ARRIVE, 3), (Verb.COMPLETE, 60)):
            row = repository.find_order(session, order, lock=True)
            assert row is not None
            carry_out(session, book, row, Act(verb, "李", MARCH + timedelta(hours=hours), Words("已处理")))
    with database.reading() as session:
        return make_report(session, book, registry, parse_period("2026-03"), datetime(2026, 4, 2, tzinfo=UTC))


def test_no_english_is_left_in_a_report(report: Report) -> None:
    page = unescape(re.sub(r"<style>.*?</style>|<[^>]+>", "\n", html_report(report, "zh"), flags=re.S))
    lines = [line.strip() for line in page.split("\n") if line.strip()]
    assert english(lines, (report.title,)) == []
    rows = penalty_table(report, ZH).rows
    assert rows[0][1] == "WO-000001 响应"
    assert rows[0][4] == "条款 5.1：WO-000001 响应超时 1 小时；500 CNY（每次违约）。"
    assert "的上限 700 CNY 尚余 200" in rows[1][4]
    assert any("10000 CNY 的 1 % 即 100" in row[4] for row in rows)
    assert "电梯" in lines, "classes have their Chinese names"
    assert any("设备类别 电梯" in line or "设备类别 空调机组" in line for line in advice_lines(report, ZH))
    assert english(csv_report(report, "zh").splitlines()[-2:]) == []


def test_every_figure_has_its_definition_in_chinese() -> None:
    assert set(TEXTS_ZH) == {one.id for one in DEFINITIONS}
    assert english([one.text_zh for one in DEFINITIONS]) == []
