"""Puts the words of requests, complaints and surveys into the outbox, in the language of whoever is told."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session

from facility.clock import Clock
from ticketing.notice import Notice
from ticketing.outbox_rows import put
from ticketing.roster import Person, Roll, Roster
from ticketing.service_word import Word


@dataclass(frozen=True, slots=True)
class OutboxTeller:
    """Knows people by the roster. `wall` is the clock that tries of sending run on."""

    people: Roll
    wall: Clock

    def tell(self, session: Session, word: Word) -> None:
        """One message to each person behind the word's names and contact; the same key again changes nothing.

        A name or contact that the roster does not know leaves a failed message that says so.
        """
        put(session, self._notices(word), word.at, self.wall.now())

    def _notices(self, word: Word) -> Iterator[Notice]:
        told: set[str] = set()
        roster = self.people()
        for name in (*word.to, *([word.contact] if word.contact else ())):
            people = roster.resolve(name, word.at)
            if not people:
                yield self._notice(
                    word, roster, Person(name, name), f"the roster knows no person, team or role {name!r}"
                )
            for person in people:
                if person.id not in told:
                    told.add(person.id)
                    error = "" if person.channels else f"{person.id} has no channel in the roster"
                    yield self._notice(word, roster, person, error)

    def _notice(self, word: Word, roster: Roster, person: Person, error: str) -> Notice:
        chinese = person.language == "zh"
        body = word.body[chinese]
        if body.startswith("/"):
            body = f"{roster.address}{body}"
        quiet_until = person.quiet.ends_at(word.at, roster.zone) if person.quiet is not None else None
        return Notice(
            key=f"{word.key}/{person.id}"[:200],
            kind="notice",
            event=word.event,
            order_id=word.order_id or "",
            person=person.id[:200],
            channels=tuple(channel.name for channel in person.channels),
            language=person.language,
            subject=word.subject[chinese],
            body=body,
            due_at=quiet_until if quiet_until is not None and not word.urgent else word.at,
            urgent=word.urgent,
            error=error,
        )
