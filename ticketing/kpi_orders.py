"""The figures of orders: compliance, times, repeats, backlog, visits, records. Pure; `ticketing.kpi` defines them.

A promise is decided when it is kept or when its deadline passes, whichever comes first: so each counts once, in one
period, and one whose time has not come counts nowhere.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple

from ticketing.kpi_facts import OrderFact, Scope
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
        (one.completed_at - one.opened_at) / _HOUR
        for one in scope.once(_completed_faults)
        if one.completed_at is not None
    )


def mtbf(scope: Scope) -> Figure:
    """Hours in which the assets worked, for each failure."""
    failures = _fresh(scope) + scope.once(_returns)
    if not failures:
        return Figure(None, 0, 0)
    hours = (_in_service(scope) - _down(scope)) / _HOUR
    return Figure(hours / failures, hours, failures)


def first_time_fix(scope: Scope) -> Figure:
    """Faults that one visit settled for good, of those completed."""
    done = scope.once(_completed_faults)
    good = [one for one in done if one.arrivals <= 1 and not one.reopenings and not one.returned]
    return share(len(good), len(done))


def repeat_faults(scope: Scope) -> Figure:
    """Faults that came back."""
    return count(scope.once(_returns))


def repeat_share(scope: Scope) -> Figure:
    """Faults that came back, of those opened."""
    again = scope.once(_returns)
    return share(again, again + _fresh(scope))


def faults(scope: Scope) -> Figure:
    """Faults opened."""
    return count(len(scope.once(_opened_faults)))


def backlog(scope: Scope) -> Figure:
    """Orders whose work was not done at the end."""
    return count(len(scope.once(_backlog).ages))


def backlog_age(scope: Scope) -> Figure:
    """Days since opening, in the middle of the backlog."""
    ages = scope.once(_backlog).ages
    return Figure(median(ages) if ages else None, sum(ages), len(ages))


def backlog_oldest(scope: Scope) -> Figure:
    """Days since opening, of the oldest."""
    ages = scope.once(_backlog).ages
    return Figure(max(ages) if ages else None, max(ages, default=0.0), len(ages))


def backlog_overdue(scope: Scope) -> Figure:
    """Those of the backlog past their deadline."""
    return count(scope.once(_backlog).overdue)


def record_completeness(scope: Scope) -> Figure:
    """Fields of the record that are there, of those asked for."""
    done = scope.once(_completed_faults)
    return share(sum(one.filled for one in done), sum(one.asked for one in done))


def follow_up_rate(scope: Scope) -> Figure:
    """Faults whose customer was asked afterwards, of those completed."""
    done = scope.once(_completed_faults)
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


def _opened_faults(scope: Scope) -> list[OrderFact]:
    """Fault orders opened in the period and not cancelled: what was cancelled was no fault."""
    return [
        one
        for one in scope.orders
        if one.is_fault and one.cancelled_at is None and scope.holds(one.building_id, one.opened_at)
    ]


def _fresh(scope: Scope) -> int:
    """How many of them were no repeats."""
    return sum(1 for one in scope.once(_opened_faults) if one.opened_at not in one.returned_at)


def _returns(scope: Scope) -> int:
    """How often a fault came back in the period."""
    return sum(
        1
        for one in scope.orders
        if one.is_fault and one.cancelled_at is None
        for at in one.returned_at
        if scope.holds(one.building_id, at)
    )


def _completed_faults(scope: Scope) -> list[OrderFact]:
    return [one for one in scope.orders if one.is_fault and scope.holds(one.building_id, one.completed_at)]


class _Backlog(NamedTuple):
    """Days since opening of what waits at the end, and how many of those are past their deadline."""

    ages: list[float]
    overdue: int


class _Ends(dict[str, datetime]):
    """The end of the period by building, each worked out once."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope

    def __missing__(self, key: str) -> datetime:
        self[key] = end = self._scope.end(key)
        return end


def _backlog(scope: Scope) -> _Backlog:
    ends, ages, overdue = _Ends(scope), [], 0
    for one in scope.waiting:
        end = ends[one.building_id]
        ages.append((end - one.opened_at) / _DAY)
        overdue += one.due_at is not None and one.due_at < end
    for order in scope.orders:
        end, over = ends[order.building_id], order.completed_at or order.cancelled_at
        if order.opened_at < end and (over is None or over >= end):
            ages.append((end - order.opened_at) / _DAY)
            due_at = order.planned_due_at or order.resolution_due_at
            overdue += due_at is not None and due_at < end
    return _Backlog(ages, overdue)


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
    spans: dict[str, list[tuple[datetime, datetime]]] = {one.asset_id: [] for one in scope.assets}
    ends = _Ends(scope)
    waits: dict[tuple[str, str], datetime] = {}  # all of them last to the end: the oldest says it all
    for one in scope.waiting:
        if one.is_fault and one.asset_id in spans:
            where = one.building_id, one.asset_id
            waits[where] = min(one.opened_at, waits.get(where, one.opened_at))
    faults_of: list[tuple[str, str, datetime, datetime | None]]
    faults_of = [(building_id, asset_id, opened_at, None) for (building_id, asset_id), opened_at in waits.items()]
    faults_of += [
        (one.building_id, one.asset_id, one.opened_at, one.completed_at)
        for one in scope.orders
        if one.is_fault and one.cancelled_at is None and one.asset_id in spans
    ]
    for building_id, asset_id, opened_at, completed_at in faults_of:
        end = ends[building_id]
        low, high = max(opened_at, scope.bounds[building_id].from_at), min(completed_at or end, end)
        if low < high:
            spans[asset_id].append((low, high))
    return sum((_union(each) for each in spans.values()), timedelta(0))


def _union(spans: list[tuple[datetime, datetime]]) -> timedelta:
    total, reached = timedelta(0), None
    for low, high in sorted(spans):
        start = low if reached is None else max(low, reached)
        if start < high:
            total += high - start
            reached = high
    return total
