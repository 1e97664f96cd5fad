"""An order that a person opens, without a finding of the rules. Pure: it becomes a finding that a person reported."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from facility.asset import Asset
from facility.finding import Finding, FindingState, OrderKind, Severity
from facility.instant import to_us
from ticketing.finding_rows import REPORTED

RULE = f"{REPORTED}order"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done. `key` makes it this order and no other; `part_of` names the order it is part of."""

    key: str
    title: str
    by: str
    severity: Severity = Severity.MEDIUM
    note: str = ""
    part_of: str = ""

    def __post_init__(self) -> None:
        if not self.title or not self.key:
            msg = "an order needs a title that says what is to be done"
            raise ValueError(msg)


def reported_finding(wanted: Wanted, asset: Asset, at: datetime) -> Finding:
    """The finding of an order that a person opens at `at` (aware UTC); its cause is its own."""
    name = hashlib.blake2b(f"{RULE}{asset.id}{wanted.key}".encode(), digest_size=12).hexdigest()
    at_us = to_us(at)
    return Finding(
        id=f"fi_{name}",
        rule_id=RULE,
        asset_id=asset.id,
        building_id=asset.building_id,
        kind=OrderKind.FAULT,
        severity=wanted.severity,
        state=FindingState.ACTIVE,
        title=wanted.title,
        advice=f"{wanted.note} Opened by {wanted.by}.".strip(),
        cause_key=f"{asset.id}/{RULE}/{name}",
        onset_us=at_us,
        raised_us=at_us,
    )
