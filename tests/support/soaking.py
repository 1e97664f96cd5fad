"""The one generated table of docs/reliability.md: what was done, how it went, what was counted, and when."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

BEGIN = "<!-- begin: written by make soak -->"
END = "<!-- end: written by make soak -->"
Begin = Callable[[str], dict[str, int]]
"""Begins a line about something (the fixture `soak_row`), and gives what to count into."""
HEAD = ("| what | result | counted | date |", "|---|---|---|---|")


@dataclass(slots=True)
class SoakRow:
    """One line of the matrix. A test adds to `counted` as it goes; a line that never began is left as it was."""

    what: str
    counted: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if "|" in self.what or not self.what:
            msg = f"what is {self.what!r}; expected some words without |"
            raise ValueError(msg)


def format_row(row: SoakRow, *, passed: bool, on: date) -> str:
    """The line of the table."""
    counted = ", ".join(f"{value:,} {name}" for name, value in row.counted.items())
    return f"| {row.what} | {'passed' if passed else '**failed**'} | {counted} | {on.isoformat()} |"


def with_row(page: str, row: SoakRow, *, passed: bool, on: date) -> str:
    """The page with this line: in place of the one about the same thing, else at the end of the table.

    Raises ValueError for a page without the two marks.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        msg = f"the page must hold {BEGIN!r} and {END!r} once each"
        raise ValueError(msg)
    before, _, rest = page.partition(BEGIN)
    table, _, after = rest.partition(END)
    rows: Mapping[str, str] = {_what(line): line for line in table.splitlines() if line.startswith("| ")}
    kept = {what: line for what, line in rows.items() if what != "what"}
    kept[row.what] = format_row(row, passed=passed, on=on)
    return before + "\n".join([BEGIN, *HEAD, *kept.values(), END]) + after


def _what(line: str) -> str:
    return line.split("|")[1].strip()
