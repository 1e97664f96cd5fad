"""Which readings can change what a rule says, so that the others need no look at it."""

import ast
from enum import Enum

from rules.functions import FLAGS, FROM_NUMBER, LEARNING, SILENCE, WINDOWED
from rules.rule import Rule

_EVERY_READING = WINDOWED | SILENCE | FROM_NUMBER | LEARNING | {"count", "starts", "of_last", "siblings"}


class Trigger(Enum):
    """Every reading; a changed value or quality; a changed quality; a reading while the judgement is not idle."""

    READING = 0
    CHANGE = 1
    QUALITY = 2
    RETURN = 3


def find_trigger(rule: Rule) -> Trigger:
    """The cheapest trigger that misses nothing.

    Windows, counts and silence may change with a reading that repeats the value. Flags look at the quality alone.
    Where a rule is silences joined by `and` and `or`, a reading can only make it false: that matters once it is not.
    """
    program = rule.program
    functions = {term.function for term in program.terms}
    alone = not program.slots and not program.constants and bool(functions)
    if alone and functions <= FLAGS:
        return Trigger.QUALITY
    if alone and functions <= SILENCE and _only_joins(rule):
        return Trigger.RETURN
    return Trigger.READING if functions & _EVERY_READING else Trigger.CHANGE


def _only_joins(rule: Rule) -> bool:
    """Whether the condition is calls joined by `and` and `or`, without lets and an own clear condition."""
    if rule.let_texts or rule.clear_text is not None:
        return False
    allowed = (ast.BoolOp, ast.And, ast.Or, ast.Call, ast.Name, ast.Load, ast.Constant)
    tree = ast.parse(rule.when_text, mode="eval").body
    return all(isinstance(node, allowed) for node in ast.walk(tree))
