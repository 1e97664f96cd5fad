"""The one generated table of docs/reliability.md keeps a line for each thing that was done."""

from datetime import date

import pytest
from running import ROOT
from soaking import BEGIN, END, SoakRow, format_row, with_row

ON = date(2026, 11, 26)
PAGE = f"# Page\n\n{BEGIN}\n{END}\n\n| another | table |\n|---|---|\n| a | b |\n"


def test_a_line_is_added_at_the_end_and_replaced_in_its_place() -> None:
    page = PAGE
    for what, count in (("one", 1000), ("two", 2), ("one", 3000)):
        page = with_row(page, SoakRow(what, {"kills": count}), passed=True, on=ON)
    table = page.split(BEGIN)[1].split(END)[0].strip().splitlines()
    assert table == [
        "| what | result | counted | date |",
        "|---|---|---|---|",
        "| one | passed | 3,000 kills | 2026-11-26 |",
        "| two | passed | 2 kills | 2026-11-26 |",
    ]
    assert page.split(END)[1] == PAGE.split(END)[1], "what people wrote stays"


def test_a_test_that_failed_says_so() -> None:
    assert format_row(SoakRow("one"), passed=False, on=ON) == "| one | **failed** |  | 2026-11-26 |"


def test_a_page_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="must hold"):
        with_row("# Page\n", SoakRow("one"), passed=True, on=ON)


def test_the_page_has_one_table_between_the_marks_and_every_line_says_all() -> None:
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    before, table = page.split(BEGIN)
    table, after = table.split(END)
    assert "| passed |" not in before + after, "no result stands outside the table"
    for line in table.strip().splitlines():
        assert line.count("|") == 5, line
