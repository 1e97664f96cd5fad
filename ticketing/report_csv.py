"""A report as CSV for a spreadsheet: one line a figure and group, and the penalties. Pure."""

import csv
import io
from collections.abc import Iterator

from ticketing.kpi import DEFINITIONS
from ticketing.report import Report

HEADS = ("period", "by", "group", "figure", "unit", "value", "over", "base", "currency", "clause", "breach", "reason")


def csv_report(report: Report, language: str = "en") -> str:
    """UTF-8 with a mark in front, so that spreadsheets show Chinese; a figure of nothing has an empty value."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADS)
    for row in _rows(report, language):
        writer.writerow([_safe(cell) for cell in row])
    return f"\ufeff{out.getvalue()}"


def _rows(report: Report, language: str) -> Iterator[tuple[object, ...]]:
    scopes = [("all", "all", report.figures)]
    scopes += [(by.value, name, found) for by, named in report.groups.items() for name, found in named.items()]
    for by, name, found in scopes:
        for one in DEFINITIONS:
            figure = found[one.id]
            start = (str(report.period), by, name, one.id, one.unit)
            if one.unit == "money":
                for currency, amount in sorted(figure.money.items()):
                    yield (*start, amount, "", "", currency, "", "", "")
            else:
                value = "" if figure.value is None else round(figure.value, 4)
                yield (*start, value, round(figure.over, 4), figure.base, "", "", "", "")
    for penalty in report.penalties:
        breach = f"{penalty.breach.number} {penalty.breach.clock}"
        start = (str(report.period), "penalty", penalty.breach.facts.building_id, "penalties", "money")
        reason = penalty.reason_zh if language.startswith("zh") else penalty.reason
        yield (*start, penalty.amount, "", "", penalty.currency, penalty.clause, breach, reason)


def _safe(cell: object) -> object:
    """A text that a spreadsheet would run as a formula gets a quote in front."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t") and len(cell) > 1 else cell
