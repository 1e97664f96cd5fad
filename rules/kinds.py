"""What a part of an expression is: a number, a text or a condition. Checked when a rule is loaded, never later."""

from dataclasses import dataclass
from enum import StrEnum

from rules.measure import Measure


class Kind(StrEnum):
    """The three kinds of value an expression can have; each of them may also be Unknown."""

    NUMBER = "a number"
    TEXT = "a text"
    CONDITION = "a condition"


@dataclass(frozen=True, slots=True)
class Typed:
    """The kind of a part, and what else is known of it before any reading came.

    `values` are the texts an enumeration may have (empty: any); `switch` marks a bare point of unit bool, which
    may stand where a condition is wanted; `name` is the result's variable in the compiled code;
    `unit` is None where none is known; `zero` marks a parameter that is 0 unless somebody sets it.
    """

    kind: Kind
    name: str
    values: tuple[str, ...] = ()
    switch: bool = False
    literal: float | str | None = None
    term: int | None = None
    unit: Measure | None = None
    zero: bool = False
