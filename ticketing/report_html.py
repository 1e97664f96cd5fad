"""A report as one HTML page: no script, no request to anywhere, plots drawn as SVG. Pure."""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape

from ticketing.kpi import DEFINITIONS, By
from ticketing.report import Report
from ticketing.report_plot import bar_plot, line_plot
from ticketing.report_tables import (
    Table,
    advice_lines,
    figure_table,
    group_name,
    group_table,
    penalty_table,
    trend_series,
)
from ticketing.report_words import ZH, Words, name_of, words_of

_STYLE = """
body{font:15px/1.45 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;color:#1c2430}
body{margin:2rem auto;max-width:70rem;padding:0 1rem}h1{font-size:1.6rem;margin:0}
h2{font-size:1.15rem;margin:2rem 0 .6rem}ol{padding-left:1.3rem}dt{font-weight:600;margin-top:.5rem}dd{margin:0}
table{border-collapse:collapse;width:100%;font-size:.9rem}.scroll{overflow-x:auto}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #dde3ea;vertical-align:top}
tr.missed td:nth-child(2){color:#b3261e;font-weight:600}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(18rem,1fr));gap:1rem}
svg{width:100%;height:auto}svg text{font-size:10px;fill:#4a5566}svg .title{font-size:12px;fill:#1c2430}
.grid{stroke:#e3e8ee}.line{fill:none;stroke:#1f6feb;stroke-width:1.8}.dot,.bar{fill:#1f6feb}
.target{stroke:#b3261e;stroke-dasharray:4 3}@media print{body{margin:0}}
"""

CONTENT_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy under which the page looks as it should, and does nothing else."""


def html_report(report: Report, language: str = "en") -> str:
    """The page in English or Chinese (`zh`)."""
    words = words_of(language)
    state = "" if report.complete else f" {words.running}"
    body = [
        f"<h1>{words.report} {report.period}</h1>",
        f"<p>{escape(report.title)}<br>{words.made} {report.now:%Y-%m-%d %H:%M} UTC.{state}</p>",
        f"<h2>{words.change}</h2><ol>{_items(advice_lines(report, words))}</ol>",
        _table(figure_table(report, words)),
        f'<h2>{words.trend}</h2><div class="plots">{"".join(_plots(report, words))}</div>',
        *(_table(group_table(report, by, words)) for by in report.groups),
        _bars(report, words),
        _table(penalty_table(report, words)) if report.penalties else f"<h2>{words.penalties}</h2><p>{words.none}</p>",
        f"<h2>{words.definition}</h2><dl>{_definitions(words)}</dl>",
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{words.report} {report.period}</title><style>{_STYLE}</style>"
    )
    return f'<!doctype html><html lang="{words.lang}"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def _items(lines: Iterable[str]) -> str:
    return "".join(f"<li>{escape(line)}</li>" for line in lines)


def _table(table: Table) -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in table.heads)
    rows = []
    for index, row in enumerate(table.rows):
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in row)
        rows.append(f'<tr class="missed">{cells}</tr>' if index in table.missed else f"<tr>{cells}</tr>")
    return (
        f'<h2>{escape(table.title)}</h2><div class="scroll"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _plots(report: Report, words: Words) -> Iterable[str]:
    return (line_plot(one.title, one.points, one.unit, one.target) for one in trend_series(report, words))


def _bars(report: Report, words: Words) -> str:
    """Faults by class, the most first."""
    found = report.groups[By.CLASS]
    named = ((group_name(report, By.CLASS, name, words), figures["faults"].value) for name, figures in found.items())
    bars = sorted(((name, value or 0.0) for name, value in named), key=lambda one: -one[1])
    (faults,) = (one for one in DEFINITIONS if one.id == "faults")
    title = f"{name_of(faults, words)}: {words.groups[By.CLASS]}"
    return f'<div class="plots">{bar_plot(title, bars[:12], "")}</div>' if bars else ""


def _definitions(words: Words) -> str:
    return "".join(
        f"<dt>{escape(name_of(one, words))}</dt><dd>{escape(one.text_zh if words is ZH else one.text)}</dd>"
        for one in DEFINITIONS
    )
