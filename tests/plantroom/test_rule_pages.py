"""docs/rules has a current page for every shipped rule, with a picture of it firing, and nothing else."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from plantroom.rule_pages import rule_pages
from rules.catalogue import shipped_files
from rules.rule_set import RuleSet

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "rules"
MOST_BYTES = 80_000


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """What `make docs` would write."""
    return rule_pages()


def test_every_page_and_picture_is_what_the_rules_say(pages: dict[str, str]) -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert sorted(written) == sorted(pages), "run `make docs`"
    assert [name for name in pages if pages[name] != written[name]] == [], "run `make docs`"


def test_every_rule_has_a_page_in_the_index_and_a_picture_of_it_firing(pages: dict[str, str]) -> None:
    for rule in RuleSet.load(shipped_files()).rules.values():
        page = pages[f"{rule.id}.md"]
        assert f"]({rule.id}.md)" in pages["README.md"]
        assert f"]({rule.id}.svg)" in page or not rule.program.points, rule.id
        assert all(f"`{name}`" in page for name in rule.parameters), rule.id
        assert rule.reference in page


def test_pictures_are_small_and_well_formed(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        if name.endswith(".svg"):
            assert len(text) < MOST_BYTES, name
            ElementTree.fromstring(text)  # noqa: S314 - our own text
