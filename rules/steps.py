"""The parts of a rule's expressions by their text, so that a finding can show what each of them came to."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rules.functions import CALENDAR
from rules.hold import parts_of
from rules.kinds import Kind, Typed
from rules.program import LetCode
from rules.scope import Scope

MAX_STEPS = 32


@dataclass(frozen=True, slots=True)
class Steps:
    """`values` gives all of them, in the order of `texts`; the first `parts` are those that `and` joins to the whole
    condition. `units` are those of numbers where one is known, bool for conditions; `let_units` those of the let terms.
    `hours` are the parts, by number, that ask for the time of day or week and for nothing else."""

    texts: tuple[str, ...]
    units: tuple[str, ...]
    parts: int
    values: LetCode = field(hash=False)
    let_units: tuple[str, ...]
    hours: frozenset[int]


class Writer(Protocol):
    """The compiler of a rule, as far as it is needed here."""

    def write(self, tree: ast.expr, scope: Scope) -> Typed:
        """Write an expression into the scope."""

    def new_scope(self) -> Scope:
        """An empty scope whose names are used nowhere else in the rule."""


def compile_steps(
    writer: Writer, when: ast.expr, lets: Mapping[str, ast.expr], build: Callable[[str], LetCode]
) -> Steps:
    """Every part of the condition and of the let terms that is more than a name or a number, the whole ones first."""
    parts = list(parts_of(when))
    found: dict[str, ast.expr] = {f"{number} {ast.unparse(part)}": part for number, part in enumerate(parts)}
    seen = {ast.unparse(part) for part in parts}
    for tree in (when, *lets.values()):
        for node in _inner(tree):
            text = ast.unparse(node)
            if text not in seen and len(found) < MAX_STEPS:
                seen.add(text)
                found[text] = node
    hours = {number for number, part in enumerate(parts) if _asks_only_the_hour(writer, part, lets)}
    let_units = tuple(_unit(writer.write(tree, writer.new_scope())) for tree in lets.values())
    scope = writer.new_scope()
    written = [writer.write(node, scope) for node in found.values()]
    source = scope.source("steps", f"({''.join(part.name + ', ' for part in written)})")
    return Steps(
        texts=tuple(ast.unparse(node) for node in found.values()),
        units=tuple(_unit(part) for part in written),
        parts=len(parts),
        values=build(source),
        let_units=let_units,
        hours=frozenset(hours),
    )


def _asks_only_the_hour(writer: Writer, part: ast.expr, lets: Mapping[str, ast.expr]) -> bool:
    scope = writer.new_scope()
    writer.write(part, scope)
    trees, called = [part, *(lets[name] for name in scope.lets)], set[str]()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called.add(node.func.id)
    return not scope.points and bool(called & CALENDAR) and called <= CALENDAR | {"abs", "min", "max"}


def _unit(part: Typed) -> str:
    if part.kind is Kind.CONDITION:
        return "bool"
    unit = str(part.unit) if part.unit is not None else ""
    return "" if unit == "1" else unit


def _inner(tree: ast.expr) -> Iterator[ast.expr]:
    """Comparisons, calls and arithmetic, outer ones first; nothing inside the named arguments of a call."""
    queue: Sequence[ast.AST] = [tree]
    while queue:
        following: list[ast.AST] = []
        for node in queue:
            if isinstance(node, ast.Compare | ast.Call | ast.BinOp):
                yield node
            if isinstance(node, ast.Call):
                following += node.args
            else:
                following += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        queue = following
