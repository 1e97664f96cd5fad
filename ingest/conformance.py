"""What a device's conformance report is made of: what was heard of it, and the marks it gets, each with advice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from facility.asset import Asset
from facility.reading import Scan
from ingest.conformance_listen import Heard


class Verdict(StrEnum):
    """PASS; WARN: works, with a weakness; FAIL: readings are lost or not believed; UNSEEN: the time did not show it."""

    PASS = "pass"  # noqa: S105 - a verdict, no secret
    WARN = "warn"
    FAIL = "fail"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing about a device or one of its points (`point` empty: the device)."""

    device: str
    point: str
    aspect: str
    verdict: Verdict
    said: str
    advice: str = ""

    def __post_init__(self) -> None:
        if self.verdict in (Verdict.WARN, Verdict.FAIL) and not self.advice:
            msg = f"{self.device} {self.point} {self.aspect} is {self.verdict} without advice"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class HeardScan:
    """One scan of the device, and the message it came in."""

    heard: Heard
    scan: Scan


@dataclass(slots=True)
class DeviceLog:
    """Everything heard of one device, in order. `is_guessed`: it is in no site file, so its mapping is a guess.

    `is_timed`: its messages carry instants of their own.
    """

    asset: Asset
    is_guessed: bool = False
    is_timed: bool = True
    messages: list[Heard] = field(default_factory=list)
    scans: list[HeardScan] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    wills: list[str] = field(default_factory=list)


def worst(marks: Iterable[Mark]) -> Verdict:
    """FAIL before WARN before PASS; what was not seen does not count."""
    found = {mark.verdict for mark in marks}
    return next((verdict for verdict in (Verdict.FAIL, Verdict.WARN) if verdict in found), Verdict.PASS)


def of_device(marks: Sequence[Mark], device: str) -> list[Mark]:
    """The marks of one device."""
    return [mark for mark in marks if mark.device == device]
