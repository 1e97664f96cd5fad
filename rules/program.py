"""What a rule's expressions compile to: plain functions, and what must be bound before they can run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from facility.catalogue import PointType
from facility.reading import Value
from rules.kinds import Kind

if TYPE_CHECKING:
    from rules.reasons import Reasons
    from rules.steps import Steps

Known = float | str | bool | None
"""A result; None is Unknown."""

Code = Callable[[Sequence[Value | None], Sequence[float], Sequence[Callable[[int], Known]], int], Known]
"""(values of the points, constants, terms, now_us) -> result. Pure but for what the terms remember."""

LetCode = Callable[[Sequence[Value | None], Sequence[float], Sequence[Callable[[int], Known]], int], tuple[Known, ...]]

Hold = Callable[[int], int]
"""`now_us` -> HOLDS, AWAKE, or the number of a part of the condition that is not true and on which one can sleep."""

Bound = tuple[Hold, Callable[[int], tuple[Known, ...]]]
"""What a judgement asks: whether its condition holds, and the truths of its atoms (see `Reasons`)."""

HOLDS = -1
AWAKE = 1 << 30
"""It does not hold, and any look may find it otherwise."""

BOUND_POINT = "point"
"""The name that `for_each: point` binds to each point of the asset in turn."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The names an expression may use: points with their types, parameters with their units.

    `zeros` are the parameters whose default is 0, by which nothing may be divided.
    """

    points: Mapping[str, PointType] = field(hash=False)
    parameters: Mapping[str, str] = field(default_factory=dict, hash=False)
    bound_point: bool = False
    zeros: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Term:
    """A call that needs more than the present values: a window, a timer, a flag, the calendar.

    `point` is None for the whole asset; `duration` is microseconds or a parameter's name; `condition` indexes
    `Program.conditions`, `learner` indexes `Program.learners`; `number` is a whole number or a parameter's name.
    """

    function: str
    point: str | None = None
    duration: int | str | None = None
    condition: int | None = None
    learner: int | None = None
    number: int | str | None = None

    @property
    def remembers(self) -> bool:
        """Whether it is brought up to date before the conditions are evaluated."""
        return self.condition is not None or self.learner is not None


@dataclass(frozen=True, slots=True)
class Learner:
    """What a call that learns looks at. `values`, `when` and `mode` index `Program.conditions`.

    `settings` are numbers, microseconds or names of parameters. Two calls of one `signature` and equal settings on one
    asset learn the same thing, once; `with_parameters` says that it holds within one rule only. `label` is for people.
    """

    group: str
    signature: str
    label: str
    values: tuple[int, ...]
    when: int | None
    mode: int | None
    settings: tuple[tuple[str, int | float | str], ...]
    points: tuple[str, ...]
    with_parameters: bool


@dataclass(frozen=True, slots=True)
class HoldCode:
    """`bind(memories of the points, constants, terms, those of them that remember, alarm)` gives the functions."""

    bind: Callable[[Sequence[Any], Sequence[float], Sequence[Any], Sequence[Any], Any], Bound] = field(hash=False)
    reasons: "Reasons" = field(hash=False)


@dataclass(frozen=True, slots=True)
class Program:
    """One rule, compiled. `slots` are the points whose present value is used; `points` all points it needs.

    `constants` are ("parameter", name) and ("design", name); they are looked up once per asset.
    `condition_points` are the points each of `conditions` looks at. `steps` are compiled when they are first asked for.
    """

    slots: tuple[str, ...]
    points: tuple[str, ...]
    constants: tuple[tuple[str, str], ...]
    terms: tuple[Term, ...]
    conditions: tuple[Code, ...]
    condition_points: tuple[tuple[str, ...], ...]
    learners: tuple[Learner, ...]
    let_names: tuple[str, ...]
    let_kinds: tuple[Kind, ...]
    lets: LetCode
    when: Code
    clear: Code | None
    hold: HoldCode
    steps: "Callable[[], Steps]" = field(hash=False, compare=False)
