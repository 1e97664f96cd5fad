"""`plantroom survey`: what was asked and answered."""

from typing import Annotated

import typer

from facility.errors import refuse
from plantroom.service_office import done_or_refused, local, missing, service_office, show
from ticketing import survey_rows
from ticketing.survey import SurveyStatus
from ticketing.tables_service import SurveyRow


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Surveys.", no_args_is_help=True)
    app.add_typer(group, name="survey")

    @group.callback()
    def _root() -> None:
        """Surveys."""

    @group.command("list")
    def list_(
        status: Annotated[SurveyStatus | None, typer.Option(help="Only those with this status.")] = None,
        limit: Annotated[int, typer.Option(help="At most this many.")] = 50,
    ) -> None:
        """Show surveys, the newest first."""
        with service_office() as office, office.database.reading() as session:
            for row in survey_rows.list_surveys(session, status=status, limit=limit):
                _show(row)

    @group.command()
    def send() -> None:
        """Send what is due now, remind, and close what is over. The running program does so every minute."""
        with service_office() as office, office.database.writing() as session:
            sent = office.desks.surveys.send_due(session, office.now)
            reminded, closed = office.desks.surveys.remind(session, office.now)
            show(f"{sent} sent, {reminded} reminded, {closed} closed")

    @group.command()
    def answer(
        survey: Annotated[str, typer.Argument(help="Its id.")],
        answers: Annotated[list[str], typer.Argument(help="Each question with its answer, such as speed=5.")],
        reason: Annotated[str, typer.Option(help="Why.")] = "",
    ) -> None:
        """Write down answers that came by another way, such as on the telephone."""
        with service_office() as office, office.database.writing() as session:
            row = survey_rows.find_survey(session, survey, lock=True)
            if row is None:
                missing("survey", survey)
            given = dict(_answer(one) for one in answers)
            _show(done_or_refused(office.desks.surveys.answer(session, row, given, reason, office.now)))


def _answer(text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    if not value.isdecimal():
        raise refuse("answers", f"{text!r} is no answer", "Write the question's id and a number, such as speed=5.")
    return name, int(value)


def _show(row: SurveyRow) -> None:
    score = f"{row.score_hundredths / 100:.2f} of 10" if row.score_hundredths is not None else ""
    nps = f"NPS {row.nps}" if row.nps is not None else ""
    show(row.id, row.form_id, row.status, f"until {local(row.closes_at)}", row.order_id or row.building_id, score, nps)
