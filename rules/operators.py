"""Operators: comparisons, arithmetic, and, or, not and choices, written out with three-valued logic and units."""

import ast
import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from facility.fields import unknown
from rules.errors import ExpressionError
from rules.functions import TIMERS
from rules.kinds import Kind, Typed
from rules.measure import PURE, Measure, MixedUnitsError, added, divided, joined, multiplied, subtracted
from rules.scope import Scope

_ARITHMETIC: Mapping[type[ast.operator], tuple[Callable[..., Measure | None], str]] = {
    ast.Add: (added, "+"), ast.Sub: (subtracted, "-"), ast.Mult: (multiplied, "*"), ast.Div: (divided, "/"),
}  # fmt: skip
_FOLD: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
_ORDER: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_PASSED = "None if {0}.memory.known is None else (now - {0}.memory.since_us) / 1e6 if {0}.memory.since_us >= 0 else 0.0"
"""The seconds of a timer, without a wish to be woken: the comparison makes its own."""

_STRICT = {">": (True, False), "<=": (True, False), ">=": (False, True), "<": (False, True)}


class Operators(ABC):
    """Writes operators into the present scope; whoever inherits writes names and calls."""

    _scope: Scope

    @abstractmethod
    def expression(self, node: ast.expr) -> Typed:
        """Write the code of one part into the present scope."""

    @abstractmethod
    def _call(self, node: ast.Call, read: str = "{}(now)") -> Typed: ...

    def _as_condition(self, part: Typed, node: ast.expr) -> str:
        if part.kind is Kind.CONDITION:
            return part.name
        if part.switch:
            return self._scope.assign(f"None if {part.name} is None else {part.name} != 0.0")
        what = f"{ast.unparse(node)} is {part.kind.value} where a condition is wanted"
        raise ExpressionError(what, "Compare it with something.", node.col_offset + 1)

    def _as_number(self, part: Typed, node: ast.expr) -> str:
        if part.kind is Kind.TEXT:
            what = f"{ast.unparse(node)} is a text where a number is wanted"
            raise ExpressionError(what, "Texts can only be compared with == and !=.", node.col_offset + 1)
        return part.name

    def _bool(self, node: ast.BoolOp) -> Typed:
        ends = "False" if isinstance(node.op, ast.And) else "True"
        result = self._scope.assign("True" if ends == "False" else "False")
        for index, operand in enumerate(node.values):
            if index:
                self._scope.emit(f"if {result} is not {ends}:")
                self._scope.deeper()
            value = self._as_condition(self.expression(operand), operand)
            self._scope.emit(f"if {value} is {ends}: {result} = {ends}")
            self._scope.emit(f"elif {value} is None: {result} = None")
            if index:
                self._scope.back()
        return Typed(Kind.CONDITION, result)

    def _unary(self, node: ast.UnaryOp) -> Typed:
        part = self.expression(node.operand)
        if isinstance(node.op, ast.Not):
            value = self._as_condition(part, node.operand)
            return Typed(Kind.CONDITION, self._scope.assign(f"None if {value} is None else not {value}"))
        value = self._as_number(part, node.operand)
        if isinstance(node.op, ast.UAdd):
            return Typed(Kind.NUMBER, value, literal=part.literal, unit=part.unit)
        if isinstance(part.literal, float):
            return self._literal(-part.literal, node)
        return Typed(Kind.NUMBER, self._scope.assign(f"None if {value} is None else -{value}"), unit=part.unit)

    def _literal(self, value: float, node: ast.expr) -> Typed:
        if not math.isfinite(value):
            raise ExpressionError("this number is too large", "", node.col_offset + 1)
        return Typed(Kind.NUMBER, f"({value!r})" if value < 0 else repr(value), literal=value, unit=PURE)

    def _arithmetic(self, node: ast.BinOp) -> Typed:
        parts = self.expression(node.left), self.expression(node.right)
        left, right = self._as_number(parts[0], node.left), self._as_number(parts[1], node.right)
        decide, sign = _ARITHMETIC[type(node.op)]
        unit = self._units(decide, node.left.col_offset + 1, *parts)
        if sign == "/" and (parts[1].literal == 0.0 or parts[1].zero):
            what = f"{ast.unparse(node)} divides by zero"
            raise ExpressionError(what, "Divide by something that is not always 0.", node.right.col_offset + 1)
        if isinstance(parts[0].literal, float) and isinstance(parts[1].literal, float):
            return self._literal(_FOLD[sign](parts[0].literal, parts[1].literal), node)
        zero = f" or {right} == 0.0" if sign == "/" else ""
        result = self._scope.assign(f"None if {self._unknown(left, right)}{zero} else {left} {sign} {right}")
        self._scope.emit(f"if {result} != {result}: {result} = None")
        return Typed(Kind.NUMBER, result, unit=unit)

    def _compare(self, node: ast.Compare) -> Typed:
        parts, result = [node.left, *node.comparators], ""
        left = self._operand(parts[0])
        for index, comparison in enumerate(node.ops):
            if isinstance(comparison, ast.In | ast.NotIn):
                pair, right = self._among(left, comparison, parts[index + 1], parts[index]), left
            else:
                right = self._operand(parts[index + 1])
                pair = self._pair(left, right, comparison, (parts[index], parts[index + 1]))
            if result:
                result = self._scope.assign(
                    f"False if {result} is False or {pair} is False else "
                    f"(None if {result} is None or {pair} is None else True)"
                )
            else:
                result = pair
            left = right
        return Typed(Kind.CONDITION, result)

    def _operand(self, node: ast.expr) -> Typed:
        """A side of a comparison; `since` and `held` there wake the rule exactly when it crosses the other side."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TIMERS:
            return self._call(node, _PASSED)
        return self.expression(node)

    def _pair(self, left: Typed, right: Typed, comparison: ast.cmpop, nodes: tuple[ast.expr, ast.expr]) -> str:
        sign, column = _ORDER[type(comparison)], nodes[0].col_offset + 1
        if Kind.TEXT in (left.kind, right.kind):
            if left.kind is not right.kind:
                text, number = nodes if left.kind is Kind.TEXT else nodes[::-1]
                what = f"{ast.unparse(text)} is a text and {ast.unparse(number)} is not"
                raise ExpressionError(what, "A text is compared with a text in quotes.", column)
            if sign not in ("==", "!="):
                raise ExpressionError(f"texts have no order, so {sign} means nothing", "Use == or !=.", column)
            _check_text(left, right, nodes[1])
            _check_text(right, left, nodes[0])
        self._units(joined, column, left, right)
        for side, other, flipped in ((left, right, False), (right, left, True)):
            if side.term is not None and sign in _STRICT:
                strict = _STRICT[sign][flipped]
                since, limit = f"t[{side.term}].memory.since_us", other.name
                known = f"{limit} is not None and " if limit.startswith("x") else ""
                self._scope.emit(f"if {since} >= 0 and {known}now - {since} <= {limit} * 1e6 + 1.0:")
                self._scope.emit(f"    t[{side.term}].crossing({limit}, {strict}, now)")
        return self._scope.assign(
            f"None if {self._unknown(left.name, right.name)} else {left.name} {sign} {right.name}"
        )

    def _among(self, left: Typed, comparison: ast.cmpop, node: ast.expr, subject: ast.expr) -> str:
        if not isinstance(node, ast.Tuple | ast.List) or not node.elts:
            hint = 'Write it like door_status in ("open", "blocked").'
            raise ExpressionError("after `in` comes a list of constants", hint, node.col_offset + 1)
        for item in node.elts:
            part = self.expression(item)
            if part.literal is None or isinstance(part.literal, str) != (left.kind is Kind.TEXT):
                what = f"{ast.unparse(item)} is not {left.kind.value} that {ast.unparse(subject)} could be"
                raise ExpressionError(what, "List constants of its kind.", item.col_offset + 1)
            _check_text(left, part, item)
        listed = ", ".join(self.expression(item).name for item in node.elts)
        word = "in" if isinstance(comparison, ast.In) else "not in"
        return self._scope.assign(f"None if {self._unknown(left.name)} else {left.name} {word} ({listed},)")

    def _choice(self, node: ast.IfExp) -> Typed:
        test = self._as_condition(self.expression(node.test), node.test)
        result = self._scope.assign("None")
        kinds = []
        for word, branch in ((f"if {test} is True:", node.body), (f"elif {test} is False:", node.orelse)):
            self._scope.emit(word)
            self._scope.deeper()
            part = self.expression(branch)
            kinds.append(part)
            self._scope.emit(f"{result} = {part.name}")
            self._scope.back()
        if kinds[0].kind is not kinds[1].kind:
            if all(part.switch or part.kind is Kind.CONDITION for part in kinds):
                return Typed(Kind.CONDITION, self._scope.assign(f"None if {result} is None else {result} != 0.0"))
            what = f"one branch is {kinds[0].kind.value}, the other {kinds[1].kind.value}"
            raise ExpressionError(what, "Make both of one kind.", node.col_offset + 1)
        unit = self._units(joined, node.col_offset + 1, *kinds)
        texts = [(part.literal,) if isinstance(part.literal, str) else part.values for part in kinds]
        values = tuple(dict.fromkeys((*texts[0], *texts[1]))) if all(texts) else ()
        return Typed(kinds[0].kind, result, values, kinds[0].switch and kinds[1].switch, unit=unit)

    @staticmethod
    def _unknown(*names: str) -> str:
        variables = [f"{name} is None" for name in names if name.startswith("x")]
        return " or ".join(variables) or "False"

    @staticmethod
    def _units(decide: Callable[..., Measure | None], column: int, *of: Typed) -> Measure | None:
        """The unit that comes out. Raises ExpressionError where units are mixed."""
        try:
            return decide(*(part.unit for part in of))
        except MixedUnitsError as error:
            hint = "Convert one of them, or give the parameter the other's unit."
            raise ExpressionError(str(error), hint, column) from error


def _check_text(side: Typed, other: Typed, node: ast.expr) -> None:
    if isinstance(other.literal, str) and side.values and other.literal not in side.values:
        raise ExpressionError(unknown("value of this point", other.literal, side.values), "", node.col_offset + 1)
