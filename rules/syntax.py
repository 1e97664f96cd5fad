"""Reading an expression: Python's expression syntax, of which only what is listed here is allowed."""

import ast

from rules.errors import ExpressionError

MAX_LENGTH = 2_000
MAX_DEPTH = 30

_ALLOWED = (
    ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.BinOp, ast.Add, ast.Sub, ast.Mult,
    ast.Div, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.IfExp, ast.Call,
    ast.keyword, ast.Name, ast.Load, ast.Constant, ast.Tuple, ast.List,
)  # fmt: skip

_INSTEAD: dict[type[ast.AST], str] = {
    ast.Attribute: 'Nothing has attributes here; a nameplate figure is written design("rated_flow").',
    ast.Subscript: "Nothing has an index here; use ago(point, duration) for an earlier value.",
    ast.Lambda: "Give the part a name under `let` instead.",
    ast.NamedExpr: "Give the part a name under `let` instead.",
    ast.Pow: "Write the product out: x * x.",
    ast.Mod: "Only + - * / are known.",
    ast.FloorDiv: "Only + - * / are known.",
    ast.Is: "Compare with == and not with `is`.",
    ast.IsNot: "Compare with != and not with `is not`.",
    ast.BitAnd: "Join conditions with `and`.",
    ast.BitOr: "Join conditions with `or`.",
    ast.JoinedStr: "Write the text itself in quotes.",
}
_OPERATORS = (ast.operator, ast.cmpop, ast.boolop, ast.unaryop)


def parse_expression(text: str) -> ast.expr:
    """The checked syntax tree of an expression. Raises ExpressionError with the column and what to do.

    Everything that is not a comparison, arithmetic, and/or/not, a choice, a call by name, a name or a constant is
    refused, as are more than 2,000 characters and a nesting deeper than 30.
    """
    if len(text) > MAX_LENGTH:
        what = f"the expression has {len(text):,} characters; at most {MAX_LENGTH:,} are read"
        raise ExpressionError(what, "Name parts of it under `let`.")
    folded = " ".join(text.split()) if "\n" in text else text.strip()
    if not folded:
        raise ExpressionError("the expression is empty", "Write a condition such as `tank_level > 95`.")
    if "\\" in folded:
        raise ExpressionError("a backslash means nothing here", "Remove it.", folded.index("\\") + 1)
    try:
        tree = ast.parse(folded, mode="eval").body
    except SyntaxError as error:
        what = f"this is not an expression: {error.msg}"
        hint = "Equality is written ==, and `and`, `or`, `not` join conditions."
        raise ExpressionError(what, hint, error.offset or len(folded) + 1) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"this cannot be read: {error}", "Make it shorter and less nested.") from error
    _check(tree, 1, 1)
    return tree


def _check(node: ast.AST, depth: int, column: int) -> None:
    column = getattr(node, "col_offset", column - 1) + 1
    if depth > MAX_DEPTH:
        raise ExpressionError(f"this nests deeper than {MAX_DEPTH}", "Name parts of it under `let`.", column)
    if not isinstance(node, _ALLOWED):
        noun = "operator" if isinstance(node, _OPERATORS) else "part of Python"
        what = f"the {noun} {type(node).__name__} is not allowed in an expression"
        raise ExpressionError(what, _INSTEAD.get(type(node), "Only comparisons, arithmetic and our functions are."),
                              column)  # fmt: skip
    if isinstance(node, ast.Constant) and type(node.value) not in (int, float, str, bool):
        raise ExpressionError(f"{node.value!r} is not a number, a text or a truth value", "", column)
    for child in ast.iter_child_nodes(node):
        _check(child, depth + 1, column)
