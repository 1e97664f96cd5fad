"""The routes of surveys."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from facility.clock import Clock
from ticketing import survey_rows
from ticketing.api import Limit, Offset, Sessions, Text
from ticketing.asker import Anybody, Asker
from ticketing.found import found_survey
from ticketing.problem import REFUSALS, refuse
from ticketing.request import Declined
from ticketing.service_views import SurveyView, survey_view
from ticketing.survey import SurveyStatus
from ticketing.survey_desk import SurveyDesk


class AnswersBody(BaseModel):
    """The answer to each question by its id, and why."""

    model_config = ConfigDict(extra="forbid")

    answers: dict[str, Any]
    reason: Text = ""


def build_survey_router(sessions: Sessions, clock: Clock, desk: SurveyDesk, asker: Asker | None = None) -> APIRouter:
    """The routes. Who may call is decided where they are mounted."""
    who: Asker = asker or Anybody()
    router = APIRouter(prefix="/api", tags=["surveys"], responses=REFUSALS)

    @router.get("/surveys")
    def surveys(
        status: Annotated[SurveyStatus | None, Query()] = None,
        order: Annotated[Text | None, Query(description="order id")] = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> list[SurveyView]:
        """Surveys, the newest first."""
        with sessions.reading() as session:
            rows = survey_rows.list_surveys(
                session, status=status, order_id=order, limit=limit, offset=offset, buildings=who.buildings()
            )
            return [survey_view(row, desk.form_of(row)) for row in rows]

    @router.get("/surveys/{id}")
    def survey(id: str) -> SurveyView:  # noqa: A002 - the documented name
        """One survey with its questions."""
        with sessions.reading() as session:
            row = found_survey(session, id, who)
            return survey_view(row, desk.form_of(row))

    @router.post("/surveys/{id}/answers")
    def answer(id: str, body: AnswersBody) -> SurveyView:  # noqa: A002 - the documented name
        """Answer a survey, once. A low answer opens a complaint."""
        with sessions.writing() as session:
            row = found_survey(session, id, who, lock=True)
            done = desk.answer(session, row, body.answers, body.reason, clock.now())
            if isinstance(done, Declined):
                status = 409 if row.status != SurveyStatus.SENT else 422
                refuse(status, done.what, f"survey {id}", done.hint)
            return survey_view(done, desk.form_of(done))

    return router
