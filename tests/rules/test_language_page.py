"""The reference of the language knows every function, and every example of it compiles."""

import pytest

from facility.catalogue import point_types
from rules.compiler import Compiler
from rules.functions import FUNCTIONS
from rules.language_page import EXAMPLES, language_page
from rules.program import Environment


def test_every_function_is_on_the_page_with_an_example() -> None:
    page = language_page()
    assert set(EXAMPLES) == set(FUNCTIONS)
    for name in FUNCTIONS:
        assert f"`{name}(" in page
    assert "| None |" not in page


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_says_what_it_shows(name: str) -> None:
    assert f"{name}(" in EXAMPLES[name]
    Compiler(Environment(point_types(), {})).condition(EXAMPLES[name])
