"""The manager's pages over real orders, on both kinds of database: risk and its cost, the month, plan, contracts."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asking import Client
from fastapi import FastAPI
from preview.plant import TOKEN, PreviewDoor, PreviewPlant
from punctuation import half_width_on

from dashboards.web.manage_view import ManageDesk
from dashboards.web.router import web_router
from facility.clock import JournalClock
from facility.finding import Finding
from facility.instant import to_us
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.contract_texts import text_of
from plantroom.contract_zh import levels_zh, terms_zh
from plantroom.database import Database
from plantroom.manage_desk import ContractDesk, Plant
from plantroom.order_views import OrderReader
from ticketing import repository
from ticketing.contract import PauseReason
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.preventive import due
from ticketing.roster import Roster
from ticketing.roster_file import parse_roster
from ticketing.transition import Act, carry_out
from ticketing.work_order import Refused, Verb, Words

NewFinding = Callable[..., Finding]
HOST = "http://plant.local"
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)  # Monday, 09:00 in Shanghai
SITE = """
site: {id: demo, name: Demo, zone: Asia/Shanghai}
buildings:
  - {id: tower, name: Harbour Tower, spaces: [{id: base, name: 地下室 / Basement}, {id: pit, parent: base}], assets: [
      {id: lift-1, name: Lift 1, class: elevator, space: pit, criticality: key, points: [motor_temperature]},
      {id: ahu-1, class: ahu, points: [supply_air_temperature]}]}
  - {id: annex, name: Annex, assets: [{id: lift-9, name: Lift 9, class: elevator, points: [motor_temperature]}]}
"""
TERMS = """    penalties:
      currency: CNY
      monthly_fee: 10000
      cap: {amount: 1300, per: quarter}
      terms: [{id: late, clause: "5.1", amount: 500, clocks: [response]},
              {id: slow, clause: "5.2", percent: "1 %", per: started_hour, clocks: [resolution]}]
    preventive:
      - {id: half-month, clause: "6.1", name: Half-month lift care, match: {class: elevator}, every: half month,
         first_on: "2026-03-02", statutory: true, checklist: [Look, Listen]}
      - {id: quarter, clause: "6.2", name: Filter change, match: {class: ahu}, every: quarter, first_on: "2026-03-20"}
"""
ROSTER = """
roster: {zone: Asia/Shanghai}
people:
  - {id: li, name: Li Wei, skills: [elevator], roles: [technician]}
  - {id: zhao, name: Zhao Min, skills: [ahu], roles: [technician]}
"""


class House:
    """A database with orders, and the pages over it."""

    def __init__(self, database: Database, finding: NewFinding) -> None:
        path = Path(__file__).parents[1] / "data/ticketing/contract.yaml"
        first = '    effective_at: "2026-01-01"\n'
        text = path.read_text(encoding="utf-8").replace(first, first + TERMS, 1)
        other = text.replace("id: demo-2026", "id: annex-2026").replace("sites: [demo]", "buildings: [annex]")
        contracts = [parse_contract(text, "contract.yaml"), parse_contract(other, "annex.yaml")]
        self.database, self.finding, self.clock = database, finding, JournalClock(to_us(AT))
        self.registry: Registry = parse_site(SITE, "site.yaml")
        self.book = ContractBook(contracts)
        self.desk = Desk(self.book, lambda: self.registry)
        roster: Roster = parse_roster(ROSTER, "roster.yaml", {}, self.registry)
        reader = OrderReader(self.book, lambda _: None, lambda: self.registry, self.clock)
        self.manage: ManageDesk = ContractDesk(Plant(database, reader, lambda: roster))
        app = FastAPI()
        plant = PreviewPlant(AT, site=SITE, kind="real")
        app.include_router(web_router(plant, PreviewDoor(), manage=self.manage))
        self.client = Client(app, HOST)
        assert self.client.post("/login", data={"token": TOKEN}, headers={"Origin": HOST}).status_code == 303

    def opened(self, at: datetime, **changes: Any) -> str:  # noqa: ANN401 - any field of a finding
        with self.database.writing() as session:
            (order,) = self.desk.receive(session, [self.finding(at=at, **changes)]).opened
        return order

    def act(self, order: str, at: datetime, verb: Verb, words: Words = Words("as said")) -> None:
        """A verb; whoever acts has taken the order on the minute before."""
        if verb is not Verb.ACKNOWLEDGE and self.status(order) == "open":
            self.act(order, at - timedelta(minutes=1), Verb.ACKNOWLEDGE)
        with self.database.writing() as session:
            row = repository.find_order(session, order, lock=True)
            assert row is not None
            assert not isinstance(carry_out(session, self.book, row, Act(verb, "li", at, words)), Refused)

    def status(self, order: str) -> str:
        with self.database.reading() as session:
            row = repository.find_order(session, order)
            return row.status if row is not None else ""

    def visit(self, at: datetime) -> tuple[str, ...]:
        with self.database.writing() as session:
            return due(session, self.desk, self.book, self.registry, at)

    def page(self, path: str) -> str:
        self.client.cookies.pop("plantroom_language", None)  # the last page's choice does not stay
        answer = self.client.get(path)
        assert answer.status_code == 200, path
        return answer.text


@pytest.fixture
def house(database: Database, finding: NewFinding) -> House:
    return House(database, finding)


def test_open_orders_are_told_apart_by_what_runs_out_and_say_what_it_costs(house: House) -> None:
    late = house.opened(AT - timedelta(hours=5), rule="motor-hot")
    soon = house.opened(AT - timedelta(minutes=90), rule="other", asset="lift-9", building_id="annex")
    later = house.opened(AT - timedelta(minutes=5), rule="third", asset="ahu-1")
    held = house.opened(AT - timedelta(minutes=10), rule="fourth", asset="ahu-1")
    house.act(held, AT - timedelta(minutes=9), Verb.HOLD, Words("no key", PauseReason.ACCESS))
    board = house.manage.risks(None, 5)
    assert {group: [one.order.id for one in found] for group, found in board.first.items()} == {
        "breached": [late], "hour": [soon], "today": [later], "later": [], "held": [held],
    }  # fmt: skip
    assert dict(board.counts) == {"breached": 1, "hour": 1, "today": 1, "later": 0, "held": 1}
    (breached,) = board.first["breached"]
    assert (breached.cost, breached.clause, breached.by_hour) == ("500.00 CNY", "5.1", False)
    house.act(late, AT, Verb.ARRIVE)
    (arrived,) = (one for found in house.manage.risks(None, 5).first.values() for one in found if one.order.id == late)
    assert (arrived.cost, arrived.clause, arrived.by_hour) == ("100.00 CNY", "5.2", True), "now resolution runs"
    assert list(house.manage.risks(frozenset({"annex"}), 5).counts.values()) == [0, 1, 0, 0, 0]
    text = house.page("/manage")
    for words in ("Past deadline", "for each started hour", "Lift 9", "Annex", "Nobody has taken these", "Li Wei"):
        assert words in text


def test_the_map_shows_place_by_place_what_waits_and_who_is_there(house: House) -> None:
    there = house.opened(AT - timedelta(hours=5), rule="motor-hot")
    house.act(there, AT - timedelta(hours=1), Verb.ARRIVE)
    with house.database.writing() as session:
        row = repository.find_order(session, there, lock=True)
        assert row is not None
        row.assignee = "li"
        session.add(row)
    house.opened(AT - timedelta(days=3), rule="other", asset="ahu-1")
    house.opened(AT - timedelta(minutes=4), rule="third", asset="lift-9", building_id="annex")
    found = [(one.building_id, one.space_id, one.orders, one.late) for one in house.manage.places(None)]
    assert found == [("tower", "base", 1, 0), ("tower", "", 1, 1), ("annex", "", 1, 0)]
    (person,) = house.manage.places(frozenset({"tower"}))[0].people
    assert (person.name, person.orders, person.is_there) == ("Li Wei", 1, True)
    text = house.page("/manage")
    for words in (
        'aria-label="Basement: 1 open, 0 of them late; Li Wei on site, 1 orders"',
        'href="/buildings/tower/floors?space=base"',
        "No floor given: 1 open, 1 of them late",
        ">LW</text>",
    ):
        assert words in text, words


def test_a_month_has_compliance_by_contract_penalties_with_their_clause_and_satisfaction(house: House) -> None:
    order = house.opened(AT - timedelta(hours=5))
    house.act(order, AT - timedelta(hours=1), Verb.ARRIVE)
    month = house.manage.month("", None, "en")
    assert (month.month, month.is_running, month.months[1]) == ("2026-03", True, "2026-02")
    rows = {name: row for name, _, row in month.contracts}
    assert list(rows) == ["demo-2026"], "the other contract has decided nothing"
    response = rows["demo-2026"][0].figures[0]
    assert (response.id, response.text, response.missed, response.base) == ("response_compliance", "0 %", True, 1)
    (penalty,) = month.penalties
    assert (penalty.clause, penalty.amount, penalty.over) == ("5.1", "500.00 CNY", timedelta(hours=2))
    assert month.total == "500.00 CNY"
    assert house.manage.month("2026-03", frozenset({"annex"}), "en").penalties == []
    text = house.page("/manage?month=2026-03&lang=zh")
    assert not half_width_on(text)
    for words in (
        "响应及时率",
        "违约与违约金",
        "2026年3月",
        "响应超时 2 小时",
        "/api/report?period=2026-Q1",
        "format=pdf",
    ):
        assert words in text
    assert house.client.get("/manage?month=2027-01").status_code == 422
    assert house.client.get("/manage?month=<script>").status_code == 422


def test_the_plan_shows_what_was_done_missed_and_is_to_come(house: House) -> None:
    first, _ = house.visit(AT)
    house.act(first, AT + timedelta(hours=2), Verb.ARRIVE)
    house.act(first, AT + timedelta(hours=3), Verb.COMPLETE, Words("done", override="as agreed"))
    house.clock.advance(to_us(AT + timedelta(days=3)))
    found = house.manage.visits(date(2026, 3, 1), date(2026, 4, 1), None)
    days = [(one.on.day, one.asset_id, one.state, one.statutory) for one in found]
    assert sorted(days) == [
        (2, "lift-1", "done", True), (2, "lift-9", "missed", True),
        (17, "lift-1", "planned", True), (17, "lift-9", "planned", True), (20, "ahu-1", "planned", False),
    ]  # fmt: skip
    seen = house.manage.visits(date(2026, 3, 1), date(2026, 4, 1), frozenset({"annex"}))
    assert {one.asset_id for one in seen} == {"lift-9"}
    april = house.manage.visits(date(2026, 4, 1), date(2026, 5, 1), frozenset({"annex"}))
    assert [one.on.day for one in april] == [2, 17]
    text = house.page("/plan?month=2026-03")
    for words in ("March 2026", "Half-month lift care", "statutory", "Missed: 1", "Planned: 3", 'rel="next"'):
        assert words in text
    narrowed = house.page("/plan?month=2026-03&equipment=ahu&lang=zh")
    assert "Filter change" in narrowed
    assert "Half-month" not in narrowed
    assert "2026年3月" in house.page("/plan?month=nonsense&lang=zh")


def test_a_contract_is_told_in_words_with_what_each_revision_changed(house: House) -> None:
    assert "demo-2026" in house.page("/contracts")
    text = house.page("/contracts/demo-2026")
    for words in ("Revision 2", "in force now", "What revision 2 changed", "entrapment", "never pauses",
                  "class Elevator; severity Critical",
                  "500 CNY for each breach", "1 % of the monthly fee for each started hour", "No more than 1300 CNY",
                  "Half-month lift care", "closed", 'class="minus"', 'class="plus"'):  # fmt: skip
        assert words in text, words
    chinese = house.page("/contracts/demo-2026?lang=zh")
    for words in ("第 2 版的变更", "不可暂停", "类别 电梯", "5 个工作日", "每半个月", "每次违约 500 CNY", "法定"):
        assert words in chinese, words
    changed = chinese.split("第 2 版的变更")[1].split("</ul>")[0]
    for words in ("优先级 1；响应 30 分钟（不可暂停）", "按日历的保养：half-month", "周六 休息"):
        assert words in changed, words
    for words in ("pauses", "severity", "clause", "never", "Mon ", "calendar "):
        assert words not in changed, words
    assert house.client.get("/contracts/none").status_code == 404
    assert house.manage.contract("demo-2026", frozenset({"nowhere"}), "en") is None
    house.opened(AT - timedelta(hours=5), asset="lift-9", building_id="annex")
    compared = house.page("/contracts/compare?one=demo-2026&other=annex-2026&since=2026-01-01&lang=en")
    assert "1 orders opened since 1 Jan 2026" in compared
    assert house.client.get("/contracts/compare?one=demo-2026&other=none").status_code == 404


@pytest.mark.parametrize("name", ["hospital", "office-tower", "residential-estate"])
def test_every_term_of_the_sample_contracts_is_told_in_chinese(name: str) -> None:
    path = Path(__file__).parents[2] / f"examples/contracts/{name}.yaml"
    contract = parse_contract(path.read_text(encoding="utf-8"), path.name)
    english = re.compile(r"\b(within|clause|calendar|pauses|opened|days?|month|every|priority|anything)\b")
    for revision in contract.revisions:
        agreed = {one.text for one in revision.service.clauses} | {one.name for one in revision.visits}
        blocks = terms_zh(revision)
        assert len(blocks) >= 3
        lines = [*levels_zh(revision), *(line for _, lines in blocks for line in lines)]
        for line in lines:
            ours = re.sub(r"[a-z]+(-[a-z]+)+", "", line)
            for own in (*agreed, *revision.calendars):  # what the parties wrote stays as they wrote it
                ours = ours.replace(own, "")
            assert not english.search(ours), line
            assert re.search("[\u4e00-\u9fff]", line), line


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_holiday_in_the_first_week_of_a_revision_is_no_change(language: str) -> None:
    text = """contract: {id: house, sites: [demo], zone: Asia/Shanghai}
revisions:
"""
    for number, day in ((1, "2026-01-01"), (2, "2026-07-01")):
        text += f"""  - revision: {number}
    effective_at: "{day}"
    calendars: {{office: {{hours: {{mon-fri: ["08:00-18:00"]}}, holidays: {{country: CN}}}}}}
    default_level: {{clause: "1", priority: 4, calendar: office, response: 8 h, resolution: 5 days}}
"""
    told = text_of(parse_contract(text, "house.yaml"), parse_site(SITE, "site.yaml"), AT, language)
    assert told.revisions[0].changes == []
