"""From syntax trees to one plain Python function each, with three-valued logic written out.

None is Unknown. Arithmetic and comparisons with an Unknown part are Unknown; `and`, `or`, `not` follow Kleene:
false and Unknown is false, true or Unknown is true. So a missing value never makes a condition true by itself.
"""

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from threading import Lock
from typing import cast

from facility.fields import unknown
from rules.calls import duration, find_form, find_function, point_name, whole_number
from rules.errors import ExpressionError
from rules.functions import FROM_ANY, FROM_CONDITION, FROM_NUMBER, TIMERS, Function
from rules.hold import compile_hold, parts_of
from rules.kinds import Kind, Typed
from rules.learning import compile_learner
from rules.measure import Measure, joined, measure, result_unit
from rules.operators import Operators
from rules.program import BOUND_POINT, Code, Environment, Learner, LetCode, Program, Term
from rules.scope import Scope, fresh_names
from rules.steps import Steps, compile_steps
from rules.syntax import parse_expression


class Compiler(Operators):
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
        self._trees: list[ast.expr] = []
        self._whole: list[ast.expr] = []
        self._condition_points: list[tuple[str, ...]] = []
        self._part_types: list[Typed] = []
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
        """Compile a whole condition (`when`, `clear`). Raises ExpressionError.

        What `and` joins to it is looked at in order up to the first false part, a let term when a part first needs it:
        what is not looked at wishes for no further look.
        """
        tree = parse_expression(text)
        self._whole.append(tree)
        scope, lines = self.new_scope(), ["unknown = False"]
        for part in parts_of(tree):
            name = self.write_condition(part, scope)
            lines += [*scope.flush(), f"if {name} is False: return False", f"if {name} is None: unknown = True"]
        for line in lines:
            scope.emit(line)
        return _build(scope.source("condition", "None if unknown else True"))

    def finish(self, when: Code, clear: Code | None) -> Program:
        """Everything that was compiled, as one value."""
        outer, self._scope = self._scope, Scope(self._fresh)
        results = [self._let(name, 1).name for name in self._lets]
        lets = _build_tuple(self._scope.source("lets", f"({''.join(name + ', ' for name in results)})"))
        self._scope = outer
        terms, points = tuple(self._terms), tuple(self._condition_points)
        return Program(
            slots=tuple(self._slots),
            points=tuple(self._points),
            constants=tuple(self._constants),
            terms=terms,
            conditions=tuple(self._codes),
            condition_points=points,
            learners=tuple(self._learners),
            let_names=tuple(self._lets),
            let_kinds=tuple(self._let_kinds[name] for name in self._lets),
            lets=lets,
            when=when,
            clear=clear,
            hold=compile_hold(
                self, self._whole[0], self._trees, points, tuple(self._slots), terms, self._lets, _build_tuple
            ),
            steps=_once(lambda: compile_steps(self, self._whole[0], self._lets, _build_tuple)),
        )

    def new_scope(self) -> Scope:
        """An empty scope whose names are used nowhere else in the rule."""
        return Scope(self._fresh)

    def write(self, tree: ast.expr, scope: Scope) -> Typed:
        """Write an expression that compiled before into the scope."""
        outer, self._scope = self._scope, scope
        result = self.expression(tree)
        self._scope = outer
        return result

    def write_condition(self, tree: ast.expr, scope: Scope) -> str:
        """Write a condition that compiled before into the scope; the name of its result."""
        outer, self._scope = self._scope, scope
        result = self._as_condition(self.expression(tree), tree)
        self._scope = outer
        return result

    @property
    def let_trees(self) -> Mapping[str, ast.expr]:
        """The let terms so far."""
        return self._lets

    def part(self, node: ast.expr, wanted: Kind | None) -> tuple[int, tuple[str, ...]]:
        """Compile a part as a function of its own: its number among the conditions, and the points it looks at."""
        key = f"{wanted} {ast.dump(node)}"
        if key not in self._conditions:
            code, points, part = self._function(node, wanted)
            self._conditions[key] = len(self._codes)
            self._codes.append(code)
            self._part_types.append(part)
            self._trees.append(node)
            self._condition_points.append(points)
        number = self._conditions[key]
        self._scope.points.update(dict.fromkeys(self._condition_points[number]))
        return number, self._condition_points[number]

    def _function(self, tree: ast.expr, wanted: Kind | None) -> tuple[Code, tuple[str, ...], Typed]:
        outer, self._scope = self._scope, Scope(self._fresh)
        part = self.expression(tree)
        if wanted is Kind.CONDITION:
            result = self._as_condition(part, tree)
        else:
            result = self._as_number(part, tree) if wanted is Kind.NUMBER else part.name
        code = _build(self._scope.source("condition", result))
        points = tuple(self._scope.points)
        self._scope = outer
        return code, points, part

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
            return self._literal(float(value), node)
        return Typed(Kind.TEXT, repr(value), literal=str(value))

    def _name(self, node: ast.Name) -> Typed:
        name = node.id
        if name in self._lets:
            return self._let(name, node.col_offset + 1)
        if name in self.environment.parameters:
            unit, zero = self.environment.parameters[name], name in self.environment.zeros
            return Typed(Kind.NUMBER, self._constant_slot("parameter", name), unit=measure(unit), zero=zero)
        if name == BOUND_POINT and self.environment.bound_point:
            return Typed(Kind.NUMBER, self._scope.assign(f"v[{self._slot(name)}]"))
        kind = self.environment.points.get(name)
        if kind is None:
            known = [*self.environment.points, *self.environment.parameters, *self._lets]
            raise ExpressionError(unknown("point, parameter or let term", name, known), "", node.col_offset + 1)
        variable = self._scope.assign(f"v[{self._slot(name)}]")
        if kind.is_text:
            return Typed(Kind.TEXT, variable, values=kind.values)
        return Typed(Kind.NUMBER, variable, switch=kind.unit == "bool", unit=measure(kind.unit))

    def _let(self, name: str, column: int) -> Typed:
        def write() -> Typed:
            try:
                return self.expression(self._lets[name])
            except ExpressionError as error:  # it compiled once already, so this names the place of use
                raise ExpressionError(f"in let {name}: {error.what}", error.hint, column) from error

        return self._scope.let(name, write)

    def _call(self, node: ast.Call, read: str = "{}(now)") -> Typed:
        function = find_function(node)
        form = find_form(function, node)
        name = function.name
        if name in ("abs", "sqrt", "min", "max"):
            parts = [self.expression(item) for item in node.args]
            values = [self._as_number(part, item) for part, item in zip(parts, node.args, strict=True)]
            unit = parts[0].unit
            for part in parts[1:]:
                unit = self._units(joined, node.col_offset + 1, Typed(Kind.NUMBER, "", unit=unit), part)
            missing = self._unknown(*values) + (f" or {values[0]} < 0.0" if name == "sqrt" else "")
            source = f"{values[0]} ** 0.5" if name == "sqrt" else f"{name}({', '.join(values)})"
            unit = result_unit(function.unit, unit)
            return Typed(Kind.NUMBER, self._scope.assign(f"None if {missing} else {source}"), unit=unit)
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
        switch = False
        if name == "settled" and term.condition is not None:
            part = self._part_types[term.condition]
            kind, values_of, switch = part.kind, part.values, part.switch or part.kind is Kind.CONDITION
            kind = Kind.NUMBER if kind is Kind.CONDITION else kind
        index = self._terms.setdefault(term, len(self._terms))
        variable = self._scope.assign(read.format(f"t[{index}]"))
        unit = result_unit(function.unit, self._unit_of(term))
        return Typed(kind, variable, values=values_of, term=index if name in TIMERS else None, unit=unit, switch=switch)

    def _unit_of(self, term: Term) -> Measure | None:
        if term.condition is not None:
            return self._part_types[term.condition].unit
        point = self.environment.points.get(term.point or "")
        return None if point is None else measure(point.unit)

    def _term(self, name: str, form: str, node: ast.Call) -> Term:
        length = duration(node.args[form.index("w")], self.environment) if "w" in form else None
        if name in FROM_CONDITION or name in FROM_NUMBER or name in FROM_ANY:
            wanted = None if name in FROM_ANY else Kind.NUMBER if name in FROM_NUMBER else Kind.CONDITION
            number = whole_number(node.args[1], self.environment) if form == "ck" else None
            return Term(name, None, length, self.part(node.args[0], wanted)[0], number=number)
        point: str | None = None
        if form[:1] in ("p", "t"):
            point = point_name(node.args[0], self.environment, name, numeric=form[0] == "t")
            self._points[point] = None
            self._scope.points[point] = None
        return Term(name, point, length)

    def _learnt(self, function: Function, node: ast.Call) -> Typed:
        """`days_to_limit` and its like get their limit when they are asked; what they learn is without it."""
        limited = function.arguments == ("nn",)
        learner = compile_learner(self, function, node, node.args[:1] if limited else node.args)
        unit, limit = self._part_types[learner.values[0]].unit, ""
        if limited:
            part = self.expression(node.args[1])
            limit = self._as_number(part, node.args[1])
            self._units(joined, node.col_offset + 1, Typed(Kind.NUMBER, "", unit=unit), part)
        term = Term(function.name, learner=self._learners.setdefault(learner, len(self._learners)))
        index = self._terms.setdefault(term, len(self._terms))
        read = f"t[{index}].until({limit}, now)" if limited else f"t[{index}](now)"
        return Typed(Kind.NUMBER, self._scope.assign(read), unit=result_unit(function.unit, unit))

    def _slot(self, name: str) -> int:
        self._points[name] = None
        self._scope.points[name] = None
        return self._slots.setdefault(name, len(self._slots))

    def _constant_slot(self, kind: str, name: str) -> str:
        return self._scope.assign(f"q[{self._constants.setdefault((kind, name), len(self._constants))}]")


def _once(make: Callable[[], Steps]) -> Callable[[], Steps]:
    """Made when it is first asked for, once, whichever thread asks."""
    made, lock = lru_cache(1)(make), Lock()

    def ask() -> Steps:
        with lock:
            return made()

    return ask


def _build(source: str) -> Code:
    """Compile the text we wrote ourselves; it sees nothing but abs, min and max."""
    names: dict[str, object] = {"__builtins__": {"abs": abs, "min": min, "max": max}}
    exec(compile(source, "<rule>", "exec"), names)  # noqa: S102 - the text is ours: names, numbers, quoted texts
    (function,) = (value for key, value in names.items() if key != "__builtins__")
    return function  # type: ignore[return-value]  # exec gives no types


def _build_tuple(source: str) -> LetCode:
    return cast(LetCode, _build(source))
