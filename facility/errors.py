"""The one tree of errors. A caller handles what is here; anything else is a bug.

`InputError` carries every problem found in one input, each saying what is wrong, where, and what to do.
`RetryableError` says that the same call may succeed later; `PermanentError` that it never will.
"""

from collections.abc import Iterable
from dataclasses import dataclass


class PlantroomError(Exception):
    """Anything this program refuses or cannot do, in words an operator can act on."""


class RetryableError(PlantroomError):
    """It failed now and may succeed later: a server that is away, a lock that is held."""


class PermanentError(PlantroomError):
    """Trying again will not help; something has to be changed first."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input.

    `where` names the input (a file, a topic, a flag); `line` and `column` count from 1, None where the input
    has no lines; `field` is the path inside it (`buildings[0].assets[2].class`); `hint` says what to do.
    """

    where: str
    what: str
    hint: str = ""
    field: str = ""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = self.where
        if self.line is not None:
            place += f":{self.line}" + (f":{self.column}" if self.column is not None else "")
        parts = [place, *([self.field] if self.field else []), self.what]
        text = ": ".join(parts)
        return f"{text}. {self.hint}" if self.hint else text


class InputError(PermanentError):
    """An input that cannot be used, with every problem found in it (not just the first)."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        if not self.problems:
            msg = "InputError needs at least one problem"
            raise ValueError(msg)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def refuse(where: str, what: str, hint: str = "", *, field: str = "", line: int | None = None) -> InputError:
    """An `InputError` with one problem; the caller raises it."""
    return InputError([Problem(where, what, hint, field, line)])
