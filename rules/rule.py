"""A rule: the criterion by which readings become a finding."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from facility.finding import OrderKind, Severity
from rules.program import Program


class Group(StrEnum):
    """Whose findings share one cause: each asset's own, those of a space, those of a building."""

    ASSET = "asset"
    SPACE = "space"
    BUILDING = "building"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of a rule that a class, an asset or a site may set otherwise, in its own `unit`."""

    name: str
    value: float
    unit: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, checked and compiled.

    `classes` is empty for every class. `persistence` and `clear_persistence` are microseconds or the name of a
    parameter with a unit of time, and so is `forgive`: how long the condition may fail without starting anew.
    `text_hash` changes when anything that judges changes. `suppresses` names rules that this one explains while it is
    active: on the same asset, and with `downstream` on everything the asset contains, feeds or controls. It goes on
    explaining for `release_us` after it cleared: what was behind it needs a while to come back. `chinese`
    gives the Chinese text for each English one: name, diagnosis, advice, check list.
    With `latch` a raised finding stays until a visit. One that was raised `flapping_times` within `flapping_us`
    (0: any number) stays until it has been quiet for `flapping_us`.
    """

    id: str
    classes: tuple[str, ...]
    name: Mapping[str, str] = field(hash=False)
    kind: OrderKind
    severity: Severity
    parameters: Mapping[str, Parameter] = field(hash=False)
    let_texts: Mapping[str, str] = field(hash=False)
    when_text: str
    clear_text: str | None
    persistence: int | str
    clear_persistence: int | str
    forgive: int | str
    latch: bool
    flapping_times: int
    flapping_us: int
    suppresses: tuple[str, ...]
    downstream: bool
    release_us: int
    group: Group
    for_each_point: bool
    diagnosis: tuple[str, ...]
    advice: str
    checklist: tuple[str, ...]
    reference: str
    program: Program = field(hash=False, compare=False)
    chinese: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)
    text_hash: str = ""
    where: str = ""

    def covers(self, equipment_class: str) -> bool:
        """Whether the rule is meant for assets of this class."""
        return not self.classes or equipment_class in self.classes
