"""How every route of ticketing says no: what is wrong, where, and what to do."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NoReturn

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel


class ProblemView(BaseModel):
    """What went wrong, where, and what to do."""

    what: str
    where: str
    hint: str


class ErrorView(BaseModel):
    """The answer to a call that was refused."""

    detail: ProblemView


class ProblemRoute(APIRoute):
    """Says what is wrong with a call's parameters in the same shape as every other refusal."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own handler, with FastAPI's list of errors put into words."""
        original = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await original(request)
            except RequestValidationError as error:
                refuse(422, *_in_words(error.errors()), "See the parameters of this route in /openapi.json.")

        return handle


REFUSALS: dict[int | str, dict[str, Any]] = {code: {"model": ErrorView} for code in (404, 409, 422)}
"""What a route may answer besides what was asked for."""


def refuse(status: int, what: str, where: str, hint: str) -> NoReturn:
    """Answer with an error that says what, where, and what to do."""
    raise HTTPException(status, detail={"what": what, "where": where, "hint": hint})


def _in_words(errors: Sequence[Any]) -> tuple[str, str]:
    """What is wrong and where, of FastAPI's list of errors."""
    whats = [f"{error['loc'][-1]}: {error['msg']}, got {error.get('input')!r:.80}" for error in errors]
    return "; ".join(whats), " ".join(str(part) for part in errors[0]["loc"])
