"""What became of a report: its sender follows it, says whether the repair is good, answers the survey, complains."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards.web.origin import Origin, judge_origin
from dashboards.web.pages import Pages, source_of
from dashboards.web.reception import Reception, Told, TooOftenError
from facility.errors import InputError, PlantroomError

Answer = HTMLResponse | RedirectResponse
MOST_TEXT = 4_000


def told_router(pages: Pages, reception: Reception) -> APIRouter:
    """`/told/{code}` and what can be said there."""
    router = APIRouter()

    def told_page(
        request: Request, told: Told, *, status: int = 200, refused: str = "", what: str = "",
        given: Mapping[str, object] | None = None,
    ) -> HTMLResponse:  # fmt: skip
        page = pages.page(request, None, told.building_id)
        done = request.query_params.get("done", "")
        known = done if done in ("sent", "accept", "reopen", "answer", "complain") else ""
        said = {name: str(value)[:MOST_TEXT] for name, value in (given or {}).items()}
        form = "judge" if what in told.verbs else what
        return pages.show(
            request, page, "told.html", status, told=told, refused=refused, done=known, form=form, said=said
        )

    @router.get("/told/{code}", response_class=HTMLResponse)
    def told(request: Request, code: str) -> HTMLResponse:
        found = reception.told(code)
        return told_page(request, found) if found is not None else pages.refuse(request, None, 404, "error.told")

    @router.post("/told/{code}/{what}", response_model=None)
    async def say(request: Request, code: str, what: str) -> Answer:
        given = await request.form(max_files=0, max_fields=40)
        return await run_in_threadpool(carry_out, request, code, what, given)

    def carry_out(request: Request, code: str, what: str, given: Mapping[str, object]) -> Answer:
        """Asks the database, so it runs beside the loop that serves everybody."""
        found = reception.told(code)
        if found is None:
            return pages.refuse(request, None, 404, "error.told")
        if judge_origin(request.headers) is not Origin.OWN:
            return pages.refuse(request, None, 403, "error.origin")
        note, address = str(given.get("note", ""))[:MOST_TEXT].strip(), source_of(request).address
        try:
            if what in found.verbs:
                reception.judge(code, what, note, address)
            elif what == "answer":
                reception.answer(code, _answers(found, given), note, address)
            elif what == "complain":
                reception.complain(code, note, address)
            else:
                return pages.refuse(request, None, 404, "error.told")
        except TooOftenError:
            page = pages.page(request, None, found.building_id)
            often = page.words("report.often")
            return told_page(request, found, status=429, refused=often, what=what, given=given)
        except PlantroomError as error:
            now = reception.told(code) or found
            return told_page(request, now, status=422, refused=_reason(error), what=what, given=given)
        return pages.see_other(f"/told/{code}?done={what}")

    return router


def _reason(error: PlantroomError) -> str:
    """What is wrong and what to do, without the name of the part that says so."""
    if not isinstance(error, InputError):
        return str(error)
    return " ".join(f"{one.what}. {one.hint}".strip() for one in error.problems)


def _answers(told: Told, given: Mapping[str, object]) -> dict[str, int]:
    """The marks that were chosen, by question."""
    chosen = {one.id: given.get(one.id) for one in told.survey}
    return {name: int(value) for name, value in chosen.items() if isinstance(value, str) and value.isdecimal()}
