"""What an idle judgement asks at every look: does the condition hold, and if not, which part of it says so?

One function a rule, bound once a judgement: points, parameters and terms are plain variables of it, what since, count
and starts need is brought up to date in line, and the parts that `and` joins are looked at in order. It says nothing
else than the rule's own condition evaluated as a whole does; a test compares the two.

A judgement can sleep on one of the first parts when these change with values only. Behind one that changes with time
alone it cannot, even where it is Unknown: what comes later has instants of its own at which it wants to be looked at.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from rules.functions import FLAGS, FROM_CONDITION, FROM_NUMBER, WINDOWED
from rules.program import AWAKE, HOLDS, Bound, HoldCode, LetCode, Term
from rules.reasons import Writer, find_reasons, named, replace_named, used

_STILL = FLAGS | {"since", "occupied", "hour", "since_visit"}
"""What changes only with a reading that changes something, or at an instant for which it wakes its judgement itself.
Everything else may change with time alone, or with a reading that repeats the value: who asks it never sleeps."""

_KEPT = frozenset({"since", "starts"})
"""What need not be brought up to date while nothing changes."""


def compile_hold(
    writer: Writer, when: ast.expr, conditions: Sequence[ast.expr], condition_points: Sequence[Sequence[str]],
    slots: Sequence[str], terms: Sequence[Term], lets: Mapping[str, ast.expr], build: Callable[[str], LetCode],
) -> HoldCode:  # fmt: skip
    """Compile the function of one rule. `conditions` are the trees that `Term.condition` indexes, and
    `condition_points` the points that each looks at."""
    parts = dict(enumerate(parts_of(when)))
    remembering = [term for term in terms if term.remembers]
    kept = [conditions[term.condition] for term in remembering if term.condition is not None]
    can_sleep = (
        all(term.function in _KEPT for term in remembering)
        and all(map(_is_timed, [when, *lets.values(), *conditions]))
        and all(_is_still(tree, writer, terms) for tree in kept)
    )
    still = dict(takewhile(lambda part: can_sleep and _is_still(part[1], writer, terms), parts.items()))
    reasons, atoms = find_reasons(writer, still, kept if still else (), lets, slots, terms, build)

    scope = writer.new_scope()
    lines, given = ["alarm.at_us = never", "unknown = False"], list[str]()
    if any(term.function not in FROM_CONDITION | FROM_NUMBER for term in remembering):
        lines.append("values = [" + ", ".join(f"v[{index}]" for index in range(len(slots))) + "]")
    for number, term in enumerate(remembering):
        if term.function in FROM_CONDITION and term.condition is not None:
            name = writer.write_condition(conditions[term.condition], scope)
            lines += [*scope.flush(), *_settle(number, name, term, len(condition_points[term.condition]), given)]
        elif term.function in FROM_NUMBER and term.condition is not None:
            name = writer.write(conditions[term.condition], scope).name
            lines += [*scope.flush(), f"r[{number}].take({name}, now)"]
        else:
            lines.append(f"r[{number}].update(values, q, t, now)")
    for number, part in parts.items():
        name = writer.write_condition(part, scope)
        lines += [*scope.flush(), f"held = {name}"]
        if number in still:
            lines.append(f"if held is not True: return {number}")
        else:
            lines += [f"if held is False: return {AWAKE}", "if held is None: unknown = True"]
    lines.append(f"return {AWAKE} if unknown else {HOLDS}")

    scope, truths = writer.new_scope(), ""
    for tree in atoms:
        truths += writer.write_condition(tree, scope) + ", "
    return HoldCode(_fuse(lines, [*scope.flush(), f"return ({truths})"], given, len(slots), terms), reasons)


def _is_still(tree: ast.expr, writer: Writer, terms: Sequence[Term]) -> bool:
    scope = writer.new_scope()
    _, used_terms = used(scope.source("part", writer.write_condition(tree, scope)))
    return all(terms[index].function in _STILL for index in used_terms)


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


def _settle(number: int, truth: str, term: Term, points: int, given: list[str]) -> list[str]:
    """Tell a `since`, `count` or `starts` whether its condition is true. What only lasts needs no call; `given` gets
    the variables that are asked instead."""
    call = f"r[{number}].settle({truth}, now)"
    if term.function not in _KEPT:
        return [call]
    given.append(f"n{number} = r[{number}].memory")
    lines = [
        f"if {truth} is not True:",
        f"    if n{number}.since_us >= 0 or n{number}.known is not {truth}: {call}",
        f"elif n{number}.since_us < 0: {call}",
    ]
    for index in range(points):
        given.append(f"k{number}_{index} = r[{number}].looked_at[{index}]")
        until = f"k{number}_{index}.fresh_until_us"
        lines += ["else:"] if not index else []
        lines.append(f"    if now <= {until} < alarm.at_us: alarm.at_us = {until} + 1")
    return lines


def _fuse(
    hold: Sequence[str], atoms: Sequence[str], given: Sequence[str], slots: int, terms: Sequence[Term]
) -> Callable[..., Bound]:
    """The factory of both functions, from the lines of their bodies. `given` are variables they need besides."""
    bodies = ["\n".join(f"        {line}" for line in lines) for lines in (hold, atoms)]
    constants = sorted({number for body in bodies for letter, number in named(body) if letter == "q"})
    variables = [f"m{index} = m[{index}]" for index in range(slots)]
    variables += [f"q{index} = q[{index}]" for index in constants]
    variables += [f"t{index} = t[{index}]; c{index} = t{index}.__call__" for index in range(len(terms))]
    variables += [f"r{index} = r[{index}]" for index in range(sum(term.remembers for term in terms))]

    def variable(letter: str, number: int, call: str) -> str:
        """Points, constants and terms by plain variables in place of indexes; a stale point is None."""
        if letter == "v":
            return f"(m{number}.value if m{number}.fresh_until_us >= now else None)"
        if not call:
            return f"{letter}{number}"
        if terms[number].function in WINDOWED:  # mostly somebody has asked it at this instant already
            return f"(t{number}.known if t{number}.at_us == now else c{number}(now))"
        return f"c{number}(now)"

    text = "\n".join([
        "def make(m, q, t, r, alarm):", *(f"    {line}" for line in (*variables, *given)),
        "    def hold(now):", replace_named(bodies[0], variable),
        "    def atoms(now):", replace_named(bodies[1], variable),
        "    return hold, atoms",
    ])  # fmt: skip
    names: dict[str, Any] = {"__builtins__": {"abs": abs, "min": min, "max": max}, "never": 1 << 62}
    exec(compile(text, "<rule>", "exec"), names)  # noqa: S102 - the text is ours: names, numbers, quoted texts
    factory: Callable[..., Bound] = names["make"]
    return factory
