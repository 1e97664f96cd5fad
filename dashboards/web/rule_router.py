"""The pages of rules: the list, one rule with how it stands, and trials of it over the readings kept."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards.web.backtest_page import report_part
from dashboards.web.origin import Origin, judge_origin
from dashboards.web.pages import Pages
from dashboards.web.rule_view import RuleDesk, RuleLine, TrialKind, TrialWish
from dashboards.web.visitor import Visitor
from facility.catalogue import point_types
from facility.errors import PlantroomError

MOST_FINDINGS = 12
DAYS = (1, 3, 7, 14, 30)


def rule_router(pages: Pages, desk: RuleDesk) -> APIRouter:
    """`/rules`, `/rules/{id}`, `POST /rules/{id}/trials` and `/rules/trials/{id}`."""
    router = APIRouter()

    def seen(user: Visitor) -> frozenset[str]:
        return frozenset(pages.view_for(user).registry().assets)

    def rule_page(request: Request, user: Visitor, rule_id: str, status: int = 200, refused: str = "") -> HTMLResponse:
        detail = desk.detail(rule_id, seen(user))
        if detail is None:
            return pages.refuse(request, user, 404, "error.no.rule", id=rule_id)
        page, view = pages.page(request, user), pages.view_for(user)
        findings = [one for one in view.findings(limit=1_000) if one.rule_id == rule_id][:MOST_FINDINGS]
        return pages.show(
            request, page, "rule.html", status, rule=detail, findings=findings, days=DAYS, refused=refused,
            example=desk.example(rule_id, page.words),
            labels={name: point_types()[name].label for name in detail.points if name in point_types()},
            trials=desk.trials(rule_id) if user.buildings is None else (), may_try=user.buildings is None,
        )  # fmt: skip

    @router.get("/rules", response_class=HTMLResponse)
    def rules(request: Request) -> HTMLResponse:
        user = pages.visitor(request)
        show, kind = request.query_params.get("show", ""), request.query_params.get("class", "")
        lines = desk.lines(seen(user))
        classes = sorted({name for line in lines for name in line.classes})
        chosen = [line for line in lines if _is_shown(line, show, kind)]
        page = pages.page(request, user)
        return pages.show(request, page, "rules.html", lines=chosen, show=show, kind=kind, classes=classes)

    @router.get("/rules/{rule_id}", response_class=HTMLResponse)
    def rule(request: Request, rule_id: str) -> HTMLResponse:
        return rule_page(request, pages.visitor(request), rule_id)

    @router.post("/rules/{rule_id}/trials", response_model=None)
    def begin(
        request: Request,
        rule_id: str,
        kind: Annotated[TrialKind, Form()],
        days: Annotated[int, Form(ge=1, le=30)] = 7,
        parameter: Annotated[str, Form(max_length=64)] = "",
        low: Annotated[float | None, Form(allow_inf_nan=False)] = None,
        high: Annotated[float | None, Form(allow_inf_nan=False)] = None,
    ) -> HTMLResponse | RedirectResponse:
        user = pages.visitor(request)
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, user, 403, "error.origin")
        try:
            trial = desk.begin(TrialWish(rule_id, kind, days, parameter, low, high), by=user.name)
        except PlantroomError as error:
            return rule_page(request, user, rule_id, 409, str(error))
        return pages.see_other(f"/rules/trials/{trial.id}")

    @router.get("/rules/trials/{trial_id}", response_class=HTMLResponse)
    def trial(request: Request, trial_id: str) -> HTMLResponse:
        user = pages.visitor(request)
        found = desk.trial(trial_id)
        if found is None:
            return pages.refuse(request, user, 404, "error.no.trial", id=trial_id)
        return pages.show(request, pages.page(request, user), "trial.html", trial=found)

    @router.get("/rules/trials/{trial_id}/report", response_class=HTMLResponse)
    def report(request: Request, trial_id: str) -> HTMLResponse:
        user = pages.visitor(request)
        found, content = desk.trial(trial_id), desk.report(trial_id)
        if found is None or content is None:
            return pages.refuse(request, user, 404, "error.no.trial", id=trial_id)
        page = pages.page(request, user)
        part = report_part(content, page.words.language)
        return pages.show(request, page, "trial_report.html", trial=found, part=part)

    return router


def _is_shown(line: RuleLine, show: str, kind: str) -> bool:
    """Whether the list shows a rule: those that judge something here, unless all are wanted."""
    if kind and line.classes and kind not in line.classes:
        return False
    match show:
        case "active":
            return bool(line.active or line.pending)
        case "own":
            return line.own
        case "all":
            return True
        case _:
            return bool(line.judged)
