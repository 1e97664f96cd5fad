"""Costs: who pays, price list and stock, and no work above the limit without an approved quote."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from asking import Client, app_of
from people import Remembered, service_book

from facility.clock import JournalClock
from facility.finding import Finding
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from ticketing import repository
from ticketing.contract_book import ContractBook
from ticketing.cost import CostKind, CostLine, Part, cost_standard, needs_approval, price_line
from ticketing.desk import Desk
from ticketing.payer import Payer, PayerKind
from ticketing.request import Declined
from ticketing.service_api import service_routers
from ticketing.terms import CostTerms
from ticketing.work_order import Status

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
TERMS = CostTerms(
    "CNY", labour_per_hour=Decimal(120), call_out=Decimal(50), free_parts_up_to=Decimal(20), quote_above=Decimal(500),
    clause="6.1", installer="Builder",
)  # fmt: skip
CUSTOMER = Payer(PayerKind.CUSTOMER, "6.1", "The warranty ended.")
INSTALLER = Payer(PayerKind.INSTALLER, "8.2", "Inside the warranty.")
BELT = Part("belt", "Fan belt", "piece", Decimal("85.50"), "CNY", 3, 1)
SCREW = Part("screw", "Screw", "piece", Decimal(20), "CNY", 100)


def line(kind: CostKind, quantity: str, payer: Payer = CUSTOMER, part: Part | None = None) -> CostLine:
    found = price_line(kind, Decimal(quantity), TERMS, payer, part)
    assert isinstance(found, CostLine), found
    return found


@pytest.mark.parametrize(
    ("found", "amount", "payer"),
    [
        (line(CostKind.LABOUR, "1.5"), "180.00", PayerKind.CUSTOMER),
        (line(CostKind.LABOUR, "0.33"), "39.60", PayerKind.CUSTOMER),
        (line(CostKind.CALL_OUT, "1"), "50.00", PayerKind.CUSTOMER),
        (line(CostKind.PART, "2", part=BELT), "171.00", PayerKind.CUSTOMER),
        (line(CostKind.PART, "4", part=SCREW), "80.00", PayerKind.SUPPLIER),  # 20 a piece is free for the customer
        (line(CostKind.PART, "4", INSTALLER, SCREW), "80.00", PayerKind.INSTALLER),
    ],
)
def test_a_line_by_the_cost_standard(found: CostLine, amount: str, payer: PayerKind) -> None:
    assert (found.amount, found.payer, found.currency) == (Decimal(amount), payer, "CNY")


@pytest.mark.parametrize(
    ("kind", "quantity", "part", "what"),
    [
        (CostKind.LABOUR, "0", None, "a quantity of 0"),
        (CostKind.LABOUR, "0.001", None, "in hundredths"),
        (CostKind.PART, "1", None, "a part is named by its id"),
        (CostKind.PART, "1.5", BELT, "1.5 pieces of 'belt' are not whole"),
        (CostKind.PART, "1", replace(BELT, currency="EUR"), "priced in EUR, the contract in CNY"),
        (CostKind.CALL_OUT, "2", None, "a call-out counts once an order"),
    ],
)
def test_a_line_that_cannot_be(kind: CostKind, quantity: str, part: Part | None, what: str) -> None:
    found = price_line(kind, Decimal(quantity), TERMS, CUSTOMER, part)
    assert isinstance(found, Declined)
    assert what in found.what


def test_above_the_limit_the_customer_approves_first() -> None:
    four_hours, more = line(CostKind.LABOUR, "4"), line(CostKind.LABOUR, "0.16")
    exact = replace(more, amount=Decimal(20))
    assert needs_approval([four_hours], exact, TERMS, None) is None  # 500 is not above 500
    refused = needs_approval([four_hours], replace(more, amount=Decimal("20.01")), TERMS, None)
    assert refused is not None
    assert refused.what == "the customer would pay 500.01 CNY, above the 500 CNY that need no quote"
    assert needs_approval([four_hours], line(CostKind.LABOUR, "1"), TERMS, Decimal(600)) is None
    assert needs_approval([four_hours], line(CostKind.LABOUR, "1.5"), TERMS, Decimal(600)) is not None
    assert needs_approval([four_hours], line(CostKind.LABOUR, "9", INSTALLER), TERMS, None) is None


def test_the_standard_says_who_pays_in_both_languages() -> None:
    english, chinese = cost_standard(TERMS, CUSTOMER)
    assert english[1:3] == ["Labour: 120 CNY an hour.", "Call-out: 50 CNY."]
    assert "超过 500 CNY 须先经您确认报价。" in chinese
    assert cost_standard(TERMS, INSTALLER)[0] == ["Inside the warranty: Builder pays, you pay nothing."]


class Shop:
    """An order of an air handler (chargeable), and the routes."""

    def __init__(self, database: Database, registry: Registry, finding: NewFinding) -> None:
        self.database, self.told = database, Remembered()
        self.book: ContractBook = service_book()
        routers = service_routers(database, JournalClock(to_us(AT)), self.book, lambda: registry, self.told)
        self.client = Client(app_of(database, *routers))
        with database.writing() as session:
            desk = Desk(self.book, lambda: registry)
            (self.order,) = desk.receive(session, [finding(asset="ahu-1", rule="belt")]).opened
        self.post("/api/parts", 201, id="belt", name="Fan belt", price="85.50", currency="CNY", reorder_at=1)
        self.post("/api/parts/belt/receive", 200, quantity=3)

    def post(self, path: str, expected: int, **body: Any) -> Any:  # noqa: ANN401 - any JSON
        answer = self.client.post(path, json=body)
        assert answer.status_code == expected, answer.text
        return answer.json()


@pytest.fixture
def shop(database: Database, registry: Registry, finding: NewFinding) -> Shop:
    return Shop(database, registry, finding)


def test_the_standard_comes_before_the_work(shop: Shop) -> None:
    shown = shop.client.get("/api/costs", params={"order": "WO-000001"}).json()
    assert (shown["payer"], shown["total"], shown["lines"]) == ("customer", "0", [])
    assert shown["standard"][0] == "The work is chargeable by the cost standard below."
    assert shown["standard_zh"][-1] == "合同条款 6.1。"


def test_a_part_leaves_the_stock_and_what_is_not_there_cannot_be_booked(shop: Shop) -> None:
    booked = shop.post("/api/costs", 201, order=shop.order, kind="part", part_id="belt", quantity=2)
    assert (booked["total"], booked["customer_pays"]) == ("171.00", "171.00")
    (part,) = shop.client.get("/api/parts", params={"short": "true"}).json()
    assert (part["stock"], part["short"]) == (1, True)
    (word,) = shop.told.told("part")
    assert word.to == ("storekeeper",)
    refused = shop.post("/api/costs", 409, order=shop.order, kind="part", part_id="belt", quantity=2)["detail"]
    assert refused["what"] == "2 piece of 'belt' are not in stock: there are 1"
    assert shop.client.get("/api/costs", params={"order": shop.order}).json()["total"] == "171.00"


def test_the_same_key_books_once(shop: Shop) -> None:
    body = {"order": shop.order, "kind": "part", "part_id": "belt"}
    answers = [shop.client.post("/api/costs", json=body, headers={"Idempotency-Key": "k"}).json() for _ in range(3)]
    assert [one["total"] for one in answers] == ["85.50"] * 3
    assert shop.client.get("/api/parts").json()[0]["stock"] == 2


def test_a_quote_is_approved_before_dear_work(shop: Shop) -> None:
    refused = shop.post("/api/costs", 409, order=shop.order, kind="labour", quantity="6")["detail"]
    assert refused["hint"] == "Send a quote that covers all of it, and book when it is approved."
    quote = shop.post("/api/quotes", 201, order=shop.order, lines=[{"kind": "labour", "quantity": 6}])
    assert (quote["amount"], quote["status"]) == ("720", "sent")
    assert "合同条款" in quote["standard"]
    assert shop.told.told("quote")[0].to == ("customer",)
    shop.post("/api/costs", 409, order=shop.order, kind="labour", quantity="6")
    assert shop.post(f"/api/quotes/{quote['id']}/approve", 200, by="Chen")["decided_by"] == "Chen"
    assert shop.post("/api/costs", 201, order=shop.order, kind="labour", quantity="6")["total"] == "720.00"
    again = shop.post(f"/api/quotes/{quote['id']}/reject", 409, reason="too dear")["detail"]
    assert again["what"] == "cannot reject a quote that was approved by Chen"


def test_a_rejection_needs_its_reason(shop: Shop) -> None:
    quote = shop.post("/api/quotes", 201, order=shop.order, lines=[{"kind": "labour", "quantity": 6}])
    shop.post(f"/api/quotes/{quote['id']}/reject", 409)
    assert shop.post(f"/api/quotes/{quote['id']}/reject", 200, reason="too dear")["status"] == "rejected"
    shop.post("/api/costs", 409, order=shop.order, kind="labour", quantity="6")


@pytest.mark.parametrize("status", [Status.CLOSED, Status.CANCELLED])
def test_no_quote_goes_out_for_an_order_that_is_over(shop: Shop, status: Status) -> None:
    with shop.database.writing() as session:
        order = repository.find_order(session, shop.order, lock=True)
        assert order is not None
        order.status = status
    refused = shop.post("/api/quotes", 409, order=shop.order, lines=[{"kind": "labour", "quantity": 6}])["detail"]
    assert refused["what"] == f"order 1 is {status}: nobody works on it any more"
    assert shop.told.told("quote") == []


def test_two_at_once_do_not_take_the_same_part(shop: Shop) -> None:
    body = {"order": shop.order, "kind": "part", "part_id": "belt", "quantity": 2}
    with ThreadPoolExecutor(2) as pool:
        codes = sorted(pool.map(lambda _: shop.client.post("/api/costs", json=body).status_code, range(2)))
    assert codes == [201, 409]


def test_inside_the_warranty_the_installer_pays(database: Database, registry: Registry, finding: NewFinding) -> None:
    lift = replace(registry.assets["lift-1"], accepted_on=date(2025, 6, 1))
    assets = [lift if one.id == "lift-1" else one for one in registry.assets.values()]
    covered = Registry(registry.sites.values(), registry.buildings.values(), registry.spaces.values(), assets)
    shop = Shop(database, covered, finding)
    with database.writing() as session:
        (order,) = Desk(shop.book, lambda: covered).receive(session, [finding()]).opened
    booked = shop.post("/api/costs", 201, order=order, kind="labour", quantity="10")
    assert (booked["payer"], booked["customer_pays"], booked["total"]) == ("installer", "0", "1200.00")
    assert "runs until 2027-05-31" in booked["payer_reason"]
    shop.post("/api/quotes", 409, order=order, lines=[{"kind": "labour", "quantity": 10}])
