"""What the forms of the back office share: refusing those of other sites, and saying what is wrong beside its field."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from dashboards.web.origin import Origin, judge_origin
from dashboards.web.pages import Pages
from dashboards.web.visitor import Visitor
from facility.errors import InputError, PlantroomError


def refuse_foreign(pages: Pages, request: Request, user: Visitor) -> HTMLResponse | None:
    """The refusal of a form that came from elsewhere."""
    own = judge_origin(request.headers) is Origin.OWN
    return None if own else pages.refuse(request, user, 403, "error.origin")


def words_of(error: PlantroomError) -> str:
    """What is wrong and what to do, for people."""
    if isinstance(error, InputError):
        return " ".join(f"{problem.what}. {problem.hint}".strip() for problem in error.problems)
    return str(error)


def field_of(error: PlantroomError) -> str:
    """The form's field that the error is about; empty for the whole form."""
    return error.problems[0].where if isinstance(error, InputError) else ""
