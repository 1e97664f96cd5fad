"""A call that carries an idempotency key is carried out once: the same call again gets the first answer again."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
from fastapi import Header, Response
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from ticketing.problem import refuse
from ticketing.statements import row_count
from ticketing.tables_outbox import KeptAnswerRow
from ticketing.views import WorkOrderView

KEPT_FOR = timedelta(days=7)
IdempotencyKey = Annotated[
    str | None,
    Header(min_length=1, max_length=160, pattern=r"^[\x21-\x7e]+$", description="the same call again does nothing"),
]


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked: the sender's key (None: it has none), the route, the body as text, and when (aware UTC)."""

    key: str | None
    route: str
    body: str
    at: datetime

    @property
    def fingerprint(self) -> str:
        """The same for the same call."""
        return hashlib.sha256(f"{self.route}\n{self.body}".encode()).hexdigest()


def answer_once(
    session: Session, call: Call, response: Response, carry_out: Callable[[Session], WorkOrderView]
) -> WorkOrderView:
    """Carry it out in this transaction, or give the answer it had. A refusal is not kept: it may be tried again.

    Of two calls with one key at once the second waits for the first. Answers 422 when the key was used for another
    call. The ETag of the answer is the order's version.
    """
    if call.key is None:
        view = carry_out(session)
    elif _claim(session, call):
        view = carry_out(session)
        kept = sa.update(KeptAnswerRow).where(col(KeptAnswerRow.key) == call.key)
        session.execute(kept.values(answer=view.model_dump_json(by_alias=True)))
    else:
        view = _kept(session, call)
        response.headers["Idempotent-Replayed"] = "true"
    response.headers["ETag"] = f'"{view.version}"'
    return view


def forget_answers(session: Session, now: datetime) -> int:
    """Remove what nobody will ask for again; how many."""
    return row_count(session.execute(sa.delete(KeptAnswerRow).where(col(KeptAnswerRow.at) < now - KEPT_FOR)))


def _claim(session: Session, call: Call) -> bool:
    values = {"key": call.key, "fingerprint": call.fingerprint, "answer": "", "at": call.at}
    try:
        with session.begin_nested():
            session.execute(sa.insert(KeptAnswerRow).values(values))
    except IntegrityError:
        return False
    return True


def _kept(session: Session, call: Call) -> WorkOrderView:
    kept = session.get(KeptAnswerRow, call.key)
    if kept is None or kept.fingerprint != call.fingerprint:
        what = f"the Idempotency-Key {call.key!r} was used for another call"
        refuse(422, what, "header Idempotency-Key", "Send a key of its own with each call; repeat it only to repeat.")
    return WorkOrderView.model_validate_json(kept.answer)
