"""The tables of findings and of the orders they belong to. The caller owns the transaction; nothing commits here."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Session, col, select

from facility.finding import Finding, FindingState
from facility.instant import from_us
from ticketing.relation_rows import merged_ids
from ticketing.statements import chunks, insert_into, table_of
from ticketing.tables import FindingRow, MemberRow, WorkOrderRow

REPORTED = "reported."
"""How the rules of findings begin that a person reported: no reading verifies them."""


def save_findings(session: Session, findings: Iterable[Finding]) -> None:
    """Write findings as they stand now, the last word of each. A cleared one stays cleared: an onset clears once."""
    last = {finding.id: finding for finding in findings}
    if last:
        values = [_finding_values(last[finding_id]) for finding_id in sorted(last)]
        session.execute(_upsert_finding(session.get_bind().dialect.name), values)


def lock_active(session: Session, finding_ids: Iterable[str]) -> frozenset[str]:
    """Those of the findings that are known and not cleared yet, held until the transaction ends."""
    found: set[str] = set()
    for part in chunks(sorted(finding_ids)):
        state = col(FindingRow.state) != FindingState.CLEARED.value
        query = select(FindingRow.id).where(col(FindingRow.id).in_(part), state).order_by(FindingRow.id)
        found |= set(session.exec(query.with_for_update()))
    return frozenset(found)


def list_findings(
    session: Session,
    *,
    active: bool | None,
    limit: int | None,
    offset: int = 0,
    asset_id: str | None = None,
    buildings: frozenset[str] | None = None,
) -> Sequence[FindingRow]:
    """Findings, the newest raised first; only active or only cleared ones when `active` says so, only of these
    buildings when they are given. No limit: all."""
    query = select(FindingRow)
    if active is not None:
        state = FindingState.ACTIVE if active else FindingState.CLEARED
        query = query.where(FindingRow.state == state.value)
    if asset_id is not None:
        query = query.where(FindingRow.asset_id == asset_id)
    if buildings is not None:
        query = query.where(col(FindingRow.building_id).in_(sorted(buildings)))
    newest = (col(FindingRow.raised_at).desc(), col(FindingRow.id))
    return session.exec(query.order_by(*newest).limit(limit).offset(offset)).all()


class FindingCount(NamedTuple):
    """How many active findings of one severity an asset has; `is_hidden` ones are explained or shelved."""

    building_id: str
    asset_id: str
    severity: str
    is_hidden: bool
    findings: int


def count_active(session: Session, buildings: frozenset[str] | None) -> list[FindingCount]:
    """Every active finding of these buildings (None: of all), counted: what an overview shows is no more."""
    row = FindingRow
    hidden = sa.or_(col(row.suppressed_by).is_not(None), col(row.shelved_by).is_not(None))
    query = sa.select(
        col(row.building_id), col(row.asset_id), col(row.severity), sa.case((hidden, 1), else_=0), sa.func.count()
    ).where(col(row.state) == FindingState.ACTIVE.value)
    if buildings is not None:
        query = query.where(col(row.building_id).in_(sorted(buildings)))
    rows = session.execute(query.group_by(sa.text("1, 2, 3, 4")))
    return [FindingCount(building, asset, severity, bool(out), many) for building, asset, severity, out, many in rows]


def member_orders(session: Session, finding_ids: Iterable[str]) -> dict[str, str]:
    """Finding id -> order id, of those that belong to an order; of a merged one the order that took it over."""
    found: dict[str, str] = {}
    order_id = sa.func.coalesce(col(WorkOrderRow.merged_into), col(WorkOrderRow.id))
    for part in chunks(finding_ids):
        query = (
            sa.select(col(MemberRow.finding_id), order_id)
            .join(WorkOrderRow, col(WorkOrderRow.id) == col(MemberRow.work_order_id))
            .where(col(MemberRow.finding_id).in_(part))
        )
        found |= {finding: str(order) for finding, order in session.execute(query)}
    return found


def add_members(session: Session, members: Sequence[tuple[str, str]]) -> None:
    """Add (finding id, order id). A finding that is in an order already raises IntegrityError."""
    if members:
        values = [{"finding_id": finding_id, "work_order_id": order_id} for finding_id, order_id in members]
        session.execute(sa.insert(table_of(MemberRow)), values)


def members(session: Session, order_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Order id -> the ids of its findings and of those merged into it, in order of their raising."""
    wanted = list(order_ids)
    merged = merged_ids(session, wanted)
    found: dict[str, list[tuple[datetime, str]]] = {}
    for part in chunks([*wanted, *merged]):
        query = (
            sa.select(col(MemberRow.work_order_id), col(FindingRow.raised_at), col(FindingRow.id))
            .join(FindingRow, col(FindingRow.id) == col(MemberRow.finding_id))
            .where(col(MemberRow.work_order_id).in_(part))
        )
        for order_id, raised_at, finding_id in session.execute(query):
            found.setdefault(merged.get(order_id, order_id), []).append((raised_at, finding_id))
    return {order_id: tuple(finding for _, finding in sorted(rows)) for order_id, rows in found.items()}


def clear_reported(session: Session, order_id: str, at: datetime) -> None:
    """Clear what people reported, of an order whose work is over: no reading ever will."""
    mine = sa.select(col(MemberRow.finding_id)).where(col(MemberRow.work_order_id) == order_id)
    session.execute(
        sa.update(FindingRow)
        .where(
            col(FindingRow.id).in_(mine),
            col(FindingRow.rule_id).startswith(REPORTED),
            col(FindingRow.state) == FindingState.ACTIVE.value,
        )
        .values(state=FindingState.CLEARED.value, cleared_at=at)
    )


def _finding_values(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "rule_id": finding.rule_id,
        "asset_id": finding.asset_id,
        "building_id": finding.building_id,
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "state": finding.state.value,
        "title": finding.title,
        "advice": finding.advice,
        "cause_key": finding.cause_key,
        "onset_at": from_us(finding.onset_us),
        "raised_at": from_us(finding.raised_us),
        "cleared_at": _instant(finding.cleared_us),
        "suppressed_by": finding.suppressed_by,
        "shelved_by": finding.shelved_by,
        "shelved_until": _instant(finding.shelved_until_us),
        "shelved_reason": finding.shelved_reason,
        "latched": finding.latched,
        "flapping": finding.flapping,
        "days_left": finding.days_left,
        "confidence": finding.confidence,
        "diagnoses": list(finding.diagnoses),
        "evidence": finding.evidence,
    }


def _instant(at_us: int | None) -> datetime | None:
    return from_us(at_us) if at_us is not None else None


@cache
def _upsert_finding(dialect: str) -> "postgresql.Insert":
    """Built once: its many columns cost more to put together than to run."""
    insert = insert_into(dialect, FindingRow)
    changed = {name: insert.excluded[name] for name in FindingRow.model_fields if name != "id"}
    keep = col(FindingRow.state) != FindingState.CLEARED.value
    return insert.on_conflict_do_update(index_elements=["id"], set_=changed, where=keep)
