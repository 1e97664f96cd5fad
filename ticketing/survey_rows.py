"""What the tables know of surveys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from facility.finding import OrderKind
from ticketing.service_rows import is_name
from ticketing.statements import insert_into, row_count
from ticketing.survey import SurveyStatus
from ticketing.tables import WorkOrderRow
from ticketing.tables_service import SurveyRow


def completed_unasked(session: Session, form_id: str, since: datetime, now: datetime) -> Sequence[WorkOrderRow]:
    """Fault orders completed in [since, now] about which this form has not been sent."""
    order, survey = WorkOrderRow, SurveyRow
    asked = sa.exists().where(col(survey.form_id) == form_id, col(survey.subject) == col(order.id))
    query = select(order).where(
        col(order.completed_at) >= since, col(order.completed_at) <= now, order.kind == OrderKind.FAULT.value, ~asked
    )
    return session.exec(query.order_by(col(order.completed_at))).all()


def send(session: Session, values: dict[str, Any]) -> bool:
    """Write a survey; False when this form was sent for this occasion already, by whomever."""
    query = insert_into(session.get_bind().dialect.name, SurveyRow).values(**values)
    once = query.on_conflict_do_nothing(index_elements=["form_id", "subject"]).returning(col(SurveyRow.id))
    return session.execute(once).first() is not None


def find_survey(session: Session, survey_id: str, *, lock: bool = False) -> SurveyRow | None:
    """One survey; with `lock`, held until the transaction ends."""
    if not is_name(survey_id):
        return None
    query = select(SurveyRow).where(SurveyRow.id == survey_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.exec(query).one_or_none()


def list_surveys(
    session: Session,
    *,
    status: SurveyStatus | None = None,
    order_id: str | None = None,
    limit: int,
    offset: int = 0,
    buildings: frozenset[str] | None = None,
) -> Sequence[SurveyRow]:
    """Surveys, of all buildings or of these, the newest first."""
    query = select(SurveyRow)
    if buildings is not None:
        query = query.where(col(SurveyRow.building_id).in_(sorted(buildings)))
    if status is not None:
        query = query.where(SurveyRow.status == status.value)
    if order_id is not None:
        query = query.where(SurveyRow.order_id == order_id)
    newest = (col(SurveyRow.sent_at).desc(), col(SurveyRow.id))
    return session.exec(query.order_by(*newest).limit(limit).offset(offset)).all()


def open_and_due(session: Session, now: datetime) -> Sequence[SurveyRow]:
    """Surveys that are to be reminded of now, or that have closed, locked."""
    row = SurveyRow
    due = sa.or_(col(row.next_reminder_at) <= now, col(row.closes_at) <= now)
    query = select(row).where(row.status == SurveyStatus.SENT.value, due)
    return session.exec(query.order_by(col(row.sent_at)).with_for_update()).all()


def change(session: Session, survey_id: str, values: dict[str, Any]) -> bool:
    """Write what became of a survey that is still open; False when it no longer is."""
    still = (col(SurveyRow.id) == survey_id, col(SurveyRow.status) == SurveyStatus.SENT.value)
    return bool(row_count(session.execute(sa.update(SurveyRow).where(*still).values(**values))))
