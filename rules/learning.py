"""Calls that learn, while they are compiled: what they look at, how slots are told apart, and for how long."""

import ast
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Protocol

from facility.fields import unknown
from facility.instant import DAY_US
from rules.calls import duration
from rules.errors import ExpressionError
from rules.functions import BY, Function
from rules.kinds import Kind
from rules.program import Environment, Learner

DEFAULTS: Mapping[str, Mapping[str, int | float | str]] = {
    "baseline": {"by": "hour", "train": 14 * DAY_US, "follow": 60 * DAY_US, "least": 0.0},
    "trend": {"train": 60 * DAY_US, "sure": 95.0},
    "joint": {"train": 14 * DAY_US, "follow": 60 * DAY_US},
}


class Parts(Protocol):
    """What the compiler does for a call that learns."""

    environment: Environment

    def part(self, node: ast.expr, wanted: Kind | None) -> tuple[int, tuple[str, ...]]:
        """Compile a part of its own: its number among the program's conditions, and the points it looks at.

        With a kind it must be of that kind; without one it may be any.
        """

    @property
    def let_trees(self) -> Mapping[str, ast.expr]:
        """The let terms known so far."""


def compile_learner(parts: Parts, function: Function, node: ast.Call, values: Sequence[ast.expr]) -> Learner:
    """The learner of a call whose learnt numbers are `values`. Raises ExpressionError."""
    settings = dict(DEFAULTS[function.learns])
    named: dict[str, int] = {}
    points: dict[str, None] = {}
    text: list[str] = []

    def add(tree: ast.expr, wanted: Kind | None) -> int:
        number, looked_at = parts.part(tree, wanted)
        points.update(dict.fromkeys(looked_at))
        text.append(ast.dump(_expand(tree, parts.let_trees)))
        return number

    numbers = tuple(add(tree, Kind.NUMBER) for tree in values)
    for keyword in node.keywords:
        name = keyword.arg or "**"
        sort = function.named.get(name)
        if sort is None:
            what = unknown(f"named argument of {function.name}()", name, function.named)
            raise ExpressionError(what, "", keyword.value.col_offset + 1)
        if sort in "cm":
            named[name] = add(keyword.value, Kind.CONDITION if sort == "c" else None)
            text[-1] = f"{name}={text[-1]}"
        else:
            settings[name] = _setting(keyword.value, sort, parts.environment)
    if not points:
        raise ExpressionError(f"{function.name}() has no point to learn from", "", node.col_offset + 1)
    signature = "\n".join([function.learns, *text])
    return Learner(
        group=function.learns,
        signature=signature,
        label=", ".join(ast.unparse(tree) for tree in values),
        values=numbers,
        when=named.get("when"),
        mode=named.get("mode"),
        settings=tuple(sorted(settings.items())),
        points=tuple(points),
        with_parameters=any(repr(name) in signature for name in parts.environment.parameters),
    )


def _setting(node: ast.expr, sort: str, environment: Environment) -> int | float | str:
    if sort == "w":
        return duration(node, environment)
    if sort == "b":
        if not isinstance(node, ast.Constant) or node.value not in BY:
            what = unknown("way to tell slots apart", ast.unparse(node).strip("'\""), BY)
            raise ExpressionError(what, 'Write it in quotes, like by="hour".', node.col_offset + 1)
        return str(node.value)
    if isinstance(node, ast.Name) and node.id in environment.parameters:
        return node.id
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise ExpressionError("a number or a parameter is wanted here", "", node.col_offset + 1)
    return float(node.value)


def _expand(tree: ast.expr, lets: Mapping[str, ast.expr]) -> ast.AST:
    """The tree with its let terms written out, so that the same thing in two rules is learnt once."""
    return _Expander(lets).visit(deepcopy(tree))  # type: ignore[no-any-return]  # ast gives no type


class _Expander(ast.NodeTransformer):
    def __init__(self, lets: Mapping[str, ast.expr]) -> None:
        self._lets = lets

    def visit_Name(self, node: ast.Name) -> ast.AST:
        tree = self._lets.get(node.id)
        return node if tree is None else self.visit(deepcopy(tree))
