"""A row of the table of findings as the noun that pages show."""

from facility.finding import Finding, FindingState, OrderKind, Severity
from facility.instant import to_us
from ticketing.tables import FindingRow


def finding_of(row: FindingRow) -> Finding:
    """A row as the noun; times in microseconds."""
    return Finding(
        id=row.id,
        rule_id=row.rule_id,
        asset_id=row.asset_id,
        building_id=row.building_id,
        kind=OrderKind(row.kind),
        severity=Severity(row.severity),
        state=FindingState(row.state),
        title=row.title,
        advice=row.advice,
        cause_key=row.cause_key,
        onset_us=to_us(row.onset_at),
        raised_us=to_us(row.raised_at),
        cleared_us=to_us(row.cleared_at) if row.cleared_at is not None else None,
        suppressed_by=row.suppressed_by,
        shelved_by=row.shelved_by,
        shelved_until_us=to_us(row.shelved_until) if row.shelved_until is not None else None,
        shelved_reason=row.shelved_reason,
        latched=row.latched,
        flapping=row.flapping,
        days_left=row.days_left,
        confidence=row.confidence,
        diagnoses=tuple(row.diagnoses),
        evidence=row.evidence,
    )
