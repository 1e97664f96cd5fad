"""The figures of complaints, surveys and money. Pure; their definitions are in `ticketing.kpi`."""

from collections.abc import Iterable
from decimal import Decimal

from ticketing.kpi_facts import MoneyFact, Scope
from ticketing.kpi_figure import Figure, count, mean, share


def complaints(scope: Scope) -> Figure:
    """Complaints received."""
    return count(sum(1 for one in scope.complaints if scope.holds(one.building_id, one.received_at)))


def repeat_complaints(scope: Scope) -> Figure:
    """Complaints about a matter that was complained about before."""
    return count(sum(1 for one in scope.complaints if one.is_repeat and scope.holds(one.building_id, one.received_at)))


def complaint_compliance(scope: Scope) -> Figure:
    """Complaints resolved by their limit, of those decided."""
    kept = decided = 0
    for one in scope.complaints:
        if one.resolve_due_at is None:
            continue
        good = one.resolved_at is not None and one.resolved_at <= one.resolve_due_at
        at = one.resolved_at if good else one.resolve_due_at
        if scope.holds(one.building_id, at) and (good or one.resolve_due_at < scope.now):
            decided += 1
            kept += good
    return share(kept, decided)


def satisfaction(scope: Scope) -> Figure:
    """The mean score of answered surveys, 0 to 10."""
    return mean(
        float(one.score)
        for one in scope.surveys
        if one.score is not None and scope.holds(one.building_id, one.answered_at)
    )


def nps(scope: Scope) -> Figure:
    """Promoters less detractors, of those who answered the question."""
    given = [one.nps for one in scope.surveys if one.nps is not None and scope.holds(one.building_id, one.answered_at)]
    if not given:
        return Figure(None, 0, 0)
    over = sum(1 for one in given if one >= 9) - sum(1 for one in given if one <= 6)
    return Figure(100 * over / len(given), over, len(given))


def answer_rate(scope: Scope) -> Figure:
    """Surveys answered so far, of those sent."""
    sent = [one for one in scope.surveys if scope.holds(one.building_id, one.sent_at)]
    return share(sum(1 for one in sent if one.answered_at is not None), len(sent))


def penalties(scope: Scope) -> Figure:
    """What the breaches of the period cost the supplier."""
    return _sum(scope, scope.penalties)


def costs(scope: Scope) -> Figure:
    """What the orders cost, whoever pays."""
    return _sum(scope, scope.costs)


def _sum(scope: Scope, facts: Iterable[MoneyFact]) -> Figure:
    money: dict[str, Decimal] = {}
    number = 0
    for one in facts:
        if scope.holds(one.building_id, one.at):
            money[one.currency] = money.get(one.currency, Decimal(0)) + one.amount
            number += 1
    return Figure(float(sum(money.values())) if len(money) <= 1 else None, number, number, money)
