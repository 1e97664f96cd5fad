"""The figures of orders: compliance, times, repeats, backlog, visits, records. Pure; `ticketing.kpi` defines them.

A promise is decided when it is kept or when its deadline passes, whichever comes first: so each counts once, in one
period, and one whose time has not come counts nowhere.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from statistics import median

from ticketing.kpi_facts import OrderFact, Scope, WaitingFact
from ticketing.kpi_figure import Figure, count, mean, share

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


def response_compliance(scope: Scope) -> Figure:
    """Response promises kept, of those decided."""
    faults = (one for one in scope.orders if one.is_fault)
    return _kept(scope, ((one, one.response_due_at, one.arrived_at or one.completed_at) for one in faults))


def resolution_compliance(scope: Scope) -> Figure:
    """Resolution promises kept, of those decided."""
    faults = (one for one in scope.orders if one.is_fault)
    return _kept(scope, ((one, one.resolution_due_at, one.completed_at) for one in faults))


def preventive_compliance(scope: Scope) -> Figure:
    """Visits done by the day they were due, of those decided; a cancelled visit was not done."""
    visits = (one for one in scope.orders if one.planned_due_at is not None)
    return _kept(scope, ((one, one.planned_due_at, one.completed_at) for one in visits), cancelled_counts=True)


def mean_response(scope: Scope) -> Figure:
    """Minutes from opening to the first arrival."""
    return mean(
        (one.arrived_at - one.opened_at) / _MINUTE
        for one in scope.orders
        if one.is_fault and one.arrived_at is not None and scope.holds(one.building_id, one.arrived_at)
    )


def mttr(scope: Scope) -> Figure:
    """Hours from opening to completion."""
    return mean(
        (one.completed_at - one.opened_at) / _HOUR for one in _completed_faults(scope) if one.completed_at is not None
    )


def mtbf(scope: Scope) -> Figure:
    """Hours in which the assets worked, for each failure."""
    failures = sum(1 for one in _opened_faults(scope) if one.opened_at not in one.returned_at) + _returns(scope)
    if not failures:
        return Figure(None, 0, 0)
    hours = (_in_service(scope) - _down(scope)) / _HOUR
    return Figure(hours / failures, hours, failures)


def first_time_fix(scope: Scope) -> Figure:
    """Faults that one visit settled for good, of those completed."""
    done = list(_completed_faults(scope))
    good = [one for one in done if one.arrivals <= 1 and not one.reopenings and not one.returned]
    return share(len(good), len(done))


def repeat_faults(scope: Scope) -> Figure:
    """Faults that came back."""
    return count(_returns(scope))


def repeat_share(scope: Scope) -> Figure:
    """Faults that came back, of those opened."""
    again = _returns(scope)
    fresh = sum(1 for one in _opened_faults(scope) if one.opened_at not in one.returned_at)
    return share(again, again + fresh)


def faults(scope: Scope) -> Figure:
    """Faults opened."""
    return count(sum(1 for _ in _opened_faults(scope)))


def backlog(scope: Scope) -> Figure:
    """Orders whose work was not done at the end."""
    return count(len(_ages(scope)))


def backlog_age(scope: Scope) -> Figure:
    """Days since opening, in the middle of the backlog."""
    ages = _ages(scope)
    return Figure(median(ages) if ages else None, sum(ages), len(ages))


def backlog_oldest(scope: Scope) -> Figure:
    """Days since opening, of the oldest."""
    ages = _ages(scope)
    return Figure(max(ages) if ages else None, max(ages, default=0.0), len(ages))


def backlog_overdue(scope: Scope) -> Figure:
    """Those of the backlog past their deadline."""
    return count(
        sum(1 for one in _waiting(scope) if one.due_at is not None and one.due_at < scope.end(one.building_id))
    )


def record_completeness(scope: Scope) -> Figure:
    """Fields of the record that are there, of those asked for."""
    done = list(_completed_faults(scope))
    return share(sum(one.filled for one in done), sum(one.asked for one in done))


def follow_up_rate(scope: Scope) -> Figure:
    """Faults whose customer was asked afterwards, of those completed."""
    done = list(_completed_faults(scope))
    return share(sum(1 for one in done if one.followed_up), len(done))


def _kept(
    scope: Scope,
    promises: Iterable[tuple[OrderFact, datetime | None, datetime | None]],
    *,
    cancelled_counts: bool = False,
) -> Figure:
    """Kept promises of the decided ones: (order, deadline, when it was kept)."""
    kept = decided = 0
    for order, due_at, done_at in promises:
        if due_at is None:
            continue  # nothing was promised, so nothing was kept either
        over_at = order.cancelled_at
        if over_at is not None and over_at <= due_at and (done_at is None or over_at <= done_at):
            if cancelled_counts and scope.holds(order.building_id, over_at):
                decided += 1
            continue
        good = done_at is not None and done_at <= due_at
        if scope.holds(order.building_id, done_at if good else due_at):
            if not good and due_at >= scope.now:
                continue  # a breach is only once the deadline is behind us
            decided += 1
            kept += good
    return share(kept, decided)


def _opened_faults(scope: Scope) -> Iterable[OrderFact]:
    """Fault orders opened in the period and not cancelled: what was cancelled was no fault."""
    return (
        one
        for one in scope.orders
        if one.is_fault and one.cancelled_at is None and scope.holds(one.building_id, one.opened_at)
    )


def _returns(scope: Scope) -> int:
    """How often a fault came back in the period."""
    return sum(
        1
        for one in scope.orders
        if one.is_fault and one.cancelled_at is None
        for at in one.returned_at
        if scope.holds(one.building_id, at)
    )


def _completed_faults(scope: Scope) -> Iterable[OrderFact]:
    return (one for one in scope.orders if one.is_fault and scope.holds(one.building_id, one.completed_at))


def _waiting(scope: Scope) -> Iterable[WaitingFact]:
    """The backlog at the end."""
    yield from scope.waiting
    for one in scope.orders:
        end, over = scope.end(one.building_id), one.completed_at or one.cancelled_at
        if one.opened_at < end and (over is None or over >= end):
            due_at = one.planned_due_at or one.resolution_due_at
            yield WaitingFact(
                one.building_id, one.asset_id, one.equipment_class, one.supplier, one.is_fault, one.opened_at, due_at
            )


def _ages(scope: Scope) -> list[float]:
    return [(scope.end(one.building_id) - one.opened_at) / _DAY for one in _waiting(scope)]


def _in_service(scope: Scope) -> timedelta:
    """Time in service of all assets together."""
    total = timedelta(0)
    for one in scope.assets:
        start = scope.bounds[one.building_id].from_at
        if one.since_at is not None:
            start = max(start, one.since_at)
        total += max(scope.end(one.building_id) - start, timedelta(0))
    return total


def _down(scope: Scope) -> timedelta:
    """Time in which an asset of the scope had a fault order; two at once count once."""
    known = {one.asset_id for one in scope.assets}
    faults_of = [
        (one.building_id, one.asset_id, one.opened_at, one.completed_at)
        for one in scope.orders
        if one.is_fault and one.cancelled_at is None
    ]
    faults_of += [(one.building_id, one.asset_id, one.opened_at, None) for one in scope.waiting if one.is_fault]
    spans: dict[str, list[tuple[datetime, datetime]]] = {}
    for building_id, asset_id, opened_at, completed_at in faults_of:
        if asset_id in known:
            end = scope.end(building_id)
            low, high = max(opened_at, scope.bounds[building_id].from_at), min(completed_at or end, end)
            if low < high:
                spans.setdefault(asset_id, []).append((low, high))
    return sum((_union(each) for each in spans.values()), timedelta(0))


def _union(spans: list[tuple[datetime, datetime]]) -> timedelta:
    total, reached = timedelta(0), None
    for low, high in sorted(spans):
        start = low if reached is None else max(low, reached)
        if start < high:
            total += high - start
            reached = high
    return total
