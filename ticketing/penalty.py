"""What breaches cost the supplier: each penalty names its clause and its breach, and one line says why. Pure.

A breach during which force majeure held costs nothing. The cap of a period is filled in the order of the deadlines.
Hours are started hours past the deadline, in the time the clock runs in (open time, or calendar time).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ticketing.contract import PauseReason
from ticketing.level import LevelFacts, covers
from ticketing.limit import format_hours
from ticketing.limit_zh import CLOCKS_ZH, hours_zh
from ticketing.order_clock import OrderClock
from ticketing.said import Said
from ticketing.terms import CapPeriod, PenaltyPer, PenaltyTerm, PenaltyTerms, month_of

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Breach:
    """A clock that ran past its deadline: by `over` until it stopped, or until now. `waived`: force majeure held."""

    order_id: str
    number: str
    level_id: str
    clock: str
    clause: str
    due_at: datetime
    ended_at: datetime
    over: timedelta
    waived: bool
    facts: LevelFacts


@dataclass(frozen=True, slots=True)
class Penalty:
    """What one breach costs under one clause. `uncapped` is before the cap of `period`; `reason` says how it came."""

    breach: Breach
    term_id: str
    clause: str
    amount: Decimal
    uncapped: Decimal
    currency: str
    period: str
    reason: str
    reason_zh: str


@dataclass(frozen=True, slots=True)
class Corrective:
    """A month with so many breaches that a corrective action is due."""

    month: str
    breaches: int


def find_breaches(
    order_id: str, number: str, level_id: str, clocks: Mapping[str, OrderClock], facts: LevelFacts
) -> list[Breach]:
    """The breached clocks of one order, each once however often it is asked."""
    found = []
    for name, clock in clocks.items():
        if not clock.is_breached:
            continue
        deadline = clock.deadline
        ended_at = clock.stopped_at if clock.stopped_at is not None else deadline.now
        over = deadline.calendar.elapsed(deadline.due_at, ended_at)
        waived = any(
            pause.reason is PauseReason.FORCE_MAJEURE
            and pause.from_at < ended_at
            and (pause.until_at is None or pause.until_at > deadline.started_at)
            for pause in deadline.pauses
        )
        found.append(
            Breach(order_id, number, level_id, name, deadline.clause, deadline.due_at, ended_at, over, waived, facts)
        )
    return found


def decide_penalties(breaches: Iterable[Breach], terms: PenaltyTerms, zone: ZoneInfo) -> list[Penalty]:
    """What the breaches cost, by deadline; the cap is for all of a period together (local dates of the deadlines)."""
    spent: dict[str, Decimal] = {}
    found = []
    for breach in sorted(breaches, key=lambda one: (one.due_at, one.number, one.clock)):
        period = month_of(breach.due_at.astimezone(zone).date(), terms.cap_period)
        for term in terms.terms:
            if (term.clocks and breach.clock not in term.clocks) or not covers(term.match, breach.facts):
                continue
            full, why = _price(breach, term, terms)
            left = terms.cap - spent.get(period, Decimal(0)) if terms.cap is not None else full
            amount = min(full, max(left, Decimal(0)))
            if breach.waived:
                amount = Decimal(0)
                why = _more(why, "waived: force majeure held while the clock ran", "计时期间不可抗力成立，予以免责")
            elif amount < full:
                cap = f"{terms.cap} {terms.currency}"
                why = _more(
                    why, f"the cap of {cap} for {period} leaves {amount}", f"{period} 的上限 {cap} 尚余 {amount}"
                )
            spent[period] = spent.get(period, Decimal(0)) + amount
            found.append(
                Penalty(breach, term.id, term.clause, amount, full, terms.currency, period, f"{why.en}.", f"{why.zh}。")
            )
    return found


def decide_correctives(breaches: Iterable[Breach], terms: PenaltyTerms, zone: ZoneInfo) -> list[Corrective]:
    """The months in which as many breaches fell due as the contract lets pass; waived ones do not count."""
    counts: dict[str, int] = {}
    for breach in breaches:
        month = month_of(breach.due_at.astimezone(zone).date(), CapPeriod.MONTH)
        counts[month] = counts.get(month, 0) + (not breach.waived)
    limit = terms.corrective_after
    return [Corrective(month, count) for month, count in sorted(counts.items()) if limit is not None and count >= limit]


def _more(why: Said, en: str, zh: str) -> Said:
    return Said(f"{why.en}; {en}", f"{why.zh}；{zh}")


def _price(breach: Breach, term: PenaltyTerm, terms: PenaltyTerms) -> tuple[Decimal, Said]:
    """The price of a breach before any cap, and how it came about."""
    each = term.amount if term.amount is not None else terms.share(term.percent or Decimal(0))
    what = what_zh = f"{each} {terms.currency}"
    if term.amount is None:
        what = f"{term.percent} % of {terms.monthly_fee} {terms.currency} is {each}"
        what_zh = f"{terms.monthly_fee} {terms.currency} 的 {term.percent} % 即 {each}"
    over, clock_zh = breach.over, CLOCKS_ZH.get(breach.clock, breach.clock)
    about = f"Clause {term.clause}: {breach.clock} of {breach.number} {format_hours(over)} over; {what}"
    about_zh = f"条款 {term.clause}：{breach.number} {clock_zh}超时 {hours_zh(over)}；{what_zh}"
    if term.per is PenaltyPer.BREACH:
        return each, Said(f"{about} per breach", f"{about_zh}（每次违约）")
    hours = max(1, -(-over // _HOUR))
    counted = f"{about} x {hours} started hour{'' if hours == 1 else 's'}"
    return each * hours, Said(counted, f"{about_zh} × {hours} 小时（不足一小时按一小时计）")
