"""What stands in a report, as tables of text that HTML, PDF and CSV share. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from ticketing.kpi import DEFINITIONS, By, Definition
from ticketing.report import Report
from ticketing.report_words import ZH, Words, clock_of, is_missed, name_of, number, shown, unit_of

TRENDS = ("response_compliance", "resolution_compliance", "mean_response", "mttr", "repeat_faults", "backlog",
          "preventive_compliance", "complaints", "satisfaction", "nps")  # fmt: skip
GROUPS = ("faults", "response_compliance", "resolution_compliance", "mttr", "mtbf", "repeat_faults", "complaints",
          "satisfaction", "costs", "penalties")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, its columns, its rows; `missed` are the rows that miss their target."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    missed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Series:
    """One figure over the periods, to be plotted."""

    title: str
    unit: str
    points: tuple[tuple[str, float | None], ...]
    target: float | None


def defined(names: Iterable[str]) -> list[Definition]:
    """The definitions of these figures, in this order."""
    known = {one.id: one for one in DEFINITIONS}
    return [known[name] for name in names]


def figure_table(report: Report, words: Words) -> Table:
    """Every figure with its target and the period before."""
    before = report.trend[-2][1] if len(report.trend) > 1 else {}
    rows = []
    for one in DEFINITIONS:
        target = f"{number(one.target)} {unit_of(one, words)}".strip() if one.target is not None else ""
        found = report.figures[one.id]
        rows.append((name_of(one, words), shown(one, found, words), target, shown(one, before.get(one.id), words)))
    missed = frozenset(index for index, one in enumerate(DEFINITIONS) if is_missed(one, report.figures[one.id]))
    return Table(words.figures, (words.figure, words.value, words.target, words.before), tuple(rows), missed)


def group_table(report: Report, by: By, words: Words) -> Table:
    """The figures that groups are told apart by."""
    heads = ("", *(name_of(one, words) for one in defined(GROUPS)))
    rows = tuple(
        (group_name(report, by, name, words), *(shown(one, found[one.id], words) for one in defined(GROUPS)))
        for name, found in report.groups[by].items()
    )
    return Table(words.groups[by], heads, rows)


def group_name(report: Report, by: By, name: str, words: Words) -> str:
    """What a group is called in a language; its id when it has no name."""
    said = report.labels.get((by, name))
    return said.to(words.lang) if said is not None else name


def penalty_table(report: Report, words: Words) -> Table:
    """Every penalty with its clause, its breach and how it came about, and the totals."""
    rows = [
        (one.clause, f"{one.breach.number} {clock_of(one.breach.clock, words)}", f"{one.breach.due_at:%Y-%m-%d %H:%M}Z",
         f"{one.amount:,.2f} {one.currency}", one.reason_zh if words is ZH else one.reason)
        for one in report.penalties
    ]  # fmt: skip
    money = report.figures["penalties"].money
    rows += [(words.total, "", "", f"{amount:,.2f} {currency}", "") for currency, amount in sorted(money.items())]
    return Table(words.penalties, (words.clause, words.breach, words.due, words.amount, ""), tuple(rows))


def trend_series(report: Report, words: Words) -> list[Series]:
    """The figures that are plotted over the periods."""
    return [
        Series(
            name_of(one, words),
            unit_of(one, words),
            tuple((str(period), found[one.id].value) for period, found in report.trend),
            one.target,
        )
        for one in defined(TRENDS)
    ]


def advice_lines(report: Report, words: Words) -> list[str]:
    """The things to change, and the corrective actions that are due."""
    chosen = [one.text_zh if words.lang.startswith("zh") else one.text for one in report.advice]
    due = [words.corrective.format(month=one.month, breaches=one.breaches) for one in report.correctives]
    return [*(chosen or [words.nothing]), *due]
