"""The terms promised to people, from what the file says to values, with every calendar checked. Pure."""

from collections.abc import Mapping

from facility.fields import unknown
from ticketing.calendar import Calendar
from ticketing.limit import Limit
from ticketing.terms_load import Path, Refuse, match_of
from ticketing.terms_service import (
    ClaimTerms,
    ComplaintTerms,
    Form,
    OtherClause,
    RequestTerms,
    ServiceTerms,
    SurveyTerms,
)
from ticketing.terms_service_file import ComplaintsEntry, FormEntry, ServicePart, SurveysEntry


def service_terms_of(part: ServicePart, path: Path, calendars: Mapping[str, Calendar], refuse: Refuse) -> ServiceTerms:
    """The terms; a calendar that the revision does not have is refused with its place."""

    def calendar(name: str, where: str) -> Calendar:
        found = calendars.get(name)
        if found is None:
            refuse((*path, where, "calendar"), unknown("calendar of this revision", name, calendars))
            found = next(iter(calendars.values()))
        return found

    requests, complaints, claims = part.requests, part.complaints, part.claims
    return ServiceTerms(
        requests=RequestTerms(
            calendar(requests.calendar, "requests"), requests.review, requests.visit, requests.duplicate_window,
            requests.clause,
        ) if requests is not None else None,
        complaints=_complaints(complaints, calendar(complaints.calendar, "complaints"))
        if complaints is not None else None,
        surveys=_surveys(part.surveys) if part.surveys is not None else None,
        claims=ClaimTerms(
            calendar(claims.calendar, "claims"), claims.plan, claims.visit, claims.follow_up, claims.clause
        ) if claims is not None else None,
        clauses=tuple(OtherClause(one.clause, one.about, one.text) for one in part.clauses),
    )  # fmt: skip


def _complaints(entry: ComplaintsEntry, calendar: Calendar) -> ComplaintTerms:
    urgent: dict[str, Limit] = {}
    if entry.urgent is not None:
        named = {name: getattr(entry.urgent, name) for name in ("accept", "answer", "resolve", "tell")}
        urgent = {name: limit for name, limit in named.items() if limit is not None}
    return ComplaintTerms(
        calendar=calendar,
        accept=entry.accept,
        answer=entry.answer,
        resolve=entry.resolve,
        tell=entry.tell,
        urgent=urgent,
        repeat_window=entry.repeat_window,
        escalate_to=tuple(entry.escalate_to or ()),
        clause=entry.clause,
    )


def _surveys(entry: SurveysEntry) -> SurveyTerms:
    return SurveyTerms(tuple(_form(one) for one in entry.forms), entry.low, entry.target, entry.clause)


def _form(entry: FormEntry) -> Form:
    return Form(
        entry.id, entry.kind, entry.asked(), entry.send_on, entry.closes, tuple(entry.reminders), match_of(entry.match)
    )
