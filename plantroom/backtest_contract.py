"""What a backtest's orders would have broken and cost, under stated assumptions about who works on them. Pure.

Nobody worked on a history, so breaches follow from an assumption. `median` (the default): one crew at one pace for
everything, which comes after the median response limit of the contract's levels and is done after the median resolution
limit, each counted in the order's own calendar: a tighter level breaks, a looser one does not. `nobody`: no one ever
comes. `recovered`, where the backtest was attended: somebody is there in time, and it is done when the readings say so.
Only response and resolution are looked at: no history tells of the other clocks of a level.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from statistics import median_low

from dashboards.web.backtest_report import Assumption, BreachRow
from facility.instant import to_us
from facility.registry import Registry
from ticketing.contract import Contract, Revision
from ticketing.contract_book import ContractBook
from ticketing.contract_compare import Case, Judgement, judge_contract
from ticketing.limit import Limit, LimitUnit
from ticketing.penalty import Breach, decide_correctives, decide_penalties
from ticketing.promised import due_at
from ticketing.work_order import Change, Status, Verb

_CLOCKS = ("response", "resolution")
_OPEN_HOURS_A_DAY = 8


@dataclass(frozen=True, slots=True)
class Pace:
    """How soon one crew is there and is done, whatever the order."""

    response: Limit
    resolution: Limit


def median_pace(revision: Revision) -> Pace:
    """The median (of an even number the shorter) of the limits of a revision's levels."""
    return Pace(_median([one.response.limit for one in revision.every]),
                _median([one.resolution.limit for one in revision.every]))  # fmt: skip


def assume(
    contract: Contract, cases: Sequence[Case], registry: Registry, now: datetime, *, attended: bool
) -> list[Assumption]:
    """What the contract's orders would have broken by `now` (aware UTC), the default assumption first."""
    mine = [case for case in cases if _is_of(contract, case, registry)]
    untouched = [replace(case, history=case.history[:1]) for case in mine]
    level_of = {one.case.id: one for one in judge_contract(contract, untouched, registry, now).judged}
    paces = {one.number: median_pace(one) for one in contract.revisions if one.every}
    worked = [_at_pace(contract, level_of[case.id], paces) for case in untouched]
    latest = contract.revision_at(now)
    pace = paces.get(latest.number) if latest is not None else None
    found = [_assumption("median", contract, worked, registry, now, pace),
             _assumption("nobody", contract, untouched, registry, now)]  # fmt: skip
    if attended:
        found.insert(1, _assumption("recovered", contract, mine, registry, now))
    return found


def _is_of(contract: Contract, case: Case, registry: Registry) -> bool:
    building = registry.buildings.get(case.building_id)
    covered = building is not None and contract.covers(building.site_id, building.id)
    return covered and contract.revision_at(case.opened_at) is not None


def _at_pace(contract: Contract, judged: Judgement, paces: dict[int, Pace]) -> Case:
    case = judged.case
    revision = contract.revision_at(case.opened_at)
    if revision is None or (pace := paces.get(revision.number)) is None:
        return case
    level = ContractBook([contract]).level(contract.id, revision.number, judged.level_id)
    if level is None:
        return case
    there_at = due_at(pace.response, level.calendar, case.opened_at)
    done_at = due_at(pace.resolution, level.calendar, case.opened_at)
    steps = ((Verb.ACKNOWLEDGE, Status.ACKNOWLEDGED, there_at), (Verb.ARRIVE, Status.ARRIVED, there_at),
             (Verb.COMPLETE, Status.COMPLETED, done_at))  # fmt: skip
    lines = [Change(1, at, verb.value, "median pace", status) for verb, status, at in steps if at is not None]
    return replace(case, history=(*case.history, *sorted(lines, key=lambda one: one.at)))


def _assumption(
    key: str, contract: Contract, cases: Iterable[Case], registry: Registry, now: datetime, pace: Pace | None = None
) -> Assumption:
    judged = judge_contract(contract, cases, registry, now).judged
    in_order = sorted(judged, key=lambda one: one.case.opened_at)
    rows: list[BreachRow] = []
    months: list[str] = []
    total, currency = None, ""
    for revision, group in groupby(in_order, key=lambda one: contract.revision_at(one.case.opened_at)):
        breaches = [breach for one in group for breach in one.breaches if breach.clock in _CLOCKS]
        terms = revision.terms.penalties if revision is not None else None
        if terms is None:
            rows += [_row(breach, "") for breach in breaches]
            continue
        penalties = decide_penalties(breaches, terms, contract.zone)
        months += [one.month for one in decide_correctives(breaches, terms, contract.zone)]
        currency, total = terms.currency, sum((one.amount for one in penalties), total or 0)
        for breach in breaches:
            mine = [one.amount for one in penalties if one.breach is breach]
            rows.append(_row(breach, f"{sum(mine)}" if mine else ""))
    rows.sort(key=lambda one: (one.due_us, one.number, one.clock))
    return Assumption(
        key=key,
        contract_id=contract.id,
        response=str(pace.response) if pace is not None else "",
        resolution=str(pace.resolution) if pace is not None else "",
        penalty=f"{total}" if total is not None else "",
        currency=currency,
        correctives=tuple(dict.fromkeys(months)),
        breaches=tuple(rows),
    )


def _row(breach: Breach, amount: str) -> BreachRow:
    over_us = round(breach.over.total_seconds() * 1e6)
    return BreachRow(breach.number, breach.clock, breach.clause, to_us(breach.due_at), over_us, amount)


def _median(limits: Sequence[Limit]) -> Limit:
    by_length = {_length(one): one for one in limits}
    return by_length[median_low([_length(one) for one in limits])]


def _length(limit: Limit) -> tuple[float, str]:
    """Hours, an open day as eight of them: to put limits of different units in an order."""
    hours = limit.duration.total_seconds() / 3600 + limit.days * _OPEN_HOURS_A_DAY
    return (hours / 3 if limit.unit is LimitUnit.CALENDAR and hours >= 24 else hours), str(limit)
