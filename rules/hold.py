"""What an idle judgement asks at every look: does the condition hold, and if not, which part of it says so?

One function a rule, bound once a judgement: points, parameters and terms are plain variables of it, what since, count
and starts need is brought up to date in line, and the parts that `and` joins are looked at in order until one is
false. It says nothing else than the rule's own condition evaluated as a whole does; a test compares the two.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from rules.functions import FLAGS, FROM_CONDITION
from rules.program import HOLDS, UNKNOWN, Hold, HoldCode, Term
from rules.scope import Scope

_STILL = FLAGS | {"since", "occupied", "hour", "since_visit"}
"""What changes only with a reading that changes something, or at an instant for which it wakes its judgement itself.
Everything else may change with time alone, or with a reading that repeats the value: who asks it never sleeps."""

_KEPT = frozenset({"since", "starts"})
"""What need not be brought up to date while nothing changes."""


class Writer(Protocol):
    """The compiler of a rule, as far as it is needed here."""

    def write_condition(self, tree: ast.expr, scope: Scope) -> str:
        """Write a condition into the scope; the name of its result."""

    def new_scope(self) -> Scope:
        """An empty scope whose names are used nowhere else in the rule."""


def compile_hold(
    writer: Writer, when: ast.expr, conditions: Sequence[ast.expr], slots: Sequence[str], terms: Sequence[Term],
    condition_points: Sequence[Sequence[str]], lets: Sequence[ast.expr],
) -> HoldCode:  # fmt: skip
    """Compile the function of one rule. `conditions` are the trees that `Term.condition` indexes."""
    scope = writer.new_scope()
    chunks = [["alarm.at_us = never", "unknown = False"], []]
    remembering = [term for term in terms if term.remembers]
    if any(term.function not in FROM_CONDITION for term in remembering):
        chunks[0].append("values = [" + ", ".join(f"v[{index}]" for index in range(len(slots))) + "]")
    for number, term in enumerate(remembering):
        if term.function in FROM_CONDITION and term.condition is not None:
            name = writer.write_condition(conditions[term.condition], scope)
            chunks[1] += [*scope.flush(), f"r[{number}].settle({name}, now)"]
        else:
            chunks[1].append(f"r[{number}].update(values, q, t, now)")
    parts = list(parts_of(when))
    for number, part in enumerate(parts):
        name = writer.write_condition(part, scope)
        scope.emit(f"held = {name}")
        chunks.append([*scope.flush(), f"if held is False: return {number}", "if held is None: unknown = True"])
    chunks.append([f"return {UNKNOWN} if unknown else {HOLDS}"])
    function, uses = _fuse(chunks, len(slots), terms)
    firsts: dict[str, int] = {}
    sleeps, still = 0, True
    for number, (used_slots, used_terms) in enumerate(uses[1:-1]):
        first = max(number - 1, 0)
        for name in (*(slots[index] for index in used_slots), *_points_of(terms, used_terms, condition_points)):
            firsts.setdefault(name, first)
        still = still and all(terms[index].function in _STILL for index in used_terms)
        if number and still:
            sleeps = number
    whole = [when, *lets, *conditions]
    if not all(term.function in _KEPT for term in remembering) or not all(map(_is_timed, whole)):
        sleeps = 0
    for term in remembering:
        for name in condition_points[term.condition] if term.condition is not None else ():
            firsts[name] = 0
    return HoldCode(function, firsts, sleeps)


def parts_of(tree: ast.expr) -> Iterator[ast.expr]:
    """What `and` joins to the whole condition, in order."""
    if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And):
        for value in tree.values:
            yield from parts_of(value)
    else:
        yield tree


def _is_timed(tree: ast.expr) -> bool:
    """Whether every `since` stands on a side of <, <=, > or >=, where it wakes its judgement to the microsecond."""
    timed = {
        id(side)
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and all(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops)
        for side in (node.left, *node.comparators)
    }
    return all(
        id(node) in timed
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "since"
    )


def _points_of(terms: Sequence[Term], used: Sequence[int], condition_points: Sequence[Sequence[str]]) -> Iterator[str]:
    for index in used:
        term = terms[index]
        if term.point is not None:
            yield term.point
        if term.condition is not None:
            yield from condition_points[term.condition]


Uses = tuple[list[int], list[int]]
"""The slots and the terms that a chunk of lines uses."""


def _fuse(chunks: Sequence[Sequence[str]], slots: int, terms: Sequence[Term]) -> tuple[Callable[..., Hold], list[Uses]]:
    """The factory of the function, and what each chunk uses."""
    uses: list[Uses] = []
    body: list[ast.stmt] = []
    for chunk in chunks:
        rename = _Rename()
        module = ast.parse("def hold(now):\n" + "\n".join(" " * 4 + line for line in chunk or ["pass"]))
        function = module.body[0]
        assert isinstance(function, ast.FunctionDef)  # noqa: S101 - it was written above
        body += [rename.visit(statement) for statement in function.body]
        uses.append((rename.slots, rename.terms))
    remembering = sum(term.remembers for term in terms)
    given = [f"m{index} = m[{index}]" for index in range(slots)]
    constants = sorted(set(_numbers(body, "q")))
    given += [f"q{index} = q[{index}]" for index in constants]
    given += [f"t{index} = t[{index}]" for index in range(len(terms))]
    given += [f"r{index} = r[{index}]" for index in range(remembering)]
    text = "def make(m, q, t, r, alarm):\n" + "\n".join(f"    {line}" for line in [*given, "def hold(now): pass"])
    outer = ast.parse(text + "\n    return hold\n")
    make = outer.body[0]
    assert isinstance(make, ast.FunctionDef)  # noqa: S101 - it was written above
    inner = make.body[-2]
    assert isinstance(inner, ast.FunctionDef)  # noqa: S101 - as above
    inner.body = body
    ast.fix_missing_locations(outer)
    names: dict[str, Any] = {"__builtins__": {"abs": abs, "min": min, "max": max}, "never": 1 << 62}
    exec(compile(outer, "<rule>", "exec"), names)  # noqa: S102 - the text is ours: names, numbers, quoted texts
    factory: Callable[..., Hold] = names["make"]
    return factory, uses


def _numbers(body: Sequence[ast.stmt], letter: str) -> Iterator[int]:
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and node.id[:1] == letter and node.id[1:].isdigit():
                yield int(node.id[1:])


class _Rename(ast.NodeTransformer):
    """Points, constants and terms by plain variables in place of indexes; a stale point is None."""

    def __init__(self) -> None:
        self.slots: list[int] = []
        self.terms: list[int] = []

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """`v[1]` and its like, which the compiler writes."""
        if not isinstance(node.value, ast.Name) or not isinstance(node.slice, ast.Constant):
            self.generic_visit(node)
            return node
        letter, index = node.value.id, int(str(node.slice.value))
        if letter == "v":
            self.slots.append(index)
            fresh = ast.parse(f"m{index}.value if m{index}.fresh_until_us >= now else None", mode="eval")
            return fresh.body
        if letter == "t":
            self.terms.append(index)
        return ast.Name(f"{letter}{index}", ast.Load())
