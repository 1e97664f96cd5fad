"""From syntax trees to one plain Python function each, with three-valued logic written out.

None is Unknown. Arithmetic and comparisons with an Unknown part are Unknown; `and`, `or`, `not` follow Kleene:
false and Unknown is false, true or Unknown is true. So a missing value never makes a condition true by itself.
"""

import ast
import math
from collections.abc import Mapping
from typing import cast

from facility.fields import unknown
from rules.calls import duration, find_form, find_function, point_name
from rules.errors import ExpressionError
from rules.functions import FROM_CONDITION, FROM_NUMBER, Function
from rules.kinds import Kind, Typed
from rules.learning import compile_learner
from rules.program import BOUND_POINT, Code, Environment, Learner, LetCode, Program, Term
from rules.scope import Scope, fresh_names
from rules.syntax import parse_expression

_ARITHMETIC: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_ORDER: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_STRICT = {">": (True, False), "<=": (True, False), ">=": (False, True), "<": (False, True)}


class Compiler:
    """Compiles the expressions of one rule into one Program: lets first, then when and clear."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self._fresh = fresh_names()
        self._slots: dict[str, int] = {}
        self._points: dict[str, None] = {}
        self._constants: dict[tuple[str, str], int] = {}
        self._terms: dict[Term, int] = {}
        self._conditions: dict[str, int] = {}
        self._codes: list[Code] = []
        self._condition_points: list[tuple[str, ...]] = []
        self._learners: dict[Learner, int] = {}
        self._lets: dict[str, ast.expr] = {}
        self._let_kinds: dict[str, Kind] = {}
        self._scope = Scope(self._fresh)

    def let(self, name: str, text: str) -> None:
        """Add a named term; it may use those before it. Raises ExpressionError."""
        tree = parse_expression(text)
        outer, self._scope = self._scope, Scope(self._fresh)
        self._let_kinds[name] = self.expression(tree).kind
        self._scope = outer
        self._lets[name] = tree

    def condition(self, text: str) -> Code:
        """Compile a whole condition (`when`, `clear`). Raises ExpressionError."""
        return self._function(parse_expression(text))[0]

    def finish(self, when: Code, clear: Code | None) -> Program:
        """Everything that was compiled, as one value."""
        outer, self._scope = self._scope, Scope(self._fresh)
        results = [self._let(name, 1).name for name in self._lets]
        lets = cast(LetCode, _build(self._scope.source("lets", f"({''.join(name + ', ' for name in results)})")))
        self._scope = outer
        return Program(
            slots=tuple(self._slots),
            points=tuple(self._points),
            constants=tuple(self._constants),
            terms=tuple(self._terms),
            conditions=tuple(self._codes),
            condition_points=tuple(self._condition_points),
            learners=tuple(self._learners),
            let_names=tuple(self._lets),
            let_kinds=tuple(self._let_kinds[name] for name in self._lets),
            lets=lets,
            when=when,
            clear=clear,
        )

    @property
    def let_trees(self) -> Mapping[str, ast.expr]:
        """The let terms so far."""
        return self._lets

    def part(self, node: ast.expr, wanted: Kind | None) -> tuple[int, tuple[str, ...]]:
        """Compile a part as a function of its own: its number among the conditions, and the points it looks at."""
        key = f"{wanted} {ast.dump(node)}"
        if key not in self._conditions:
            code, points = self._function(node, wanted)
            self._conditions[key] = len(self._codes)
            self._codes.append(code)
            self._condition_points.append(points)
        number = self._conditions[key]
        self._scope.points.update(dict.fromkeys(self._condition_points[number]))
        return number, self._condition_points[number]

    def _function(self, tree: ast.expr, wanted: Kind | None = Kind.CONDITION) -> tuple[Code, tuple[str, ...]]:
        outer, self._scope = self._scope, Scope(self._fresh)
        part = self.expression(tree)
        if wanted is Kind.CONDITION:
            result = self._as_condition(part, tree)
        else:
            result = self._as_number(part, tree) if wanted is Kind.NUMBER else part.name
        code = _build(self._scope.source("condition", result))
        points = tuple(self._scope.points)
        self._scope = outer
        return code, points

    def expression(self, node: ast.expr) -> Typed:
        """Write the code of one part into the present scope."""
        match node:
            case ast.Constant():
                part = self._constant(node)
            case ast.Name():
                part = self._name(node)
            case ast.BoolOp():
                part = self._bool(node)
            case ast.UnaryOp():
                part = self._unary(node)
            case ast.BinOp():
                part = self._arithmetic(node)
            case ast.Compare():
                part = self._compare(node)
            case ast.IfExp():
                part = self._choice(node)
            case ast.Call():
                part = self._call(node)
            case _:
                raise ExpressionError("a list may only stand after `in`", "", node.col_offset + 1)
        return part

    def _constant(self, node: ast.Constant) -> Typed:
        value = node.value
        if isinstance(value, bool):
            return Typed(Kind.CONDITION, repr(value))
        if isinstance(value, int | float):
            if not math.isfinite(value):
                raise ExpressionError("this number is too large", "", node.col_offset + 1)
            return Typed(Kind.NUMBER, repr(float(value)), literal=float(value))
        return Typed(Kind.TEXT, repr(value), literal=str(value))

    def _name(self, node: ast.Name) -> Typed:
        name = node.id
        if name in self._lets:
            return self._let(name, node.col_offset + 1)
        if name in self.environment.parameters:
            return Typed(Kind.NUMBER, self._constant_slot("parameter", name))
        if name == BOUND_POINT and self.environment.bound_point:
            return Typed(Kind.NUMBER, self._scope.assign(f"v[{self._slot(name)}]"))
        kind = self.environment.points.get(name)
        if kind is None:
            known = [*self.environment.points, *self.environment.parameters, *self._lets]
            raise ExpressionError(unknown("point, parameter or let term", name, known), "", node.col_offset + 1)
        variable = self._scope.assign(f"v[{self._slot(name)}]")
        if kind.is_text:
            return Typed(Kind.TEXT, variable, values=kind.values)
        return Typed(Kind.NUMBER, variable, switch=kind.unit == "bool")

    def _let(self, name: str, column: int) -> Typed:
        def write() -> Typed:
            try:
                return self.expression(self._lets[name])
            except ExpressionError as error:  # it compiled once already, so this names the place of use
                raise ExpressionError(f"in let {name}: {error.what}", error.hint, column) from error

        return self._scope.let(name, write)

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
            return Typed(Kind.NUMBER, value)
        if isinstance(part.literal, float):
            return Typed(Kind.NUMBER, f"({-part.literal!r})", literal=-part.literal)
        return Typed(Kind.NUMBER, self._scope.assign(f"None if {value} is None else -{value}"))

    def _arithmetic(self, node: ast.BinOp) -> Typed:
        left = self._as_number(self.expression(node.left), node.left)
        right = self._as_number(self.expression(node.right), node.right)
        sign = _ARITHMETIC[type(node.op)]
        zero = f" or {right} == 0.0" if sign == "/" else ""
        result = self._scope.assign(f"None if {self._unknown(left, right)}{zero} else {left} {sign} {right}")
        self._scope.emit(f"if {result} != {result}: {result} = None")
        return Typed(Kind.NUMBER, result)

    def _compare(self, node: ast.Compare) -> Typed:
        parts, result = [node.left, *node.comparators], ""
        left = self._operand(parts[0])
        for index, operator in enumerate(node.ops):
            if isinstance(operator, ast.In | ast.NotIn):
                pair, right = self._among(left, operator, parts[index + 1], parts[index]), left
            else:
                right = self._operand(parts[index + 1])
                pair = self._pair(left, right, operator, (parts[index], parts[index + 1]))
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
        """A side of a comparison; `since` there wakes the rule exactly when it crosses the other side."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "since":
            return self._call(node, "{}.value(now)")
        return self.expression(node)

    def _pair(self, left: Typed, right: Typed, operator: ast.cmpop, nodes: tuple[ast.expr, ast.expr]) -> str:
        sign, column = _ORDER[type(operator)], nodes[0].col_offset + 1
        if Kind.TEXT in (left.kind, right.kind):
            if left.kind is not right.kind:
                text, number = nodes if left.kind is Kind.TEXT else nodes[::-1]
                what = f"{ast.unparse(text)} is a text and {ast.unparse(number)} is not"
                raise ExpressionError(what, "A text is compared with a text in quotes.", column)
            if sign not in ("==", "!="):
                raise ExpressionError(f"texts have no order, so {sign} means nothing", "Use == or !=.", column)
            _check_text(left, right, nodes[1])
            _check_text(right, left, nodes[0])
        for side, other, flipped in ((left, right, False), (right, left, True)):
            if side.term is not None and sign in _STRICT:
                strict = _STRICT[sign][flipped]
                self._scope.emit(f"t[{side.term}].crossing({other.name}, {strict}, now)")
        return self._scope.assign(
            f"None if {self._unknown(left.name, right.name)} else {left.name} {sign} {right.name}"
        )

    def _among(self, left: Typed, operator: ast.cmpop, node: ast.expr, subject: ast.expr) -> str:
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
        word = "in" if isinstance(operator, ast.In) else "not in"
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
        return Typed(kinds[0].kind, result, switch=kinds[0].switch and kinds[1].switch)

    def _call(self, node: ast.Call, read: str = "{}(now)") -> Typed:
        function = find_function(node)
        form = find_form(function, node)
        name = function.name
        if name in ("abs", "sqrt", "min", "max"):
            values = [self._as_number(self.expression(item), item) for item in node.args]
            missing = self._unknown(*values) + (f" or {values[0]} < 0.0" if name == "sqrt" else "")
            source = f"{values[0]} ** 0.5" if name == "sqrt" else f"{name}({', '.join(values)})"
            return Typed(Kind.NUMBER, self._scope.assign(f"None if {missing} else {source}"))
        if name == "design":
            if not isinstance(node.args[0], ast.Constant) or not isinstance(node.args[0].value, str):
                raise ExpressionError("design() wants a name in quotes", 'Write design("rated_flow").',
                                      node.col_offset + 1)  # fmt: skip
            return Typed(Kind.NUMBER, self._constant_slot("design", node.args[0].value))
        if function.learns:
            return self._learnt(function, node)
        term = self._term(name, form, node)
        kind = function.kind or Kind.NUMBER
        values_of: tuple[str, ...] = ()
        if name == "ago" and term.point is not None and term.point in self.environment.points:
            origin = self.environment.points[term.point]
            kind, values_of = (Kind.TEXT, origin.values) if origin.is_text else (Kind.NUMBER, ())
        index = self._terms.setdefault(term, len(self._terms))
        variable = self._scope.assign(read.format(f"t[{index}]"))
        return Typed(kind, variable, values=values_of, term=index if name == "since" else None)

    def _term(self, name: str, form: str, node: ast.Call) -> Term:
        length = duration(node.args[form.index("w")], self.environment) if "w" in form else None
        if name in FROM_CONDITION or name in FROM_NUMBER:
            wanted = Kind.NUMBER if name in FROM_NUMBER else Kind.CONDITION
            return Term(name, None, length, self.part(node.args[0], wanted)[0])
        point: str | None = None
        if form[:1] in ("p", "t"):
            point = point_name(node.args[0], self.environment, name, numeric=form[0] == "t")
            self._points[point] = None
            self._scope.points[point] = None
        return Term(name, point, length)

    def _learnt(self, function: Function, node: ast.Call) -> Typed:
        """`days_to_limit` and its like get their limit when they are asked; what they learn is without it."""
        limited = function.arguments == ("nn",)
        limit = self._as_number(self.expression(node.args[1]), node.args[1]) if limited else ""
        learner = compile_learner(self, function, node, node.args[:1] if limited else node.args)
        term = Term(function.name, learner=self._learners.setdefault(learner, len(self._learners)))
        index = self._terms.setdefault(term, len(self._terms))
        read = f"t[{index}].until({limit}, now)" if limited else f"t[{index}](now)"
        return Typed(Kind.NUMBER, self._scope.assign(read))

    def _slot(self, name: str) -> int:
        self._points[name] = None
        self._scope.points[name] = None
        return self._slots.setdefault(name, len(self._slots))

    def _constant_slot(self, kind: str, name: str) -> str:
        return self._scope.assign(f"q[{self._constants.setdefault((kind, name), len(self._constants))}]")

    @staticmethod
    def _unknown(*names: str) -> str:
        variables = [f"{name} is None" for name in names if name.startswith("x")]
        return " or ".join(variables) or "False"


def _check_text(side: Typed, other: Typed, node: ast.expr) -> None:
    if isinstance(other.literal, str) and side.values and other.literal not in side.values:
        raise ExpressionError(unknown("value of this point", other.literal, side.values), "", node.col_offset + 1)


def _build(source: str) -> Code:
    """Compile the text we wrote ourselves; it sees nothing but abs, min and max."""
    names: dict[str, object] = {"__builtins__": {"abs": abs, "min": min, "max": max}}
    exec(compile(source, "<rule>", "exec"), names)  # noqa: S102 - the text is ours: names, numbers, quoted texts
    (function,) = (value for key, value in names.items() if key != "__builtins__")
    return function  # type: ignore[return-value]  # exec gives no types
