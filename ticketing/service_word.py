"""What requests, complaints and surveys have to say to people, and who carries it: a Protocol, for the outbox does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class Word:
    """One thing to tell, in both languages. `key` names it for ever: the same key is told once to each receiver.

    `to` are names of people, teams or roles; `contact` is how somebody outside can be reached, as she gave it.
    """

    key: str
    event: str
    at: datetime
    subject: tuple[str, str]
    body: tuple[str, str]
    to: tuple[str, ...] = ()
    contact: str = ""
    order_id: str | None = None
    urgent: bool = False


class Teller(Protocol):
    """Writes words into the outbox, in the caller's transaction."""

    def tell(self, session: Session, word: Word) -> None:
        """Once for each receiver, however often it is called with the same key."""


class Silent:
    """Tells nobody: for an installation that has named no receivers."""

    def tell(self, session: Session, word: Word) -> None:
        """Nothing."""
