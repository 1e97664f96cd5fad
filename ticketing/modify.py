"""The limits of one order: those of its level, changed by the contract's modifiers in their stated order. Pure.

Every step leaves a line, which the explanation of the deadline shows.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from facility.instant import to_us
from ticketing.contract import NamedClock, Promise, ServiceLevel
from ticketing.limit import LONGEST, Limit, LimitUnit, format_limit
from ticketing.limit_zh import hours_zh, limit_zh
from ticketing.said import Said
from ticketing.terms import Circumstances, Declared, DeclaredKind, Modifier, ModifierKind

_SECOND = timedelta(seconds=1)
_COLOURS_ZH = {"red": "红色", "orange": "橙色", "yellow": "黄色", "blue": "蓝色"}


def modify(
    level: ServiceLevel, modifiers: Iterable[Modifier], declared: Iterable[Declared], facts: Circumstances
) -> ServiceLevel:
    """The level as it holds for one order: limits, priority, and the times of force majeure that were declared."""
    known = [one for one in declared if one.concerns(facts.building_id, facts.asset_id)]
    changed = replace(
        level,
        force_majeure=tuple(
            (one.from_at, one.until_at) for one in known if one.kind is DeclaredKind.FORCE_MAJEURE
        ),
    )  # fmt: skip
    for modifier in modifiers:
        why = _applies(modifier, level, known, facts)
        if why is not None:
            changed = _apply(changed, modifier, why)
    return _planned(changed, facts)


def _applies(
    modifier: Modifier, level: ServiceLevel, declared: Iterable[Declared], facts: Circumstances
) -> Said | None:
    """Why a modifier applies, in words; None when it does not."""
    if modifier.levels and level.id not in modifier.levels:
        return None
    if modifier.kind is ModifierKind.KEY_EQUIPMENT:
        return Said("key equipment", "关键设备") if facts.key_equipment else None
    if modifier.kind is ModifierKind.OFF_PEAK and modifier.calendar is not None:
        at_us = to_us(facts.opened_at)
        is_open = modifier.calendar.next_open_us(at_us) == at_us and modifier.calendar.elapsed_us(at_us, at_us + 1)
        name = modifier.calendar.name
        return None if is_open else Said(f"opened outside the hours of {name}", f"在 {name} 的工作时间之外开单")
    warned = {one.warning for one in declared if one.kind is DeclaredKind.WEATHER and one.holds(facts.opened_at)}
    named = sorted(warned & modifier.warnings)
    return Said(f"{named[0]} weather warning", f"{_COLOURS_ZH.get(named[0], named[0])}天气预警") if named else None


def _apply(level: ServiceLevel, modifier: Modifier, why: Said) -> ServiceLevel:
    def changed(name: str, promise: Promise) -> Promise:
        if modifier.clocks and name not in modifier.clocks:
            return promise
        limit = scale(promise.limit, modifier.factor, modifier.add)
        if limit == promise.limit:
            return promise
        clause = f", clause {modifier.clause}" if modifier.clause else ""
        how = [f"x {modifier.factor}"] if modifier.factor != 1 else []
        how += [f"+ {format_limit(Limit(LimitUnit.CALENDAR, modifier.add))}"] if modifier.add else []
        clause_zh = f"，条款 {modifier.clause}" if modifier.clause else ""
        how_zh = [f"× {modifier.factor}"] if modifier.factor != 1 else []
        how_zh += [f"+ {hours_zh(modifier.add)}"] if modifier.add else []
        step = Said(
            f"{modifier.id}{clause} ({why.en}): {promise.limit} {' '.join(how)} is {limit}.",
            f"{modifier.id}{clause_zh}（{why.zh}）："
            f"{limit_zh(promise.limit)} {' '.join(how_zh)}，即 {limit_zh(limit)}。",
        )
        return replace(promise, limit=limit, steps=(*promise.steps, step))

    return replace(
        level,
        priority=max(1, level.priority - modifier.priority_up),
        response=changed("response", level.response),
        resolution=changed("resolution", level.resolution),
        clocks=tuple(replace(one, promise=changed(one.name, one.promise)) for one in level.clocks),
    )


def scale(limit: Limit, factor: Decimal, add: timedelta = timedelta(0)) -> Limit:
    """A limit times a factor, plus a time. Open days stay whole (rounded up) and take no time on top."""
    if limit.days:
        return replace(limit, days=min(3660, max(1, int((limit.days * factor).to_integral_value(ROUND_CEILING)))))
    seconds = Decimal(limit.duration // _SECOND) * factor
    duration = timedelta(seconds=int(seconds.to_integral_value(ROUND_CEILING))) + add
    return replace(limit, duration=min(duration, LONGEST))


def _planned(level: ServiceLevel, facts: Circumstances) -> ServiceLevel:
    """A visit of the preventive plan is due by the end of its day, whatever the level says."""
    due_at = facts.planned_due_at
    if due_at is None:
        return level
    limit = Limit(LimitUnit.CALENDAR, max(timedelta(0), due_at - facts.opened_at))
    step = Said(
        "A visit of the preventive plan: its limit runs to the end of the day it is planned for.",
        "计划保养：时限至计划当日结束。",
    )
    planned = Promise(limit, frozenset(), steps=(step,))
    return replace(level, response=planned, resolution=planned)


def clock_names(level: ServiceLevel) -> tuple[str, ...]:
    """Every clock of a level by name."""
    return ("response", "resolution", *(one.name for one in level.clocks))


def find_clock(level: ServiceLevel, name: str) -> NamedClock | None:
    """A named clock of a level, beside response and resolution."""
    return next((one for one in level.clocks if one.name == name), None)
