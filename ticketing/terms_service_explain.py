"""What a contract promises to people beside repairs, in words."""

from collections.abc import Iterable

from facility.instant import format_duration
from ticketing.terms_service import Form, SendOn, ServiceTerms


def explain_service(terms: ServiceTerms) -> list[str]:
    """Blocks of lines, an empty line before each; nothing for terms that are not there."""
    blocks = (
        ("Requests:", list(_requests(terms))),
        ("Complaints:", list(_complaints(terms))),
        ("Surveys:", list(_surveys(terms))),
        ("Claims inside the warranty:", list(_claims(terms))),
        ("Also agreed:", [f"{one.about} (clause {one.clause}): {one.text}" for one in terms.clauses]),
    )
    return [line for head, lines in blocks if lines for line in ("", head, *(f"  {each}" for each in lines))]


def _clause(clause: str) -> str:
    return f" (clause {clause})" if clause else ""


def _requests(terms: ServiceTerms) -> Iterable[str]:
    one = terms.requests
    if one is not None:
        visit = f", looked at on site within {one.visit}" if one.visit is not None else ""
        yield f"reviewed within {one.review}{visit} of entry, calendar {one.calendar.name}{_clause(one.clause)}"
        yield f"another one about the same thing within {format_duration(one.duplicate_window)} joins it"


def _complaints(terms: ServiceTerms) -> Iterable[str]:
    one = terms.complaints
    if one is not None:
        tell = f"; result told within {one.tell} of that" if one.tell is not None else ""
        limits = f"accepted within {one.accept}, answered within {one.answer}, resolved within {one.resolve}{tell}"
        yield f"{limits}, calendar {one.calendar.name}{_clause(one.clause)}"
        if one.urgent:
            yield f"urgent: {', '.join(f'{name} within {limit}' for name, limit in one.urgent.items())}"
        yield f"the same matter within {format_duration(one.repeat_window)} is a repeat"
        if one.escalate_to:
            yield f"urgent ones, repeats and missed limits go to {', '.join(one.escalate_to)}"


def _surveys(terms: ServiceTerms) -> Iterable[str]:
    one = terms.surveys
    if one is not None:
        yield from (_form(form) for form in one.forms)
        yield f"an answer of {one.low} of 5 or less opens a complaint; target {one.target} of 10{_clause(one.clause)}"


def _form(form: Form) -> str:
    when = "when an order is completed" if form.send_on is SendOn.COMPLETE else "twice a year"
    asks = ", ".join(
        f"{one.id} ({one.scale}{f', weight {one.weight}' if one.weight != 1 else ''})" for one in form.questions
    )
    reminders = ", ".join(format_duration(one) for one in form.reminders)
    reminded = f"; reminds after {reminders}" if reminders else ""
    closes = format_duration(form.closes)
    return f"{form.id}: {form.kind}, sent {when} for {form.match}, open for {closes}{reminded}: {asks}"


def _claims(terms: ServiceTerms) -> Iterable[str]:
    one = terms.claims
    if one is not None:
        again = f"; follow-up {one.follow_up}" if one.follow_up is not None else ""
        limits = f"planned within {one.plan}, on site within {one.visit}, calendar {one.calendar.name}"
        yield f"{limits}{_clause(one.clause)}{again}"
