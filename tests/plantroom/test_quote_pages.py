"""Quotes on an order's page: what the customer reads before dear work, and who may decide about it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from asking import Client
from fastapi import FastAPI
from people import SERVICE, Remembered, service_book
from preview.plant import PreviewDoor
from punctuation import half_width_on

from dashboards.web.pages import show_denials
from dashboards.web.router import web_router
from dashboards.web.visitor import Guest, Visitor
from facility.clock import JournalClock
from facility.finding import Finding
from facility.instant import to_us
from facility.registry import Registry
from plantroom.accounts.caller import Caller
from plantroom.accounts.policy import decide_access
from plantroom.accounts.role import Role
from plantroom.accounts.web_door import visitor_of
from plantroom.database import Database
from plantroom.plant_view import PlantSources, ProgramView
from plantroom.quote_desk import Quotes
from plantroom.refusal_words import in_language
from ticketing import cost_rows, repository
from ticketing.cost import CostKind, Part
from ticketing.cost_desk import CostDesk, Wanted
from ticketing.desk import Desk
from ticketing.tables_service import QuoteRow

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
HOST = "http://plant.local"
PEOPLE = {
    "li.wei": Role.TECHNICIAN, "zhao.min": Role.TECHNICIAN, "chen.jie": Role.MANAGER, "owner": Role.CUSTOMER,
    "stranger": Role.CUSTOMER, "wang.fang": Role.ENGINEER,
}  # fmt: skip


class Door(PreviewDoor):
    """Everybody signs in by name, and may what her role may."""

    def visit(self, session: str, bearer: str) -> Guest | None:
        del session
        role = PEOPLE[bearer]
        where = {"owner": "tower", "stranger": "elsewhere"}.get(bearer)
        return Guest(visitor_of(Caller(bearer, role, bearer, frozenset({where}) if where else None)))

    def may(self, visitor: Visitor, method: str, route: str, path: Mapping[str, object]) -> bool:
        caller = Caller(visitor.name, Role(visitor.role), visitor.name, visitor.buildings)
        return decide_access(caller, method, route, path).is_allowed


class House:
    """An order of an air handler that no warranty covers, with a quote of eight hours by li.wei."""

    def __init__(self, database: Database, registry: Registry, found: Finding, terms: str = SERVICE) -> None:
        book, self.clock, self.database = service_book(terms), JournalClock(to_us(AT + timedelta(hours=1))), database
        with database.writing() as session:
            Desk(book, lambda: registry).receive(session, [found])
        host = SimpleNamespace(registry=registry, rule=lambda _: None, pending=list, not_applicable=list)
        nothing = SimpleNamespace()
        sources = PlantSources(
            host=cast("Any", host), database=database, book=book, store=cast("Any", nothing),
            latest=cast("Any", nothing), dead_letters=cast("Any", nothing), shards=(),
            clock=self.clock, refused=lambda: "", devices=cast("Any", nothing), attachments=cast("Any", nothing),
            hand_over=lambda _: None,
        )  # fmt: skip
        view, self.touched = ProgramView(sources), list[str]()
        self.told = Remembered()
        self._costs = CostDesk(book, lambda: registry, self.told)
        quotes = Quotes(database, self._costs, self.clock, lambda: self.touched.append("order"))
        app = FastAPI()
        names = {"li.wei": "李伟 / Li Wei", "owner": "Ms Owner"}
        app.include_router(
            web_router(view, Door(), quotes=quotes, tell=in_language, names=lambda one: names.get(one, one))
        )
        show_denials(app)
        self.client = Client(app, HOST)
        (self.order,) = (one.id for one in view.work_orders())

    def quote(self, hours: int = 8) -> str:
        """One more quote by li.wei."""
        with self.database.writing() as session:
            row = repository.find_order(session, self.order)
            assert row is not None
            wanted = [Wanted(CostKind.LABOUR, Decimal(hours)), Wanted(CostKind.CALL_OUT)]
            made = self._costs.quote(session, row, wanted, "li.wei", self.clock.now())
            assert isinstance(made, QuoteRow)
            return made.id

    def price(self, part: str, name: str, price: str, currency: str = "CNY") -> None:
        """Put a part on the price list."""
        with self.database.writing() as session:
            cost_rows.save_part(session, Part(part, name, "piece", Decimal(price), currency, 5))

    def page(self, who: str, language: str = "en") -> str:
        status, text = self.as_(who, "GET", f"/work-orders/{self.order}?lang={language}")
        assert status == 200, text
        return text

    def as_(self, who: str, method: str, path: str, **data: str | list[str]) -> tuple[int, str]:
        """The status and the text."""
        self.client.cookies = {}
        headers = {"Authorization": f"Bearer {who}", "Origin": HOST}
        answer = self.client.ask(method, path, headers=headers, **({"data": data} if data else {}))
        return answer.status_code, answer.text

    def write(self, who: str, lang: str = "en", **form: str | list[str]) -> tuple[int, str]:
        """Send the form of a new quote, as a page on which there was none yet."""
        return self.as_(who, "POST", f"/work-orders/{self.order}/quotes/new?lang={lang}", **{"seen": "0"} | form)

    def say(self, who: str, quote: str, verb: str, reason: str = "", version: int = 1, lang: str = "en") -> Any:  # noqa: ANN401 - status and text
        path = f"/work-orders/{self.order}/quotes/{quote}/{verb}?lang={lang}"
        return self.as_(who, "POST", path, version=str(version), reason=reason)


@pytest.fixture
def house(sqlite_file: Path, registry: Registry, finding: NewFinding) -> Iterator[House]:
    with closing(Database(f"sqlite:///{sqlite_file}")) as database:
        yield House(database, registry, finding(rule="belt", asset="ahu-1", evidence=(), at=AT))


def test_a_customer_reads_what_it_costs_and_approves(house: House) -> None:
    assert "Above 500 CNY we ask you to approve a quote first." in house.page("owner")
    quote = house.quote()
    page = house.page("owner")
    for text in ("Costs and quotes", "1,010 CNY", "waits for the customer&#39;s approval", "made by Li Wei",
                 "Labour (hours)", "960", "Call-out", f"quotes/{quote}/approve", f"quotes/{quote}/reject"):  # fmt: skip
        assert text in page, text
    assert f"quotes/{quote}/withdraw" not in page
    chinese = house.page("owner", "zh")
    for text in (
        "费用与报价",
        "待客户批准",
        "报价人 李伟",
        "人工（小时）",
        "上门费",
        "超过 500 CNY 须先经您确认报价。",
    ):
        assert text in chinese, text
    assert "没有匹配的等级" in chinese, "why it stands at its level"
    assert house.say("owner", quote, "approve")[0] == 303
    assert house.touched == ["order"]
    page = house.page("li.wei")
    assert "approved by Ms Owner" in page
    assert f"quotes/{quote}/" not in page, "it is decided"


def test_who_made_it_takes_it_back_and_nobody_approves_her_own(house: House) -> None:
    quote = house.quote()
    for who, verbs in (("li.wei", ["withdraw"]), ("zhao.min", []), ("chen.jie", ["approve", "reject", "withdraw"])):
        page = house.page(who)
        shown = [verb for verb in ("approve", "reject", "withdraw") if f"quotes/{quote}/{verb}" in page]
        assert shown == verbs, who
    for who in ("li.wei", "zhao.min", "wang.fang"):
        for verb in ("approve", "reject"):
            assert house.say(who, quote, verb, "why")[0] == 403, (who, verb)
    assert house.say("owner", quote, "withdraw", "why")[0] == 403
    assert house.say("stranger", quote, "approve")[0] in (403, 404)
    status, text = house.say("zhao.min", quote, "withdraw", "not mine")
    assert (status, "only li.wei or a manager can take this quote back" in text) == (409, True)
    assert house.say("li.wei", quote, "withdraw", "A cheaper part was found")[0] == 303
    assert "A cheaper part was found" in house.page("owner")


def test_what_cannot_be_says_why_and_keeps_what_was_typed(house: House) -> None:
    quote, other = house.quote(), house.quote(9)
    status, text = house.say("owner", quote, "reject", lang="zh")
    assert (status, "对报价执行拒绝须说明原因" in text) == (409, True)
    assert house.say("chen.jie", quote, "reject", "too dear")[0] == 303
    status, text = house.say("owner", quote, "approve", "yes please")
    assert (status, "the quote is at version 2, not 1" in text) == (409, True)
    assert house.say("owner", quote, "approve", version=2)[0] == 409
    assert "cannot approve a quote that was rejected by chen.jie" in house.say("owner", quote, "approve", version=2)[1]
    assert house.say("owner", "qt_none", "approve")[0] == 409
    assert house.say("owner", other, "reject", "  ", lang="en")[0] == 409
    path, foreign = f"/work-orders/{house.order}/quotes/{other}/approve", {"Origin": "http://evil"}
    sent = {"Authorization": "Bearer owner", **foreign}
    assert house.client.post(path, data={"version": "1"}, headers=sent).status_code == 403
    assert "waits for the customer" in house.page("owner")


def test_a_manager_reads_that_she_decides_in_the_customers_place(house: House) -> None:
    house.quote()
    said = {"en": "You decide in the customer&#39;s place", "zh": "您代客户作决定"}
    for language, text in said.items():
        assert text in house.page("chen.jie", language)
        assert text not in house.page("owner", language), "it is hers to decide"
        assert text not in house.page("li.wei", language), "he decides nothing"


def test_a_manager_writes_a_quote_and_the_customer_is_told(house: House) -> None:
    house.price("belt", "V-belt", "45.50")
    house.price("filter", "Filter", "80", currency="USD")
    page = house.page("chen.jie")
    for text in ("Write a quote", "Labour (hours) · 120 CNY each", "Call-out · 50 CNY", "V-belt · 45.50 CNY each"):
        assert text in page, text
    assert "Filter" not in page, "it has no price in the contract's currency"
    assert "新建报价" in house.page("chen.jie", "zh")
    assert house.write("chen.jie", hours="2.5", call_out="yes", part=["belt", ""], pieces=["3", ""])[0] == 303
    assert house.touched == ["order"]
    page = house.page("owner")
    for text in ("486.50 CNY", "waits for the customer&#39;s approval", "made by chen.jie", "300", "V-belt", "136.50"):
        assert text in page, text
    (word,) = house.told.words.values()
    assert (word.to, word.subject[0]) == (("customer",), "WO-000001: please approve 486.50 CNY")


def test_a_form_that_comes_twice_makes_one_quote(house: House) -> None:
    assert house.write("li.wei", hours="1")[0] == 303
    status, text = house.write("li.wei", hours="1")
    assert (status, "li.wei has sent a quote meanwhile" in text) == (409, True)
    assert house.page("owner").count('class="quote"') == 1
    assert house.write("chen.jie", hours="2", seen="1")[0] == 303, "she saw the first"
    assert len(house.told.words) == 2


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({}, "a quote without a line says nothing"),
        ({"hours": "two"}, "&#39;two&#39; is no number. Write it like 1.5."),
        ({"hours": "nan"}, "&#39;nan&#39; is no number"),
        ({"hours": "-1"}, "a quantity of -1 is not above 0"),
        ({"part": "belt", "pieces": "1.5"}, "1.5 pieces of &#39;belt&#39; are not whole"),
        ({"part": "rope"}, "there is no part &#39;rope&#39;"),
    ],
)
def test_what_cannot_be_quoted_says_why_and_keeps_the_form(house: House, form: dict[str, str], says: str) -> None:
    house.price("belt", "V-belt", "45.50")
    status, text = house.write("chen.jie", **form | {"call_out": ""})
    assert (status, says in text) == (409, True), text
    for typed in form.values():
        assert f'value="{typed}"' in text
    assert '<details class="step" id="new-quote" open>' in text
    _, chinese = house.write("chen.jie", lang="zh", **form)
    assert not half_width_on(chinese)
    assert says not in chinese
    assert 'class="quote"' not in house.page("owner")


def test_an_order_that_was_cancelled_meanwhile_gets_no_quote_and_says_so(house: House) -> None:
    with house.database.writing() as session:
        order = repository.find_order(session, house.order, lock=True)
        assert order is not None
        order.status = "cancelled"
    status, text = house.write("li.wei", hours="1")
    assert (status, "order 1 is cancelled: nobody works on it any more" in text) == (409, True), text
    assert "工单 1 状态为已取消，已无人处理" in house.write("li.wei", lang="zh", hours="1")[1]
    assert "quotes/new" not in text
    assert not house.told.words


def test_who_may_not_quote_sees_no_form_and_is_refused(house: House) -> None:
    for who in ("owner", "stranger"):
        assert house.write(who, hours="1")[0] == 403, who
    assert "quotes/new" not in house.page("owner")
    for who in ("li.wei", "wang.fang", "chen.jie"):
        assert "quotes/new" in house.page(who), who
    foreign = {"Authorization": "Bearer chen.jie", "Origin": "http://evil"}
    path = f"/work-orders/{house.order}/quotes/new"
    assert house.client.post(path, data={"seen": "0", "hours": "1"}, headers=foreign).status_code == 403
    assert 'class="quote"' not in house.page("owner")


def test_where_the_customer_pays_nothing_no_quote_is_written(
    sqlite_file: Path, registry: Registry, finding: NewFinding
) -> None:
    with closing(Database(f"sqlite:///{sqlite_file}")) as database:
        free = SERVICE.replace("call_out: 50", "call_out: 50, chargeable: false")
        house = House(database, registry, finding(rule="belt", asset="ahu-1", evidence=(), at=AT), free)
        assert "The monthly fee covers the work" in house.page("chen.jie")
        assert "quotes/new" not in house.page("chen.jie")
        status, text = house.write("chen.jie", hours="1")
        assert (status, "the customer pays nothing of this" in text) == (409, True)
