"""What judging readings against a rule found, with its evidence. Identified by rule, asset (or group) and onset."""

import hashlib
from enum import StrEnum

import msgspec

from facility.reading import Value


class Severity(StrEnum):
    """How bad the fault is. CRITICAL is danger to people or great damage: at once, first priority."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class OrderKind(StrEnum):
    """What kind of order a finding leads to: corrective after a fault, or preventive before one."""

    FAULT = "fault"
    PREVENTIVE = "preventive"


class FindingState(StrEnum):
    """PENDING while its persistence runs, ACTIVE once raised, CLEARED when the clear condition held."""

    PENDING = "pending"
    ACTIVE = "active"
    CLEARED = "cleared"


class EvidenceKind(StrEnum):
    """What a piece of evidence is: the READING at the moment, one BEFORE it, a TERM the rule names, a PART of its
    expressions by its text, a PARAMETER or DESIGN figure in force, or why a NEIGHBOUR rule did not find the same."""

    READING = "reading"
    BEFORE = "before"
    TERM = "term"
    PART = "part"
    PARAMETER = "parameter"
    DESIGN = "design"
    NEIGHBOUR = "neighbour"


class Evidence(msgspec.Struct, frozen=True):
    """One piece of what made the case. `point` is the reading's point, the name of a term or parameter, the text of a
    part, or the neighbour's rule; then `value` is the part of its condition that decided and `unit` how: false,
    unknown, holds, pending or active."""

    asset_id: str
    point: str
    at_us: int
    value: Value
    unit: str
    kind: EvidenceKind = EvidenceKind.READING


class Finding(msgspec.Struct, frozen=True):
    """A finding as it stands now; the engine hands out a whole new value at every change.

    Instants are event time in microseconds since the epoch: `onset_us` when the condition became true,
    `raised_us` when its persistence had passed, `cleared_us` when the clear condition had held. Suppressed and
    shelved findings are active but open no order. `cause_key` names the cause: one open order at most has it.

    `latched`: its condition is over, but it stays until somebody was at the asset. `flapping`: it came and went so
    often that it stays until it has been quiet for a while. `days_left` until a limit is reached, as of `raised_us`,
    with the `confidence` (0 to 100) that it is approached at all; None for findings without a trend.
    """

    id: str
    rule_id: str
    asset_id: str
    building_id: str
    kind: OrderKind
    severity: Severity
    state: FindingState
    title: str
    advice: str
    cause_key: str
    onset_us: int
    raised_us: int
    cleared_us: int | None = None
    suppressed_by: str | None = None
    shelved_by: str | None = None
    shelved_until_us: int | None = None
    shelved_reason: str = ""
    latched: bool = False
    flapping: bool = False
    days_left: float | None = None
    confidence: float | None = None
    diagnoses: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def opens_order(self) -> bool:
        """Whether someone should be sent: active, and neither suppressed nor shelved."""
        return self.state is FindingState.ACTIVE and self.suppressed_by is None and self.shelved_by is None


def finding_id(rule_id: str, subject: str, onset_us: int) -> str:
    """The stable id: hash of rule, asset (or group) and onset in event time. 24 hex digits."""
    return hashlib.blake2b(f"{rule_id}\0{subject}\0{onset_us}".encode(), digest_size=12).hexdigest()
