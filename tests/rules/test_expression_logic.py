"""What expressions say: three-valued logic, arithmetic, texts, lets. Unknown is never true."""

from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facility.catalogue import point_types
from facility.reading import Value
from rules.compiler import Compiler
from rules.program import Environment, Known

NAMES = ("run_status", "run_command", "tank_level", "relative_humidity", "door_status", "car_status")


def evaluate(text: str, values: Mapping[str, Value | None], lets: dict[str, str] | None = None) -> Known:
    """The result of a condition with these present values (missing ones are Unknown)."""
    compiler = Compiler(Environment(point_types(), {"limit": "%"}))
    for name, let in (lets or {}).items():
        compiler.let(name, let)
    program = compiler.finish(compiler.condition(text), None)
    constants = [50.0 for _ in program.constants]
    return program.when([values.get(name) for name in program.slots], constants, (), 0)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("tank_level > 95", {"tank_level": 96.0}, True),
        ("tank_level > 95", {"tank_level": 95.0}, False),
        ("tank_level > 95", {}, None),
        ("tank_level > limit", {"tank_level": 51.0}, True),
        ("10 < tank_level <= 20", {"tank_level": 20.0}, True),
        ("10 < tank_level <= 20", {"tank_level": 10.0}, False),
        ("20 < tank_level < relative_humidity", {"tank_level": 10.0}, False),
        ("5 < tank_level < relative_humidity", {"tank_level": 10.0}, None),
        ("tank_level / relative_humidity > 1", {"tank_level": 1.0, "relative_humidity": 0.0}, None),
        ("-tank_level < -5", {"tank_level": 6.0}, True),
        ("+tank_level - -1 == 7", {"tank_level": 6.0}, True),
        ("sqrt(tank_level) == 3", {"tank_level": 9.0}, True),
        ("sqrt(tank_level) == 3", {"tank_level": -9.0}, None),
        ("abs(tank_level - 5) == 2", {"tank_level": 3.0}, True),
        ("min(tank_level, relative_humidity, 7) == 3", {"tank_level": 3.0, "relative_humidity": 4.0}, True),
        ("max(tank_level, relative_humidity) > 0", {"tank_level": 3.0}, None),
        ('door_status == "open"', {"door_status": "open"}, True),
        ('door_status != "open"', {"door_status": "closed"}, True),
        ('door_status in ("open", "blocked")', {"door_status": "blocked"}, True),
        ('door_status not in ("open", "blocked")', {"door_status": "blocked"}, False),
        ('door_status in ("open", "blocked")', {}, None),
        ("tank_level in (1, 2)", {"tank_level": 2.0}, True),
        ("run_status", {"run_status": 1.0}, True),
        ("not run_status", {"run_status": 0.0}, True),
        ("run_status == 1 and run_command", {"run_status": 1.0, "run_command": 0.0}, False),
        ("(tank_level > 1) + (relative_humidity > 1) >= 2", {"tank_level": 2.0, "relative_humidity": 2.0}, True),
        ("(tank_level > 1) + (relative_humidity > 1) >= 1", {"tank_level": 2.0}, None),
        ("(relative_humidity if run_status else tank_level) > 3", {"run_status": 1.0, "relative_humidity": 4.0}, True),
        ("(relative_humidity if run_status else tank_level) > 3", {"run_status": 0.0, "relative_humidity": 4.0}, None),
        ("(relative_humidity if run_status else tank_level) > 3", {"tank_level": 9.0, "relative_humidity": 9.0}, None),
        ("True", {}, True),
        ("tank_level * 1e308 * 1e308 - tank_level * 1e308 * 1e308 > 0", {"tank_level": 2.0}, None),
    ],
)
def test_an_expression_gives(text: str, values: dict[str, Value | None], expected: bool | None) -> None:
    assert evaluate(text, values) is expected


@pytest.mark.parametrize(("left", "right"), list(product([True, False, None], repeat=2)))
def test_and_or_follow_kleene(left: bool | None, right: bool | None) -> None:
    values: dict[str, Value | None] = {
        "run_status": None if left is None else float(left),
        "run_command": None if right is None else float(right),
    }
    both = False if False in (left, right) else None if None in (left, right) else True
    either = True if True in (left, right) else None if None in (left, right) else False
    assert evaluate("run_status and run_command", values) is both
    assert evaluate("run_status or run_command", values) is either
    assert evaluate("not (run_status and run_command)", values) is (None if both is None else not both)


def test_a_let_is_known_in_later_lets_and_in_the_condition() -> None:
    lets = {"full": "tank_level > 90", "wasted": "full and relative_humidity > 1"}
    assert evaluate("wasted or not full", {"tank_level": 95.0, "relative_humidity": 2.0}, lets) is True
    assert evaluate("wasted", {"tank_level": 5.0}, lets) is False


def test_a_let_used_behind_a_short_circuit_is_still_known_afterwards() -> None:
    lets = {"full": "tank_level > 90"}
    text = "(run_status and full) or (full and relative_humidity > 1)"
    assert evaluate(text, {"run_status": 0.0, "tank_level": 95.0, "relative_humidity": 2.0}, lets) is True


CONDITIONS = st.recursive(
    st.sampled_from(
        ["run_status", "run_command == 1", "tank_level > relative_humidity", "tank_level < 3", 'door_status == "open"']
    ),
    lambda parts: st.one_of(
        st.tuples(parts, st.sampled_from(["and", "or"]), parts).map(lambda part: f"({part[0]} {part[1]} {part[2]})"),
        parts.map(lambda part: f"(not {part})"),
        st.tuples(parts, parts, parts).map(lambda part: f"({part[0]} if {part[1]} else {part[2]})"),
    ),
    max_leaves=8,
)
VALUES = st.fixed_dictionaries(
    {
        "run_status": st.sampled_from([None, 0.0, 1.0]),
        "run_command": st.sampled_from([None, 0.0, 1.0]),
        "tank_level": st.sampled_from([None, 1.0, 2.0, 5.0]),
        "relative_humidity": st.sampled_from([None, 1.0, 2.0, 5.0]),
        "door_status": st.sampled_from([None, "open", "closed"]),
    }
)


@settings(deadline=None)
@given(CONDITIONS, VALUES)
def test_a_missing_value_never_decides(text: str, values: dict[str, Value | None]) -> None:
    """What is known with a value missing stays so whatever that value turns out to be."""
    result = evaluate(text, values)
    if result is None:
        return
    for name, value in values.items():
        for other in (("open", "closed") if name == "door_status" else (0.0, 1.0, 4.0)) if value is None else ():
            assert evaluate(text, {**values, name: other}) is result


@settings(deadline=None)
@given(CONDITIONS, VALUES)
def test_with_every_value_known_it_means_what_python_means(text: str, values: dict[str, Value | None]) -> None:
    known = {
        name: value if value is not None else ("open" if name == "door_status" else 1.0)
        for name, value in values.items()
    }
    python = eval(text, {"__builtins__": {}}, known)  # noqa: S307 - the text comes from the strategy above
    assert evaluate(text, known) is bool(python)
