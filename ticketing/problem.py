"""How every route of ticketing says no: what is wrong, where, and what to do."""

from typing import Any, NoReturn

from fastapi import HTTPException
from pydantic import BaseModel


class ProblemView(BaseModel):
    """What went wrong, where, and what to do."""

    what: str
    where: str
    hint: str


class ErrorView(BaseModel):
    """The answer to a call that was refused."""

    detail: ProblemView


REFUSALS: dict[int | str, dict[str, Any]] = {code: {"model": ErrorView} for code in (404, 409, 422)}
"""What a route may answer besides what was asked for."""


def refuse(status: int, what: str, where: str, hint: str) -> NoReturn:
    """Answer with an error that says what, where, and what to do."""
    raise HTTPException(status, detail={"what": what, "where": where, "hint": hint})
