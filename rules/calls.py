"""The arguments of a function call in an expression, checked against the function's forms."""

import ast
from collections.abc import Mapping

from facility.catalogue import PointType
from facility.fields import unknown
from facility.instant import parse_duration
from rules.errors import ExpressionError
from rules.functions import FUNCTIONS, Function
from rules.program import BOUND_POINT, Environment

MAX_NUMBER = 1_000
MAX_DURATION_US = 400 * 86_400 * 1_000_000
TIME_UNITS: Mapping[str, float] = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "day": 86400.0}


def find_function(node: ast.Call) -> Function:
    """The function a call means. Raises ExpressionError for anything else than a known plain name."""
    if not isinstance(node.func, ast.Name):
        raise ExpressionError("only our functions can be called, by their name", "", node.col_offset + 1)
    function = FUNCTIONS.get(node.func.id)
    if function is None:
        raise ExpressionError(unknown("function", node.func.id, FUNCTIONS), "", node.col_offset + 1)
    if node.keywords and not function.named:
        what = f"{node.func.id}() takes no named arguments"
        raise ExpressionError(what, "Write the values in order.", node.col_offset + 1)
    return function


def find_form(function: Function, node: ast.Call) -> str:
    """The form of the function that has this many arguments."""
    for form in function.arguments:
        if form == "*" and len(node.args) >= 2:
            return "n" * len(node.args)
        if form != "*" and len(form) == len(node.args):
            return form
    wanted = " or ".join(spell(form) for form in function.arguments)
    what = f"{function.name}() was given {len(node.args)} arguments; it takes {wanted}"
    raise ExpressionError(what, f"It gives: {function.text}.", node.col_offset + 1)


def point_name(node: ast.expr, environment: Environment, function: str, *, numeric: bool) -> str:
    """The point an argument names. Raises ExpressionError when it is none, or a text where a number is needed."""
    if not isinstance(node, ast.Name):
        what = f"{function}() wants a point here, not a calculation"
        raise ExpressionError(what, "Name a point of the catalogue.", node.col_offset + 1)
    if environment.bound_point and node.id == BOUND_POINT:
        return BOUND_POINT
    kind: PointType | None = environment.points.get(node.id)
    if kind is None:
        raise ExpressionError(unknown("point", node.id, environment.points), "", node.col_offset + 1)
    if numeric and kind.is_text:
        what = f"{function}() needs a number and {node.id} is a text"
        raise ExpressionError(what, "Use changes(), count() or since() for texts.", node.col_offset + 1)
    return node.id


def duration(node: ast.expr, environment: Environment) -> int | str:
    """A duration in microseconds, or the name of a parameter whose unit is a time."""
    if isinstance(node, ast.Name) and node.id in environment.parameters:
        unit = environment.parameters[node.id]
        if unit not in TIME_UNITS:
            what = f"the parameter {node.id} is in {unit or 'no unit'}, which is no time"
            raise ExpressionError(what, "Give it the unit s, min, h or d.", node.col_offset + 1)
        return node.id
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
        hint = 'Write it in quotes, like "5 min", or name a parameter with a unit of time.'
        raise ExpressionError("a duration is wanted here", hint, node.col_offset + 1)
    if not isinstance(node.value, str | int | float):
        raise ExpressionError(f"{node.value!r} is not a duration", "", node.col_offset + 1)
    try:
        given = parse_duration(node.value)
    except ValueError as error:
        raise ExpressionError(str(error), "", node.col_offset + 1) from error
    microseconds = round(given.total_seconds() * 1e6)
    if not 0 < microseconds <= MAX_DURATION_US:
        what = f"the duration {node.value!r} is outside of 1 us to 400 days"
        raise ExpressionError(what, "Choose one in between.", node.col_offset + 1)
    return microseconds


def whole_number(node: ast.expr, environment: Environment) -> int | str:
    """A whole number of 1..1000, or the name of a parameter."""
    if isinstance(node, ast.Name) and node.id in environment.parameters:
        return node.id
    if not isinstance(node, ast.Constant) or type(node.value) is not int or not 1 <= node.value <= MAX_NUMBER:
        what = f"a whole number of 1 to {MAX_NUMBER:,} is wanted here"
        raise ExpressionError(what, "Write it out, or name a parameter.", node.col_offset + 1)
    return node.value


def spell(form: str) -> str:
    """The arguments of a form in words."""
    words = {"n": "a number", "p": "a point", "t": "a numeric point", "w": "a duration", "c": "a condition",
             "s": "a name in quotes", "e": "a number", "a": "an expression",
             "k": "a whole number or parameter", "*": "two or more numbers"}  # fmt: skip
    return ", ".join(words[letter] for letter in form) or "nothing"
