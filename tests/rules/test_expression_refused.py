"""What an expression may not say: each refusal names what, the place in the expression, and what to do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facility.catalogue import point_types
from rules.compiler import Compiler
from rules.errors import ExpressionError
from rules.program import Environment


def refuse(text: str, parameters: dict[str, str] | None = None) -> ExpressionError:
    """The error that compiling the text raises."""
    compiler = Compiler(Environment(point_types(), parameters or {}))
    with pytest.raises(ExpressionError) as caught:
        compiler.condition(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "what", "hint", "column"),
    [
        ("", "is empty", "Write a condition", 1),
        ("tank_level >", "not an expression", "==", 13),
        ("tank_level = 5", "not an expression", "==", 12),
        ("tank_levl > 5", "did you mean 'tank_level'", "", 1),
        ("5 < tank_levl", "did you mean 'tank_level'", "", 5),
        ("avrage(tank_level, '5 min') > 1", "not a known function", "", 1),
        ("maen(tank_level, '5 min') > 1", "did you mean 'mean'", "", 1),
        ("tank_level.real > 1", "Attribute is not allowed", "design(", 1),
        ("tank_level.__class__", "Attribute is not allowed", "design(", 1),
        ("(lambda: 1)() > 0", "Lambda is not allowed", "let", 2),
        ("[x for x in (1, 2)] > 0", "ListComp is not allowed", "", 1),
        ("tank_level[0] > 1", "Subscript is not allowed", "ago", 1),
        ("tank_level ** 2 > 1", "Pow is not allowed", "x * x", 1),
        ("tank_level is 1", "Is is not allowed", "==", 1),
        ("f'{tank_level}' == 'x'", "JoinedStr is not allowed", "", 1),
        ("(x := 5) > 1", "NamedExpr is not allowed", "let", 2),
        ("mean(tank_level, '5 min')(3) > 1", "only our functions", "", 1),
        ("mean(tank_level + 1, '5 min') > 1", "wants a point here", "", 6),
        ("mean(door_status, '5 min') > 1", "door_status is a text", "changes()", 6),
        ("mean(tank_level) > 1", "was given 1 arguments", "arithmetic mean", 1),
        ("mean(tank_level, window='5 min') > 1", "no named arguments", "in order", 1),
        ("tank_level / 0 > 1", "divides by zero", "always 0", 14),
        ("tank_level / (2 - 1 - 1) > 1", "divides by zero", "always 0", 15),
        ("tank_level > water_flow", "% and m3/h measure different things", "Convert", 1),
        ("tank_level + water_pressure > 1", "% and kPa measure different things", "Convert", 1),
        ("min(tank_level, illuminance) > 1", "% and lx measure different things", "", 1),
        ("(co2 if run_status else ph) > 1", "ppm and ph measure different things", "", 2),
        ("water_pressure > supply_air_static_pressure", "multiply the first by 1000", "", 1),
        ("delta(return_air_temperature, '1 h') > outside_air_temperature", "a difference of temperatures", "", 1),
        ("return_air_temperature - outside_air_temperature > mixed_air_temperature", "K is compared", "", 1),
        ("since(run_status) > run_hours", "s and h are mixed; multiply the first by 0.0", "", 1),
        ("rate(tank_level, '1 h') > water_flow", "% / h and m3/h measure", "", 1),
        ("days_to_limit(tank_level, illuminance) > 3", "% and lx measure different", "", 1),
        ("baseline(illuminance) > tank_level", "lx and % measure different", "", 1),
        ("off_baseline(tank_level, by='hours') > 1", "did you mean 'hour'", "by=", 29),
        ("off_baseline(tank_level, of='hour') > 1", "not a known named argument", "", 29),
        ("off_baseline(tank_level, least='a') > 1", "a number or a parameter", "", 32),
        ("off_baseline(door_status) > 1", "is a text where a number", "", 14),
        ("off_baseline(5) > 1", "no point to learn from", "", 1),
        ("off_baseline(tank_level, when=tank_level) > 1", "where a condition is wanted", "", 31),
        ("trend(tank_level, train='5 minutos') > 1", "is not a duration", "", 25),
        ("mean(tank_level, '5 minutos') > 1", "is not a duration", "", 18),
        ("mean(tank_level, '0 s') > 1", "outside of 1 us", "", 18),
        ("mean(tank_level, '9999 days') > 1", "outside of 1 us", "", 18),
        ("mean(tank_level, limit) > 1", "no time", "unit s", 18),
        ("mean(tank_level, True) > 1", "a duration is wanted", "quotes", 18),
        ("door_status == 1", "door_status is a text and 1 is not", "quotes", 1),
        ("tank_level == 'full'", "'full' is a text and tank_level is not", "quotes", 1),
        ("door_status == 'opne'", "did you mean 'open'", "", 16),
        ("door_status in ('open', 'shut')", "'shut' is not a known value", "", 25),
        ("door_status in ('open', 3)", "3 is not a text", "", 25),
        ("door_status in car_status", "after `in` comes a list", "", 16),
        ("door_status > 'open'", "texts have no order", "==", 1),
        ("'open' == 'shut' and 1", "1 is a number where a condition is wanted", "Compare", 22),
        ("tank_level", "a number where a condition is wanted", "Compare", 1),
        ("door_status", "a text where a condition is wanted", "Compare", 1),
        ("door_status + 1 > 2", "a text where a number is wanted", "==", 1),
        ("(door_status if run_status else tank_level) == 1", "one branch is a text", "one kind", 2),
        ("design(rated_flow) > 1", "design() wants a name in quotes", "rated_flow", 1),
        ("tank_level > 1e999", "too large", "", 14),
        ("tank_level > 1j", "not a number", "", 14),
        ("(1, 2)", "a list may only stand after `in`", "", 1),
        ("__import__('os')", "not a known function", "", 1),
    ],
)  # fmt: skip
def test_an_expression_is_refused_with_place_and_advice(text: str, what: str, hint: str, column: int) -> None:
    error = refuse(text, {"limit": "%"})
    assert what in error.what
    assert hint in error.hint
    assert error.column == column


def test_a_long_expression_is_refused() -> None:
    assert "2,000" in refuse(" and ".join(["tank_level > 1"] * 200)).what


def test_a_deep_expression_is_refused() -> None:
    assert "deeper" in refuse("not " * 40 + "run_status").what
    assert "deeper" in refuse("-" * 60 + "tank_level > 1").what


def test_many_brackets_are_refused_and_do_not_crash() -> None:
    assert refuse("(" * 900 + "1" + ")" * 900).what


WORDS = st.sampled_from(
    [
        "tank_level",
        "door_status",
        "mean",
        "since",
        "and",
        "or",
        "not",
        "if",
        "else",
        "in",
        "(",
        ")",
        ",",
        "'open'",
        "'5min'",
        "<",
        ">",
        "==",
        "+",
        "-",
        "*",
        "/",
        "1",
        "0",
        "True",
        "None",
        "[",
        "]",
        ".",
        "lambda",
        ":",
        "**",
        "\\",
        "ago",
        "design",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=14).map(" ".join)))
def test_any_text_is_compiled_or_refused_and_never_crashes(text: str) -> None:
    compiler = Compiler(Environment(point_types()))
    column = 1
    try:
        program = compiler.finish(compiler.condition(text), None)
        if not program.terms:
            values = [None if name == "door_status" else 1.0 for name in program.slots]
            assert program.when(values, [1.0] * len(program.constants), (), 0) in (True, False, None)
    except ExpressionError as error:
        column = error.column
    assert 1 <= column <= len(text) + 1


@pytest.mark.parametrize(
    "text",
    [
        "return_air_temperature > step + outside_air_temperature",
        "return_air_temperature - mixed_air_temperature > step",
        "(mixed_air_temperature - return_air_temperature) / (outside_air_temperature - return_air_temperature) > 0.3",
        "(return_air_temperature + mixed_air_temperature) / 2 > outside_air_temperature",
        "delta(return_air_temperature, '1 h') > step",
        "rate(water_volume, '1 h') > water_flow",
        "sqrt(step * step + step * step) < abs(return_air_temperature - outside_air_temperature)",
        "water_flow > share * design('rated_flow') and water_flow * share > water_flow / 3",
        "since(run_status) > hold and days_to_limit(tank_level, 95) < left",
        "water_pressure * 1000 > supply_air_static_pressure and since(run_status) / 3600 > run_hours",
        "illuminance < share * (circuit_power / design('installed_power')) * illuminance_setpoint",
        "tank_level * 2 > 100 - tank_level and water_flow > 3",
        "off_baseline(water_flow, least=step) > 3 and tank_level > off_baseline(co2)",
    ],
)
def test_units_that_belong_together_are_accepted(text: str) -> None:
    units = {"step": "K", "share": "%", "hold": "s", "left": "day"}
    Compiler(Environment(point_types(), units)).condition(text)


def test_what_is_zero_unless_somebody_sets_it_divides_nothing() -> None:
    compiler = Compiler(Environment(point_types(), {"limit": ""}, zeros=frozenset({"limit"})))
    with pytest.raises(ExpressionError, match="divides by zero"):
        compiler.condition("tank_level / limit > 1")
