"""The desks of what people send, made once for a program; and what they do every minute."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from facility.registry import Registry
from ticketing.claim_desk import ClaimDesk
from ticketing.complaint_desk import ComplaintDesk
from ticketing.contract_book import ContractBook
from ticketing.cost_desk import CostDesk
from ticketing.desk import Desk
from ticketing.request_desk import RequestDesk
from ticketing.service_word import Teller
from ticketing.survey_desk import SurveyDesk


@dataclass(frozen=True, slots=True)
class Minute:
    """What a minute led to."""

    escalated: int
    sent: int
    reminded: int
    expired: int
    claims: int = 0
    follow_ups: int = 0


class ServiceDesks:
    """Requests, complaints, surveys and costs under one book of contracts."""

    def __init__(self, book: ContractBook, registry: Callable[[], Registry], teller: Teller) -> None:
        desk = Desk(book, registry)
        self.requests = RequestDesk(book, registry, desk, teller)
        self.complaints = ComplaintDesk(book, registry, teller)
        self.costs = CostDesk(book, registry, teller)
        self.claims = ClaimDesk(book, registry, desk, self.costs)
        self.surveys = SurveyDesk(book, registry, self.complaints, teller)

    def step(self, session: Session, now: datetime) -> Minute:
        """Escalate, send, remind, close, route what is due at `now` (aware UTC). The same minute again does nothing."""
        escalated = self.complaints.escalate(session, now)
        sent = self.surveys.send_due(session, now)
        reminded, expired = self.surveys.remind(session, now)
        claims, follow_ups = self.claims.step(session, now)
        return Minute(escalated, sent, reminded, expired, claims, follow_ups)
