"""A report as PDF through reportlab (extra `report`). Chinese text uses a CID font, so nothing is embedded.

STSong-Light is one of the fonts that every PDF reader brings (Adobe's Asian font packs, poppler-data).
"""

import io
from collections.abc import Sequence
from html import escape
from typing import Any

from facility.errors import PermanentError
from ticketing.report import Report
from ticketing.report_tables import (
    Series,
    Table,
    advice_lines,
    figure_table,
    group_table,
    penalty_table,
    trend_series,
)
from ticketing.report_words import Words, number, words_of

LATIN, CHINESE = "Helvetica", "STSong-Light"
_WIDTH, _HEIGHT = 240.0, 110.0


def pdf_report(report: Report, language: str = "en") -> bytes:
    """The file in English or Chinese (`zh`). Raises PermanentError without reportlab."""
    try:
        from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415 - an extra that few need
        from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        msg = "a PDF needs reportlab; pip install 'plantroom[report]', or ask for html or csv"
        raise PermanentError(msg) from error
    pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))
    return _Paper(report, words_of(language)).draw()


class _Paper:
    def __init__(self, report: Report, words: Words) -> None:
        from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415 - an extra that few need

        self._report, self._words = report, words
        self._styles = {
            name: ParagraphStyle(
                name, fontName=LATIN, fontSize=size, leading=size * 1.35, spaceBefore=before, spaceAfter=4
            )
            for name, size, before in (("title", 17, 0), ("head", 12, 12), ("text", 9, 0), ("cell", 7.5, 0))
        }

    def draw(self) -> bytes:
        from reportlab.lib.pagesizes import A4  # noqa: PLC0415 - an extra that few need
        from reportlab.platypus import SimpleDocTemplate  # noqa: PLC0415 - as above

        out = io.BytesIO()
        title = f"{self._words.report} {self._report.period}"
        paper = SimpleDocTemplate(
            out, pagesize=A4, leftMargin=42, rightMargin=42, topMargin=42, bottomMargin=42, title=title,
            author="Plantroom", invariant=1,
        )  # fmt: skip
        paper.build(self._story(title))
        return out.getvalue()

    def _story(self, title: str) -> list[Any]:
        report, words = self._report, self._words
        running = "" if report.complete else f" {words.running}"
        story = [
            self._text(title, "title"),
            self._text(report.title),
            self._text(f"{words.made} {report.now:%Y-%m-%d %H:%M} UTC.{running}"),
            self._text(words.change, "head"),
            *(self._text(f"{index}. {line}") for index, line in enumerate(advice_lines(report, words), 1)),
            *self._table(figure_table(report, words), (200, 120, 90, 100)),
            self._text(words.trend, "head"),
            *self._plots(trend_series(report, words)),
        ]
        for by in report.groups:
            story += self._table(group_table(report, by, words), (75, *[45.5] * 10))
        penalties = penalty_table(report, words)
        if penalties.rows:
            story += self._table(penalties, (50, 100, 80, 80, 200))
        else:
            story += [self._text(words.penalties, "head"), self._text(words.none)]
        return story

    def _text(self, text: str, style: str = "text") -> Any:  # noqa: ANN401 - reportlab has no types
        from reportlab.platypus import Paragraph  # noqa: PLC0415 - an extra that few need

        return Paragraph(_marked(text), self._styles[style])

    def _table(self, table: Table, widths: Sequence[float]) -> list[Any]:
        from reportlab.lib.colors import HexColor  # noqa: PLC0415 - an extra that few need
        from reportlab.platypus import Table as Grid  # noqa: PLC0415 - as above

        cells = [[self._text(cell, "cell") for cell in row] for row in (table.heads, *table.rows)]
        style: list[tuple[Any, ...]] = [
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor("#dde3ea")),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("BACKGROUND", (0, 0), (-1, 0), HexColor("#eef2f7")),
            *(("BACKGROUND", (1, index + 1), (1, index + 1), HexColor("#fbe3e1")) for index in table.missed),
        ]
        grid = Grid(cells, colWidths=list(widths), repeatRows=1, style=style, hAlign="LEFT")
        return [self._text(table.title, "head"), grid]

    def _plots(self, series: Sequence[Series]) -> list[Any]:
        from reportlab.platypus import Table as Grid  # noqa: PLC0415 - an extra that few need

        drawn = [_plot(one) for one in series]
        rows = [drawn[index : index + 2] for index in range(0, len(drawn), 2)]
        rows[-1] += [""] * (2 - len(rows[-1]))
        return [Grid(rows, colWidths=[_WIDTH + 15] * 2, hAlign="LEFT")]


def _plot(one: Series) -> Any:  # noqa: ANN401 - reportlab has no types
    from reportlab.graphics.shapes import Circle, Drawing, Line, PolyLine, String  # noqa: PLC0415 - an extra that few need
    from reportlab.lib.colors import HexColor  # noqa: PLC0415 - as above

    blue, red, grey = HexColor("#1f6feb"), HexColor("#b3261e"), HexColor("#c9d1db")
    known = [value for _, value in one.points if value is not None]
    every = [*known, *([one.target] if one.target is not None else [])]
    low, high = min(every, default=0.0), max(every, default=1.0)
    low, high = (low - 1, high + 1) if low == high else (low, high)
    left, bottom, top = 34.0, 16.0, _HEIGHT - 18
    step = (_WIDTH - left - 8) / max(1, len(one.points) - 1)

    def y(value: float) -> float:
        return bottom + (top - bottom) * (value - low) / (high - low)

    drawing = Drawing(_WIDTH, _HEIGHT)

    def write(x: float, at: float, text: str, size: float, anchor: str = "start") -> None:
        drawing.add(String(x, at, text, fontName=_font(text), fontSize=size, textAnchor=anchor))

    write(2, _HEIGHT - 10, f"{one.title} ({one.unit})" if one.unit else one.title, 8)
    for value in (low, (low + high) / 2, high):
        drawing.add(Line(left, y(value), _WIDTH - 8, y(value), strokeColor=grey, strokeWidth=0.4))
        write(left - 3, y(value) - 2, number(value), 6, "end")
    if one.target is not None:
        line = Line(
            left, y(one.target), _WIDTH - 8, y(one.target), strokeColor=red, strokeWidth=0.8, strokeDashArray=[3, 2]
        )
        drawing.add(line)
    run: list[float] = []
    for index, (label, found) in enumerate((*one.points, ("", None))):
        if found is not None:
            x = left + index * step
            run += [x, y(found)]
            drawing.add(Circle(x, y(found), 1.8, fillColor=blue, strokeColor=None))
        elif run:
            if len(run) > 2:
                drawing.add(PolyLine(run, strokeColor=blue, strokeWidth=1.2))
            run = []
        if index in (0, len(one.points) - 1):
            write(left + index * step, 4, label, 6, "start" if index == 0 else "end")
    return drawing


def _font(text: str) -> str:
    return LATIN if all(ord(one) < 0x2E80 for one in text) else CHINESE


def _marked(text: str) -> str:
    """The text with every stretch that Helvetica does not have in the Chinese font."""
    out, stretch = "", ""
    for one in text:
        if ord(one) >= 0x2E80:
            stretch += one
            continue
        if stretch:
            out, stretch = f'{out}<font name="{CHINESE}">{escape(stretch)}</font>', ""
        out += escape(one)
    return f'{out}<font name="{CHINESE}">{escape(stretch)}</font>' if stretch else out
