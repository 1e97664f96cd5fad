"""What the work on an order costs, who pays, and when the customer has to approve first. Pure.

Money is a Decimal in hundredths of the contract's currency, rounded half up once for each line. Quantities are hours of
labour and pieces of a part, in hundredths.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from ticketing.payer import Payer, PayerKind
from ticketing.request import Declined
from ticketing.terms import CostTerms

CENT = Decimal("0.01")
MOST = Decimal(100_000)


class CostKind(StrEnum):
    """What a line is for."""

    LABOUR = "labour"
    PART = "part"
    CALL_OUT = "call_out"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the price list."""

    id: str
    name: str
    unit: str
    price: Decimal
    currency: str
    stock: int
    reorder_at: int = 0


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line: what, how much of it at which price, and whose cost it is under which clause."""

    kind: CostKind
    what: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    currency: str
    payer: PayerKind
    clause: str
    part_id: str | None = None


def price_line(
    kind: CostKind,
    quantity: Decimal,
    terms: CostTerms,
    payer: Payer,
    part: Part | None,
    booked: Iterable[CostLine] = (),
) -> CostLine | Declined:
    """A line by the contract's cost standard, or why it cannot be. A call-out counts once an order."""
    if not 0 < quantity <= MOST or quantity != quantity.quantize(CENT):
        return Declined(f"a quantity of {quantity} is not above 0 up to {MOST:,} in hundredths", "Write it like 1.5.")
    if kind is CostKind.PART:
        return _part_line(quantity, terms, payer, part)
    if kind is CostKind.CALL_OUT:
        if quantity != 1 or any(one.kind is CostKind.CALL_OUT for one in booked):
            return Declined("a call-out counts once an order", "Book labour and parts for what came after it.")
        amount = _round(terms.call_out)
        return CostLine(kind, "call-out", quantity, terms.call_out, amount, terms.currency, payer.kind, payer.clause)
    amount = _round(terms.labour_per_hour * quantity)
    return CostLine(kind, "labour", quantity, terms.labour_per_hour, amount, terms.currency, payer.kind, payer.clause)


def _part_line(quantity: Decimal, terms: CostTerms, payer: Payer, part: Part | None) -> CostLine | Declined:
    if part is None:
        return Declined("a part is named by its id", "GET /api/parts lists them.")
    if part.currency != terms.currency:
        what = f"part {part.id!r} is priced in {part.currency}, the contract in {terms.currency}"
        return Declined(what, "Give the part a price in the contract's currency.")
    if quantity != quantity.to_integral_value():
        return Declined(f"{quantity} pieces of {part.id!r} are not whole", "Parts are counted in whole pieces.")
    is_free = payer.kind is PayerKind.CUSTOMER and part.price <= terms.free_parts_up_to
    whose, amount = PayerKind.SUPPLIER if is_free else payer.kind, _round(part.price * quantity)
    return CostLine(
        CostKind.PART, part.name, quantity, part.price, amount, terms.currency, whose, payer.clause, part.id
    )


def total(lines: Iterable[CostLine], payer: PayerKind | None = None) -> Decimal:
    """The sum of the lines, of all or of one payer."""
    return sum((one.amount for one in lines if payer is None or one.payer is payer), Decimal(0))


def needs_approval(
    booked: Iterable[CostLine], new: CostLine, terms: CostTerms, approved: Decimal | None
) -> Declined | None:
    """Why a line may not be booked before the customer has approved a quote; None when it may.

    The customer approves what she pays: above the contract's limit an approved quote has to cover all of it.
    """
    limit = terms.quote_above
    if limit is None or new.payer is not PayerKind.CUSTOMER or not new.amount:
        return None
    sum_now = total([*booked, new], PayerKind.CUSTOMER)
    if sum_now <= max(limit, approved if approved is not None else limit):
        return None
    money = terms.currency
    what = f"the customer would pay {sum_now} {money}, above the {limit} {money} that need no quote"
    if approved is not None:
        what += f" and the {approved} {money} that were approved"
    return Declined(what, "Send a quote that covers all of it, and book when it is approved.")


def cost_standard(terms: CostTerms, payer: Payer) -> tuple[list[str], list[str]]:
    """What the customer is told before the work, in English and in Chinese: who pays, and the prices."""
    money = terms.currency
    who = {
        PayerKind.INSTALLER: f"Inside the warranty: {terms.installer} pays, you pay nothing.",
        PayerKind.SUPPLIER: "The monthly fee covers the work: you pay nothing.",
        PayerKind.CUSTOMER: "The work is chargeable by the cost standard below.",
    }[payer.kind]
    who_zh = {
        PayerKind.INSTALLER: f"保修期内，由{terms.installer}承担，您无需付费。",
        PayerKind.SUPPLIER: "已含在物业服务费内，您无需付费。",
        PayerKind.CUSTOMER: "按以下收费标准收费。",
    }[payer.kind]
    english, chinese = [who], [who_zh]
    if payer.kind is not PayerKind.CUSTOMER:
        return english, chinese
    english += [f"Labour: {terms.labour_per_hour} {money} an hour.", f"Call-out: {terms.call_out} {money}."]
    chinese += [f"人工：{terms.labour_per_hour} {money}/小时。", f"上门费：{terms.call_out} {money}。"]
    if terms.free_parts_up_to:
        english.append(f"Parts of up to {terms.free_parts_up_to} {money} each are free, others by the price list.")
        chinese.append(f"单价 {terms.free_parts_up_to} {money} 以内的零件免费，其余按价目表。")
    if terms.quote_above is not None:
        english.append(f"Above {terms.quote_above} {money} we ask you to approve a quote first.")
        chinese.append(f"超过 {terms.quote_above} {money} 须先经您确认报价。")
    if terms.clause:
        english.append(f"Clause {terms.clause} of the contract.")
        chinese.append(f"合同条款 {terms.clause}。")
    return english, chinese


def _round(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
