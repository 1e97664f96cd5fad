"""What the doctor says: one line a check, good, warn or bad, and what to do about it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """GOOD; WARN: it works, but look at it; BAD: the program cannot do its work like this."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found, and for everything but GOOD what to do."""

    name: str
    verdict: Verdict
    said: str
    advice: str = ""

    def __post_init__(self) -> None:
        if self.verdict is not Verdict.GOOD and not self.advice:
            msg = f"check {self.name} says {self.verdict} without advice"
            raise ValueError(msg)


def good(name: str, said: str) -> Check:
    """All is well."""
    return Check(name, Verdict.GOOD, said)


def warn(name: str, said: str, advice: str) -> Check:
    """It works, but look at it."""
    return Check(name, Verdict.WARN, said, advice)


def bad(name: str, said: str, advice: str) -> Check:
    """The program cannot do its work like this."""
    return Check(name, Verdict.BAD, said, advice)


def exit_code(checks: Iterable[Check]) -> int:
    """1 when anything is bad, else 0."""
    return int(any(check.verdict is Verdict.BAD for check in checks))


def as_lines(checks: Iterable[Check]) -> list[str]:
    """For people: verdict, name and what was found; below it what to do."""
    lines = []
    for check in checks:
        lines.append(f"{check.verdict:<4}  {check.name:<10}  {check.said}")
        if check.advice:
            lines.append(f"{'':18}{check.advice}")
    return lines


def as_json(checks: Iterable[Check]) -> str:
    """For programs: a list of objects with name, verdict, said and advice."""
    return json.dumps(
        [{"name": one.name, "verdict": one.verdict, "said": one.said, "advice": one.advice} for one in checks],
        ensure_ascii=False, indent=2,
    )  # fmt: skip
