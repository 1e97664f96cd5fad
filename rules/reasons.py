"""Why a condition does not hold, down to single comparisons: what must change before it can be otherwise.

A condition is `and`, `or` and `not` over atoms. While a part that `and` joins to the whole is false or Unknown, nothing
else matters to the whole, and of that part only the atoms that make it so. An atom that compares a point with a number
that stands still (a parameter, a nameplate figure) keeps its truth while the point stays on its side of that number.
"""

import ast
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rules.kinds import Typed
from rules.program import Known, LetCode, Term
from rules.scope import Scope

MAX_KNOWN = 4_096
"""For how many combinations of truths a rule keeps its answer."""

Node = int | tuple[str, tuple["Node", ...]]
"""The number of an atom, or `and`, `or` or `not` with what they join."""

Limit = tuple[str, int] | None
"""The comparison's sign as seen from the point, and the number of its other side among the limits."""

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_SIGNS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_EVERYWHERE = (-math.inf, math.inf)
_NOWHERE = (math.inf, -math.inf)


class Writer(Protocol):
    """The compiler of a rule, as far as it is needed here."""

    def write(self, tree: ast.expr, scope: Scope) -> Typed:
        """Write an expression into the scope."""

    def write_condition(self, tree: ast.expr, scope: Scope) -> str:
        """Write a condition into the scope; the name of its result."""

    def new_scope(self) -> Scope:
        """An empty scope whose names are used nowhere else in the rule."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One comparison, or what else stands where a condition is wanted. With a `limit` it has one point.

    `timed`: time alone may change it, at an instant for which it wakes its judgement when it is asked.
    """

    points: tuple[str, ...]
    limit: Limit
    timed: bool


@dataclass(frozen=True, slots=True)
class Reasons:
    """`parts` are those of the condition on which a judgement can sleep, by number; `kept` the conditions of the calls
    that remember. `limits(no values, constants, no terms, 0)` gives the numbers that points are compared with.
    """

    atoms: tuple[Atom, ...]
    parts: Mapping[int, Node] = field(hash=False)
    kept: tuple[Node, ...]
    limits: LetCode = field(hash=False)
    _known: dict[tuple[Known, ...], "Matter"] = field(default_factory=dict, hash=False, compare=False)

    def matter(self, part: int, truths: Sequence[Known]) -> "Matter":
        """The atoms that keep the part from holding, and what is kept as it is. `truths` are those of all atoms now."""
        key = (part, *truths)
        known = self._known.get(key)
        if known is None:
            found = dict.fromkeys(_stay(self.parts[part], self, truths, _untrue))
            for node in self.kept:
                found |= dict.fromkeys(_stay(node, self, truths, _same(_truth(node, truths))))
            known = Matter(tuple(found), any(self.atoms[number].timed for number in found))
            if len(self._known) < MAX_KNOWN:
                self._known[key] = known
        return known

    def bands(
        self, matter: "Matter", truths: Sequence[Known], limits: Sequence[Known]
    ) -> Mapping[str, tuple[float, float]]:
        """Within which numbers each point must stay while only the atoms that matter count.

        A point whose every change matters has a band that holds no number.
        """
        bands: dict[str, tuple[float, float]] = {}
        for number in matter.atoms:
            atom = self.atoms[number]
            low, high = _band(atom.limit, truths[number], limits)
            for name in atom.points:
                before = bands.get(name, _EVERYWHERE)
                bands[name] = max(low, before[0]), min(high, before[1])
        return bands


@dataclass(frozen=True, slots=True)
class Matter:
    """The atoms on which a judgement sleeps, by number. `timed`: one of them is."""

    atoms: tuple[int, ...]
    timed: bool


def find_reasons(
    writer: Writer, parts: Mapping[int, ast.expr], kept: Sequence[ast.expr], lets: Mapping[str, ast.expr],
    slots: Sequence[str], terms: Sequence[Term], build: Callable[[str], LetCode],
) -> tuple[Reasons, list[ast.expr]]:  # fmt: skip
    """The reasons of one rule, and the trees of its atoms. What a call that remembers looks at is among `kept`."""
    trees: dict[str, ast.expr] = {}

    def node_of(tree: ast.expr) -> Node:
        while isinstance(tree, ast.Name) and isinstance(lets.get(tree.id), ast.BoolOp | ast.UnaryOp | ast.Compare):
            tree = lets[tree.id]
        if isinstance(tree, ast.BoolOp):
            return ("and" if isinstance(tree.op, ast.And) else "or", tuple(node_of(value) for value in tree.values))
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
            return ("not", (node_of(tree.operand),))
        text = ast.dump(tree)
        trees.setdefault(text, tree)
        return list(trees).index(text)

    nodes = {number: node_of(tree) for number, tree in parts.items()}
    kept_nodes = tuple(node_of(tree) for tree in kept)
    limit_scope, limit_names = writer.new_scope(), list[str]()
    atoms = []
    for tree in trees.values():
        scope = writer.new_scope()
        result = writer.write_condition(tree, scope)
        used_slots, used_terms = used(scope.source("atom", result))
        asked = [point for index in used_terms if (point := terms[index].point) is not None]
        points = tuple(dict.fromkeys([*(slots[index] for index in used_slots), *asked]))
        limit: Limit = None
        compared = _compared(tree, writer, slots) if not used_terms and len(points) == 1 else None
        if compared is not None:
            limit = (compared[0], len(limit_names))
            limit_names.append(writer.write(compared[1], limit_scope).name)
        atoms.append(Atom(points, limit, timed=bool(used_terms)))
    limits = build(limit_scope.source("limits", f"({''.join(name + ', ' for name in limit_names)})"))
    return Reasons(tuple(atoms), nodes, kept_nodes, limits), list(trees.values())


_NAMED = re.compile(r"""\b([vqtr])\[(\d+)\](\(now\))?|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
"""What the compiler writes for a point, a constant or a term; or a quoted text, inside of which it means nothing."""


def named(text: str) -> list[tuple[str, int]]:
    """Letter and number of every point (v), constant (q), term (t, r) that compiled lines name."""
    return [(letter, int(number)) for letter, number, _ in _NAMED.findall(text) if letter]


def replace_named(text: str, write: Callable[[str, int, str], str]) -> str:
    """Compiled lines with what `write` gives for each letter and number, and for the call that follows if any."""
    return _NAMED.sub(lambda found: write(found[1], int(found[2]), found[3]) if found[1] else found[0], text)


def used(text: str) -> tuple[list[int], list[int]]:
    """The slots and the terms that compiled lines name."""
    found = sorted(set(named(text)))
    return [number for letter, number in found if letter == "v"], [number for letter, number in found if letter == "t"]


def _compared(tree: ast.expr, writer: Writer, slots: Sequence[str]) -> tuple[str, ast.expr] | None:
    """The sign and the side that stands still, where a point alone stands on the other."""
    if not isinstance(tree, ast.Compare) or len(tree.ops) != 1 or type(tree.ops[0]) not in _SIGNS:
        return None
    sign = _SIGNS[type(tree.ops[0])]
    for point, other, seen in (
        (tree.left, tree.comparators[0], sign),
        (tree.comparators[0], tree.left, _FLIPPED[sign]),
    ):
        if isinstance(point, ast.Name) and point.id in slots:
            scope = writer.new_scope()
            if not any(used(scope.source("limit", writer.write(other, scope).name))):
                return seen, other
    return None


def _band(limit: Limit, truth: Known, limits: Sequence[Known]) -> tuple[float, float]:
    """Where the point may be while the atom keeps its truth."""
    number = limits[limit[1]] if limit is not None else None
    if limit is None or truth is None or not isinstance(number, float):
        return _NOWHERE
    sign = limit[0] if truth else {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}[limit[0]]
    return {
        "<": (-math.inf, math.nextafter(number, -math.inf)),
        "<=": (-math.inf, number),
        ">": (math.nextafter(number, math.inf), math.inf),
        ">=": (number, math.inf),
        "==": (number, number),
        "!=": _NOWHERE,
    }[sign]


def _truth(node: Node, truths: Sequence[Known]) -> Known:
    if isinstance(node, int):
        return truths[node]
    word, inner = node
    found = [_truth(one, truths) for one in inner]
    if word == "not":
        return None if found[0] is None else not found[0]
    decisive = word == "or"
    if decisive in found:
        return decisive
    return None if None in found else not decisive


Wanted = Callable[[Known], bool]


def _untrue(truth: Known) -> bool:
    return truth is not True


def _unfalse(truth: Known) -> bool:
    return truth is not False


def _unknown(truth: Known) -> bool:
    return truth is None


def _same(truth: Known) -> Wanted:
    """A condition that remembers must keep its truth; not true and not false would be too little to ask."""
    return {True: _is_true, False: _is_false, None: _unknown}[truth]  # type: ignore[index]  # it is a truth


def _is_true(truth: Known) -> bool:
    return truth is True


def _is_false(truth: Known) -> bool:
    return truth is False


_NEGATED: Mapping[Wanted, Wanted] = {_untrue: _unfalse, _unfalse: _untrue, _is_true: _is_false, _is_false: _is_true}


def _stay(node: Node, reasons: Reasons, truths: Sequence[Known], wanted: Wanted) -> list[int]:
    """Atoms that suffice: while they keep their truth, the truth of the node is as wanted (which it is now)."""
    if isinstance(node, int):
        return [node]
    word, inner = node
    if wanted is _unknown:
        return [number for one in inner for number in _stay(one, reasons, truths, _unknown)]
    if word == "not":
        return _stay(inner[0], reasons, truths, _NEGATED[wanted])
    one_suffices = (word == "and") == (wanted in (_untrue, _is_false))
    if not one_suffices:
        return [number for one in inner for number in _stay(one, reasons, truths, wanted)]
    ways = [_stay(one, reasons, truths, wanted) for one in inner if wanted(_truth(one, truths))]
    return min(ways, key=lambda way: sum(_cost(reasons.atoms[number], truths[number]) for number in way))


def _cost(atom: Atom, truth: Known) -> int:
    """An atom with a band is nearly free, each point whose every change matters is not."""
    has_band = atom.limit is not None and truth is not None and atom.limit[0] != ("!=" if truth else "==")
    return 1 if has_band else 10 * len(atom.points)
