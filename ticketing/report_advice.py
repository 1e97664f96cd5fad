"""The three things to change: where a period misses its targets most, and who or what is behind it. Pure.

Each figure that missed its target is a candidate; its weight is the share of the target that is lacking, and half of
that again when it is worse than the period before. Beside them: what came back most, and what cost most.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ticketing.kpi import DEFINITIONS, Better, By, Definition
from ticketing.kpi_figure import Figure
from ticketing.penalty import Penalty
from ticketing.report_words import UNITS_ZH
from ticketing.said import Said

Figures = Mapping[str, Figure]
Groups = Mapping[By, Mapping[str, Figures]]
Labels = Mapping[tuple[By, str], Said]


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to change, in both languages, and how much it weighs."""

    figure_id: str
    weight: float
    text: str
    text_zh: str


def advise(
    now: Figures,
    before: Figures,
    groups: Groups,
    penalties: Sequence[Penalty],
    labels: Labels | None = None,
    count: int = 3,
) -> list[Advice]:
    """The heaviest, at most `count`, one for each figure; none when every target was met."""
    found = [*_missed(now, before, groups, labels or {}), *_costly(penalties)]
    return sorted(found, key=lambda one: (-one.weight, one.figure_id))[:count]


def _missed(now: Figures, before: Figures, groups: Groups, labels: Labels) -> Iterable[Advice]:
    for one in DEFINITIONS:
        value = now[one.id].value
        if one.target is None or value is None or not _misses(one, value):
            continue
        lacking = abs(value - one.target) / one.target if one.target else 1.0
        last = before[one.id].value if one.id in before else None
        is_worse = last is not None and (value < last if one.better is Better.HIGHER else value > last)
        worst = _worst(one, groups)
        change = "" if last is None else f", {_shown(last)} {one.unit} before"
        unit_zh = UNITS_ZH.get(one.unit, one.unit)
        change_zh = "" if last is None else f"，上期 {_shown(last)} {unit_zh}"
        who = f" Begin with {worst[0].value} {worst[1]} ({_shown(worst[2])} {one.unit})." if worst is not None else ""
        who_zh = _first_zh(worst, unit_zh, labels) if worst is not None else ""
        yield Advice(
            one.id,
            lacking * (1.5 if is_worse else 1.0),
            f"{one.name} is {_shown(value)} {one.unit}; the target is {_shown(one.target)} {one.unit}{change}.{who}",
            f"{one.name_zh}为 {_shown(value)} {unit_zh}，目标 {_shown(one.target)} {unit_zh}{change_zh}。{who_zh}",
        )


def _first_zh(worst: tuple[By, str, float], unit_zh: str, labels: Labels) -> str:
    by, name, value = worst
    said = labels.get((by, name))
    return f"先从{_BY_ZH[by]} {said.zh if said is not None else name}（{_shown(value)} {unit_zh}）着手。"


def _costly(penalties: Sequence[Penalty]) -> Iterable[Advice]:
    """The clause that cost most, of those that cost anything."""
    totals: dict[tuple[str, str], float] = {}
    for one in penalties:
        key = one.clause, one.currency
        totals[key] = totals.get(key, 0.0) + float(one.amount)
    if not totals or not max(totals.values()):
        return
    (clause, currency), amount = max(totals.items(), key=lambda item: (item[1], item[0]))
    whole = sum(value for (_, money), value in totals.items() if money == currency)
    number = sum(1 for one in penalties if one.clause == clause and one.amount)
    share = 100 * amount / whole
    yield Advice(
        "penalties",
        0.005 * share,
        f"Clause {clause} cost {amount:,.2f} {currency} in {number} breaches, {share:.0f} % of all penalties.",
        f"条款 {clause} 产生违约金 {amount:,.2f} {currency}（{number} 次违约），占全部的 {share:.0f} %。",
    )


def _worst(one: Definition, groups: Groups) -> tuple[By, str, float] | None:
    """The group that is worst, of those that hold at least a tenth of what the figure counts."""
    found: list[tuple[float, By, str, float]] = []
    for by, named in groups.items():
        if len(named) < 2:
            continue
        whole = sum(each[one.id].base for each in named.values())
        for name, each in named.items():
            figure = each[one.id]
            if figure.value is not None and figure.base * 10 >= whole and _misses(one, figure.value):
                found.append((abs(figure.value - (one.target or 0.0)), by, name, figure.value))
    if not found:
        return None
    _, by, name, value = max(found, key=lambda item: (item[0], item[1], item[2]))
    return by, name, value


def _misses(one: Definition, value: float) -> bool:
    if one.target is None or one.better is Better.NEITHER:
        return False
    return value < one.target if one.better is Better.HIGHER else value > one.target


def _shown(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


_BY_ZH = {By.ALL: "", By.BUILDING: "楼宇", By.CLASS: "设备类别", By.SUPPLIER: "供应商"}
