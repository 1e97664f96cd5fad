"""Compares the orders of simulated months with what was really broken: found, missed, how late, the right part, false.

An order belongs to a fault when it is opened (or reopened) on the broken asset, or on one that feeds or is fed by it,
from the moment the part breaks until `RECOVERY` after its repair. A day of an asset is healthy when no such fault
touches it; an order on such a day is false.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import msgspec

from facility.instant import from_us
from facility.registry import Registry

RECOVERY = timedelta(hours=12)
"""How long after the repair what happens still belongs to the fault: plant and occupants have to settle."""
DIAGNOSES = 3
"""Whoever is sent reads the first three: the broken part must be among them."""
_US = timedelta(microseconds=1)


class Truth(msgspec.Struct, frozen=True):
    """A part that was broken from `from_us` to `until_us` (event time, microseconds)."""

    asset_id: str
    fault: str
    component: str
    severity: float
    from_us: int
    until_us: int


class Call(msgspec.Struct, frozen=True):
    """Somebody was sent: an order was opened or reopened at `at_us`."""

    asset_id: str
    rule_id: str
    diagnoses: tuple[str, ...]
    at_us: int


class FaultScore(msgspec.Struct, frozen=True):
    """What became of one fault. `delay_s` to the first order on the broken asset, None when there was none.

    `elsewhere` counts the orders it led to on assets that feed or are fed by the broken one.
    """

    month: str
    truth: Truth
    delay_s: float | None
    right: bool
    rules: tuple[str, ...]
    elsewhere: tuple[str, ...]


class FalseCall(msgspec.Struct, frozen=True):
    """An order on a healthy day of an asset."""

    month: str
    call: Call


class Month(msgspec.Struct, frozen=True):
    """One scenario lived through once. `healthy_days` counts asset-days."""

    name: str
    days: int
    healthy_days: int
    faults: tuple[FaultScore, ...]
    false_calls: tuple[FalseCall, ...]

    @property
    def false_rate(self) -> float:
        """False orders per healthy asset-day."""
        return len(self.false_calls) / self.healthy_days if self.healthy_days else 0.0


def judge_month(
    name: str, registry: Registry, truths: Sequence[Truth], calls: Sequence[Call], begin_us: int, end_us: int
) -> Month:
    """Score the calls of one stretch of time against its truths."""
    related = {truth: _related(registry, truth.asset_id) for truth in truths}
    false: list[FalseCall] = []
    owned: dict[Truth, list[Call]] = {truth: [] for truth in truths}
    touched = _touched_days(registry, related)
    for call in sorted(calls, key=lambda one: one.at_us):
        owners = [
            truth for truth in truths if call.asset_id in related[truth] and truth.from_us <= call.at_us <= _end(truth)
        ]
        direct = [truth for truth in owners if truth.asset_id == call.asset_id]
        for truth in direct or owners:
            owned[truth].append(call)
        if not owners and (call.asset_id, _day(registry, call.asset_id, call.at_us)) not in touched:
            false.append(FalseCall(name, call))
    last_us = max(begin_us, end_us - 1)
    days = {(asset, day) for asset in registry.assets for day in _days(registry, asset, begin_us, last_us)}
    return Month(
        name=name,
        days=round((end_us - begin_us) * _US / timedelta(days=1)),
        healthy_days=len(days - touched),
        faults=tuple(_fault(name, truth, owned[truth]) for truth in truths),
        false_calls=tuple(false),
    )


def _fault(name: str, truth: Truth, calls: Sequence[Call]) -> FaultScore:
    own = [call for call in calls if call.asset_id == truth.asset_id]
    return FaultScore(
        month=name,
        truth=truth,
        delay_s=(own[0].at_us - truth.from_us) / 1e6 if own else None,
        right=any(names(truth.component, call.diagnoses[:DIAGNOSES]) for call in own),
        rules=tuple(dict.fromkeys(call.rule_id for call in own)),
        elsewhere=tuple(dict.fromkeys(f"{call.asset_id} {call.rule_id}" for call in calls if call not in own)),
    )


def names(component: str, diagnoses: Iterable[str]) -> bool:
    """Whether one of the diagnoses names the part."""
    return any(component.casefold() in diagnosis.casefold() for diagnosis in diagnoses)


def _end(truth: Truth) -> int:
    return truth.until_us + RECOVERY // _US


def _related(registry: Registry, asset_id: str) -> frozenset[str]:
    """The asset, all that feeds, holds or controls it, and all that it feeds, holds or controls, however far away."""
    below, queue = {asset_id}, [asset_id]
    while queue:
        current = registry.assets[queue.pop()]
        for other in (*registry.children(current.id), *current.feeds, *current.controls):
            if other not in below:
                below.add(other)
                queue.append(other)
    return frozenset(below | set(registry.explainers(asset_id)))


def _touched_days(registry: Registry, related: Mapping[Truth, frozenset[str]]) -> set[tuple[str, date]]:
    return {
        (asset, day)
        for truth, assets in related.items()
        for asset in assets
        for day in _days(registry, asset, truth.from_us, _end(truth))
    }


def _day(registry: Registry, asset_id: str, at_us: int) -> date:
    return from_us(at_us).astimezone(registry.buildings[registry.assets[asset_id].building_id].zone).date()


def _days(registry: Registry, asset_id: str, begin_us: int, end_us: int) -> list[date]:
    """The local days from one instant to another, both included."""
    first, last = _day(registry, asset_id, begin_us), _day(registry, asset_id, end_us)
    return [first + timedelta(days=index) for index in range((last - first).days + 1)]
