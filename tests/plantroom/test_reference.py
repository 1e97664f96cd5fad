"""Generated reference pages are what the code says."""

from pathlib import Path

import pytest

from plantroom.reference import PAGES
from plantroom.rule_tables import fill_tables

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_page_is_what_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


def test_the_tables_of_rules_are_what_the_rule_files_say() -> None:
    page = (DOCS / "rules.md").read_text(encoding="utf-8")
    assert fill_tables(page) == page, "run `make docs`"
