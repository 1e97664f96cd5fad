"""A table that somebody exports from a spreadsheet, read cell by cell: a problem says row, column, what to do. Pure."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from facility.errors import InputError, Problem
from facility.fields import unknown

MOST_ROWS = 100_000
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: its number in the file (the heads are line 1) and its cells by column."""

    line: int
    cells: Mapping[str, str] = field(hash=False)


class Table:
    """The rows of a table, and every problem found in it. `where` names the file."""

    def __init__(self, where: str, columns: Sequence[str], rows: Sequence[Row], heads: Sequence[str]) -> None:
        self.where, self.columns, self.rows, self._heads = where, tuple(columns), tuple(rows), tuple(heads)
        self.problems: list[Problem] = []

    def refuse(self, row: Row, column: str, what: str, hint: str) -> None:
        """Note a problem of one cell."""
        number = self._heads.index(column) + 1 if column in self._heads else None
        self.problems.append(Problem(self.where, what, hint, column, row.line, number))

    def word(
        self, row: Row, column: str, known: Iterable[str] | None = None, *, noun: str = "", default: str = ""
    ) -> str:
        """A cell's text; one that is not among the `known` is refused with the nearest that is."""
        text = row.cells.get(column, "") or default
        names = list(known) if known is not None else None
        if names is not None and text and text not in names:
            self.refuse(row, column, unknown(noun or column, text, names), "Correct the cell.")
        return text

    def needed(self, row: Row, column: str, known: Iterable[str] | None = None, *, noun: str = "") -> str:
        """A cell that may not be empty."""
        if not row.cells.get(column, ""):
            self.refuse(row, column, "the cell is empty", f"Every line needs its {column}.")
            return ""
        return self.word(row, column, known, noun=noun)

    def words(self, row: Row, column: str, known: Iterable[str] | None = None, *, noun: str = "") -> list[str]:
        """Several texts in one cell, with semicolons between them."""
        found = [part.strip() for part in row.cells.get(column, "").split(";") if part.strip()]
        names = list(known) if known is not None else None
        for one in found:
            if names is not None and one not in names:
                self.refuse(row, column, unknown(noun or column, one, names), "Correct the cell.")
        return found

    def day(self, row: Row, column: str) -> date | None:
        """A date; None for an empty cell."""
        text = row.cells.get(column, "")
        return self.parsed(row, column, text, date.fromisoformat, "a date such as 2026-03-31") if text else None

    def parsed(self, row: Row, column: str, text: str, parse: Callable[[str], Value], expected: str) -> Value | None:
        """What a function makes of a text; refused when it cannot."""
        try:
            return parse(text)
        except ValueError:
            self.refuse(row, column, f"{text!r} is not {expected}", f"Write {expected}.")
            return None

    def unique(self, column: str) -> None:
        """Refuse a second line with the same text in a column."""
        seen: dict[str, int] = {}
        for row in self.rows:
            text = row.cells.get(column, "")
            if text and text in seen:
                what = f"{text!r} is also on line {seen[text]}"
                self.refuse(row, column, what, "Give each line its own, or leave one out.")
            seen.setdefault(text, row.line)

    def finish(self) -> None:
        """Raise InputError with every problem, in the order of the lines."""
        if self.problems:
            raise InputError(sorted(self.problems, key=lambda one: (one.line or 0, one.column or 0)))


def read_table(content: bytes, where: str, columns: Sequence[str], needed: Sequence[str]) -> Table:
    """The table of a CSV file: UTF-8 or GB 18030, with commas, semicolons or tabs. Raises InputError.

    A line without any text is left out. A column we do not know, or one that is missing, is refused by name.
    """
    text = _decoded(content, where)
    first = text.split("\n", 1)[0]
    comma = max(",;\t", key=first.count)
    lines = csv.reader(io.StringIO(text), delimiter=comma)
    heads = [head.strip().lower() for head in next(lines, [])]
    problems = [
        Problem(where, unknown("column", head, columns), "Correct its head, or take the column out.", head, 1, index)
        for index, head in enumerate(heads, 1)
        if head not in columns
    ]
    problems += [
        Problem(where, f"the column {name!r} is missing", f"Heads are: {', '.join(columns)}.", name, 1)
        for name in needed
        if name not in heads
    ]
    if problems:
        raise InputError(problems)
    rows = []
    for cells in lines:
        if any(cell.strip() for cell in cells):
            if len(cells) > len(heads):
                what = f"the line has {len(cells)} cells, the heads {len(heads)}"
                problems.append(Problem(where, what, "Put a text with a comma in quotes.", "", lines.line_num))
            rows.append(Row(lines.line_num, dict(zip(heads, (cell.strip() for cell in cells), strict=False))))
        if len(rows) > MOST_ROWS:
            problems.append(Problem(where, f"more than {MOST_ROWS:,} lines", "Split the file.", "", lines.line_num))
            break
    if not rows and not problems:
        problems.append(Problem(where, "there is no line below the heads", "Add one.", "", 1))
    if problems:
        raise InputError(problems)
    return Table(where, columns, rows, heads)


def _decoded(content: bytes, where: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError([Problem(where, "the file is neither UTF-8 nor GB 18030", "Save it as CSV UTF-8.")])
