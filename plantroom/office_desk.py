"""The back office over accounts and the roster (the Protocols are the pages' own)."""

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

from sqlmodel import Session

from dashboards.web.office_view import (
    AuditQuery,
    AuditView,
    CertificateView,
    NewUser,
    PersonView,
    Preferences,
    TokenView,
    UserView,
)
from dashboards.web.visitor import Source
from facility.clock import Clock
from facility.errors import PermanentError
from plantroom.accounts import directory, repository
from plantroom.accounts.directory import Actor
from plantroom.accounts.door import Sessions
from plantroom.accounts.tables import TokenRow, UserRow
from ticketing.courier import Tell
from ticketing.roster import Person, Roll
from ticketing.webhook import NotDeliveredError, RefusedError

SOON = timedelta(days=60)
"""A certificate that ends within this time is said to end soon."""
WEEK = 7


class BackOffice:
    """Implements the pages' `OfficeDesk` and `OwnDesk`. Accounts live by the wall clock, the roster by the plant's."""

    def __init__(
        self, sessions: Sessions, buildings: Callable[[], Collection[str]], roster: Roll, wall: Clock, clock: Clock,
        tell: Tell,
    ) -> None:  # fmt: skip
        self._sessions, self._buildings, self._roster = sessions, buildings, roster
        self._wall, self._clock, self._tell = wall, clock, tell

    # --- users ---

    def users(self) -> Sequence[UserView]:
        """Everybody by name."""
        with self._sessions.reading() as session:
            sessions, tokens = repository.count_sessions(session, self._wall.now()), repository.count_tokens(session)
            return [
                _user(row, sessions.get(row.id, 0), tokens.get(row.id, 0)) for row in repository.list_users(session)
            ]

    def user(self, name: str) -> UserView | None:
        """One of them."""
        return next((one for one in self.users() if one.name == name), None)

    def add_user(self, typed: NewUser, *, by: str, source: Source) -> None:
        """Raises InputError for what cannot be."""
        with self._sessions.writing() as session:
            directory.add_user(
                session, Actor(by, source.address), self._wall.now(), name=typed.name, role=typed.role,
                buildings=typed.buildings, known_buildings=self._buildings(), display_name=typed.display_name,
            )  # fmt: skip

    def change_user(self, name: str, role: str, buildings: Sequence[str], *, by: str, source: Source) -> None:
        """Raises InputError, or PermanentError for the last admin."""
        with self._sessions.writing() as session:
            directory.change_user(
                session, Actor(by, source.address), self._wall.now(), _found(session, name), role=role,
                buildings=buildings, known_buildings=self._buildings(),
            )  # fmt: skip

    def switch_user(self, name: str, *, on: bool, by: str, source: Source) -> None:
        """Raises PermanentError for the last admin."""
        switch = directory.enable_user if on else directory.disable_user
        with self._sessions.writing() as session:
            switch(session, Actor(by, source.address), self._wall.now(), _found(session, name))

    def link_for(self, name: str, *, by: str, source: Source) -> str:
        """Good for a day, once."""
        with self._sessions.writing() as session:
            row = _found(session, name)
            return f"/password/{directory.make_link(session, Actor(by, source.address), self._wall.now(), row)}"

    # --- tokens ---

    def tokens(self) -> Sequence[TokenView]:
        """Everybody's, the newest first."""
        with self._sessions.reading() as session:
            names = {row.id: row.name for row in repository.list_users(session)}
            return [self._token(row, names.get(row.user_id, "")) for row in repository.list_tokens(session)]

    def revoke(self, token_id: str, *, by: str, source: Source) -> None:
        """Raises PermanentError for one that is not there."""
        with self._sessions.writing() as session:
            row = session.get(TokenRow, token_id)
            if row is None or row.revoked_at is not None:
                msg = f"there is no token {token_id!r}; somebody may have revoked it just now"
                raise PermanentError(msg)
            directory.revoke_token(session, Actor(by, source.address), self._wall.now(), row)

    def own_tokens(self, name: str) -> Sequence[TokenView]:
        """Hers, the newest first."""
        with self._sessions.reading() as session:
            row = repository.find_user(session, name)
            return [self._token(one, name) for one in repository.list_tokens(session, row.id)] if row else []

    def make_token(self, name: str, label: str, scope: str, days: int | None, *, source: Source) -> str:
        """Raises InputError for what cannot be."""
        with self._sessions.writing() as session:
            row = _found(session, name)
            _, text = directory.add_token(
                session, Actor(name, source.address), self._wall.now(), row, label=label, scope=scope, days=days
            )
            return text

    def revoke_own(self, name: str, token_id: str, *, source: Source) -> None:
        """Raises PermanentError for one that is not hers."""
        if not any(one.id == token_id for one in self.own_tokens(name)):
            msg = f"there is no token {token_id!r} of yours"
            raise PermanentError(msg)
        self.revoke(token_id, by=name, source=source)

    def preferences(self, name: str) -> Preferences:
        """As kept with the user."""
        with self._sessions.reading() as session:
            row = repository.find_user(session, name)
            if row is None:
                return Preferences()
            return Preferences(row.language or "", row.units or "metric", row.theme or "")

    def prefer(self, name: str, chosen: Preferences) -> None:
        """Kept with the user; nothing for somebody who is none."""
        with self._sessions.writing() as session:
            row = repository.find_user(session, name, lock=True)
            if row is not None:
                row.language, row.units, row.theme = chosen.language or None, chosen.units, chosen.theme or None
                session.add(row)

    # --- people ---

    def people(self) -> Sequence[PersonView]:
        """The roster by name."""
        return sorted((self._person(one) for one in self._roster().people.values()), key=lambda one: one.name)

    def teams(self) -> Sequence[tuple[str, Sequence[str]]]:
        """The teams by name."""
        roster = self._roster()
        people = roster.people
        return [
            (team, [people[one].name if one in people else one for one in members])
            for team, members in sorted(roster.teams.items())
        ]

    def test_channel(self, person_id: str, channel: str, *, by: str, source: Source) -> None:
        """Sends now, by that channel alone, and says in the audit that it did."""
        person = self._roster().people.get(person_id)
        found = next((one for one in person.channels if one.name == channel), None) if person is not None else None
        if person is None or found is None:
            msg = f"{person_id!r} has no channel {channel!r}"
            raise PermanentError(msg)
        subject, body = _TEST["zh" if person.language.startswith("zh") else "en"]
        outcome = "taken"
        try:
            self._tell(found.address, subject, body.format(by=by, channel=channel))
        except (RefusedError, NotDeliveredError) as error:
            outcome = str(error)
        with self._sessions.writing() as session:
            directory.note(
                session, Actor(by, source.address), self._wall.now(), "channel tested", person_id,
                f"{channel}: {outcome}",
            )  # fmt: skip
        if outcome != "taken":
            msg = f"{channel} of {person.name}: {outcome}"
            raise PermanentError(msg)

    # --- audit ---

    def audit(self, query: AuditQuery, most: int) -> tuple[Sequence[AuditView], bool]:
        """A page of the audit."""
        with self._sessions.reading() as session:
            rows = repository.search_audit(
                session, who=query.who, what=query.what, about=query.about, limit=most + 1,
                offset=(query.page - 1) * most,
            )  # fmt: skip
        found = [AuditView(row.at, row.who, row.what, row.about, row.detail, row.address) for row in rows[:most]]
        return found, len(rows) > most

    def audited(self) -> Sequence[str]:
        """Every kind there is."""
        with self._sessions.reading() as session:
            return repository.audited_kinds(session)

    def _token(self, row: TokenRow, owner: str) -> TokenView:
        is_over = row.ends_at is not None and row.ends_at < self._wall.now()
        return TokenView(
            row.id, owner, row.label, row.scope, row.hint, row.created_at, row.ends_at, row.used_at, is_over
        )

    def _person(self, person: Person) -> PersonView:
        now = self._clock.now()
        today = now.astimezone(self._roster().zone).date()
        days = [today + timedelta(days=offset) for offset in range(WEEK)]
        week = None
        if person.shift is not None:
            shift = person.shift
            week = [(on, ", ".join(f"{_hm(low)}–{_hm(high)}" for low, high in shift.day(on).spans)) for on in days]
        quiet = person.quiet
        return PersonView(
            id=person.id,
            name=person.name,
            language=person.language,
            roles=sorted(person.roles),
            skills=sorted(person.skills),
            certificates=[
                CertificateView(one.name, one.equipment_class, one.until, one.until < today, one.until < today + SOON)
                for one in person.certificates
            ],
            buildings=sorted(person.buildings),
            channels=[one.name for one in person.channels],
            quiet=f"{quiet.starts:%H:%M}–{quiet.ends:%H:%M}" if quiet is not None else "",
            on_call=self._roster().is_on_call(person.id, now),
            week=week,
        )


_TEST = {
    "en": ("Plantroom: a test", "{by} tries the channel {channel}. Nothing has happened; there is nothing to do."),
    "zh": ("Plantroom：测试消息", "{by} 正在测试通道 {channel}。没有发生任何事情，无需处理。"),
}


def _hm(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}" if minute != 24 * 60 else "24:00"


def _found(session: Session, name: str) -> UserRow:
    row = repository.find_user(session, name, lock=True)
    if row is None:
        msg = f"there is no user {name!r}"
        raise PermanentError(msg)
    return row


def _user(row: UserRow, sessions: int, tokens: int) -> UserView:
    return UserView(
        name=row.name, display_name=row.display_name, role=row.role, buildings=row.buildings,
        has_password=row.password_hash is not None, by_provider=row.oidc_subject is not None,
        locked_until=row.locked_until, disabled_at=row.disabled_at, created_at=row.created_at, sessions=sessions,
        tokens=tokens,
    )  # fmt: skip
