"""Operating states as data: named states with their conditions become let terms of the rules that name them."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from facility.catalogue import point_types
from facility.document import Places, format_path
from facility.errors import Problem
from facility.instant import parse_duration
from rules.calls import TIME_UNITS
from rules.compiler import Compiler
from rules.errors import ExpressionError
from rules.functions import FUNCTIONS
from rules.program import Environment

if TYPE_CHECKING:
    from rules.rule_file import RuleEntry, StatesEntry

NOW = "_now"
"""What is appended to a machine's name for the state before its delay has passed."""


class Machines:
    """The operating states of one file; `problems` are what is wrong with them, with their places."""

    def __init__(self, entries: "Sequence[StatesEntry]", places: Places, where: str) -> None:
        self._entries = entries
        self.problems: list[Problem] = []
        for index, entry in enumerate(entries):
            for field, what, hint, column in self._check(entry):
                path: tuple[str | int, ...] = ("states", index, *field)
                known, line, start = places.find(path)
                inside = places.inside(path, column - 1) if column else (None, None)
                place = inside if inside[0] is not None else (line, start)
                self.problems.append(Problem(where, what, hint, format_path(known), *place))

    @property
    def names(self) -> frozenset[str]:
        """Every name that stands for a state."""
        return frozenset(name for entry in self._entries for name in (entry.id, entry.id + NOW))

    def write_out(self, rule: "RuleEntry") -> "RuleEntry":
        """The rule with the states it names as its first let terms, and their parameters among its own."""
        text = " ".join([*rule.let.values(), rule.when, rule.clear or ""])
        used = [entry for entry in self._entries if re.search(rf"\b{entry.id}({NOW})?\b", text)]
        if not used:
            return rule
        lets = {name: term for entry in used for name, term in _lets(entry).items()}
        parameters = {name: value for entry in used for name, value in entry.parameters.items()}
        update = {"let": {**lets, **rule.let}, "parameters": {**parameters, **rule.parameters}}
        return rule.model_copy(update=update)

    def _check(self, entry: "StatesEntry") -> list[tuple[tuple[str, ...], str, str, int]]:
        found: list[tuple[tuple[str, ...], str, str, int]] = []
        if entry.id in point_types() or entry.id in FUNCTIONS:
            found.append((("id",), f"{entry.id!r} is already a point or a function", "Choose another name.", 0))
        compiler = Compiler(Environment(point_types(), {name: item.unit for name, item in entry.parameters.items()}))
        for name, text in entry.states.items():
            try:
                compiler.condition(text)
            except ExpressionError as error:
                what = f"{error.what} (at character {error.column} of the expression)"
                found.append((("states", name), what, error.hint, error.column))
        parameter = entry.parameters.get(str(entry.delay))
        if parameter is not None and parameter.unit not in TIME_UNITS:
            found.append((("delay",), f"the parameter {entry.delay!r} has no unit of time", "Give it s or min.", 0))
        if parameter is None:
            try:
                parse_duration(entry.delay)
            except ValueError as error:
                found.append((("delay",), str(error), "Or name a parameter.", 0))
        return found


def _lets(entry: "StatesEntry") -> dict[str, str]:
    chain = "".join(f"{name!r} if ({text}) else " for name, text in entry.states.items()) + repr(entry.otherwise)
    delay = entry.delay if entry.delay in entry.parameters else parse_duration(entry.delay).total_seconds()
    settled = f"settled({entry.id}{NOW}, {delay})" if delay else f"{entry.id}{NOW}"
    return {entry.id + NOW: chain, entry.id: settled}
