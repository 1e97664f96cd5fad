"""Every answer that says no, in one shape and in the reader's language: what is wrong, where, and what to do.

What the routes raise, what FastAPI finds wrong with a call, and what no route answers is put into words here.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from dashboards.web.language import Words, choose_language
from facility.errors import InputError, PermanentError, RetryableError
from plantroom.refusal_words import in_language

SEE_ROUTE = "See the parameters of this route in /openapi.json."
AS_JSON = "Send the body as JSON in UTF-8 with the header 'Content-Type: application/json'."
_SHOWN = 80


def show_refusals(app: FastAPI) -> None:
    """Have the application answer whatever it refuses in this one shape."""

    @app.exception_handler(RequestValidationError)
    def _call(request: Request, error: RequestValidationError) -> Response:
        return answer(request, 422, *_of_call(request, error.errors()))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        return answer_http(request, error)

    @app.exception_handler(InputError)
    def _input(request: Request, error: InputError) -> Response:
        one = error.problems[0] if len(error.problems) == 1 else None
        if one is None or one.field or one.line is not None:
            return answer(request, 422, str(error), request.url.path, "")
        return answer(request, 422, one.what, one.where, one.hint)

    @app.exception_handler(RetryableError)
    def _retry(request: Request, error: RetryableError) -> Response:
        hint = "Try again; nothing is lost."
        return answer(request, 503, str(error), request.url.path, hint, {"Retry-After": "2"})

    @app.exception_handler(PermanentError)
    def _permanent(request: Request, error: PermanentError) -> Response:
        return answer(request, 409, str(error), request.url.path, "")


def answer_http(request: Request, error: HTTPException) -> Response:
    """What a route refused, or what no route answers; a redirect stays as it is."""
    detail: Any = error.detail  # ours say what, where and what to do; Starlette's are a word or two
    headers = dict(error.headers or {})
    if error.status_code < 400:
        return Response(status_code=error.status_code, headers=headers)
    if isinstance(detail, dict):
        return answer(request, error.status_code, detail["what"], detail["where"], detail["hint"], headers)
    what, hint = _PLAIN.get(error.status_code, (str(detail), SEE_ROUTE))
    if request.scope.get("route") is not None and error.status_code == 404:
        what = str(detail)
    return answer(request, error.status_code, what, request.url.path, hint, headers)


def answer(
    request: Request, status: int, what: str, where: str, hint: str, headers: dict[str, str] | None = None
) -> Response:
    """An answer that says what is wrong, where, and what to do, in the language of whoever asks."""
    words = Words(
        choose_language(None, getattr(request.state, "language", None), request.headers.get("accept-language"))
    )
    told = {"what": in_language(what, words), "where": where, "hint": in_language(hint, words)}
    headers = {**(headers or {}), "Content-Language": words.tag, "Vary": "Accept-Language"}
    return JSONResponse({"detail": told}, status, headers)


_PLAIN = {
    400: ("the body cannot be read", AS_JSON),
    404: ("there is nothing at this address", "The routes are listed in /openapi.json."),
    405: ("this address does not take this method", "The methods of each route are listed in /openapi.json."),
}
"""By status, what FastAPI says in two words."""


def _of_call(request: Request, errors: Sequence[Any]) -> tuple[str, str, str]:
    """What is wrong with a call, where, and what to do, of FastAPI's list of errors."""
    first = errors[0]
    if first["type"] == "json_invalid":
        at = f"body, character {first['loc'][-1]}"
        return f"the body is no JSON: {first['ctx']['error']}", at, AS_JSON
    if isinstance(first.get("input"), bytes) and first["loc"] == ("body",):
        sent = request.headers.get("content-type")
        what = f"the body was sent as {sent!r}, not as JSON" if sent else "the body was sent without its content type"
        return what, "header Content-Type", AS_JSON
    whats = [_one(error) for error in errors]
    return "; ".join(whats), " ".join(str(part) for part in first["loc"]), SEE_ROUTE


def _one(error: Any) -> str:  # noqa: ANN401 - one of FastAPI's errors
    told = f"{error['loc'][-1]}: {error['msg']}"
    return told if error["type"] == "missing" else f"{told}, got {error.get('input')!r:.{_SHOWN}}"
