"""The door: who comes in with a password, a token, a link or a session, over the database of accounts.

Sessions live by the real clock, whatever clock the plant lives by. A session's name is 256 random bits of which only
the hash is kept; it gets another one twice a day, and one that is used after that ends the session: somebody copied it.
"""

import hmac
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog
from sqlmodel import Session

from facility.clock import Clock
from plantroom.accounts import directory, repository
from plantroom.accounts.caller import Caller, Scope
from plantroom.accounts.directory import Actor, note
from plantroom.accounts.password import hash_password, is_outdated, is_password
from plantroom.accounts.role import Role
from plantroom.accounts.secret import TOKEN_MARK, hash_secret, new_secret
from plantroom.accounts.sign_in import SignIn, Tries, decide_sign_in
from plantroom.accounts.tables import SessionRow, TokenRow, UserRow

log = structlog.get_logger(__name__)
IDLE, LONGEST, ROTATE = timedelta(days=14), timedelta(days=30), timedelta(hours=12)
GRACE = timedelta(minutes=2)
"""How long the name before is still taken: requests on their way, a phone that comes back from the shaft."""
_TOUCH = timedelta(minutes=5)


class Sessions(Protocol):
    """Where database sessions come from."""

    def reading(self) -> AbstractContextManager[Session]:
        """For questions."""

    def writing(self) -> AbstractContextManager[Session]:
        """One transaction, committed on leaving."""


@dataclass(frozen=True, slots=True)
class From:
    """Where a try comes from: the address and the browser's own name."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What came of knocking. `session` is for the cookie when `why` is IN; `left` how long a name is locked."""

    why: SignIn
    session: str = ""
    left: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Visit:
    """Whose session it is; `fresh` is its new name when it has just been rotated."""

    caller: Caller
    fresh: str = ""


class AccountDoor:
    """Every method may be called from several threads. Raises DatabaseAwayError while the database is away."""

    def __init__(self, database: Sessions, program_token: str, clock: Clock, once_file: Path) -> None:
        self._database, self._clock, self._once_file = database, clock, once_file
        self._program_token = program_token.encode()

    def sign_in(self, name: str, password: str, source: From) -> Entry:
        """With a name and a password. Wrong names and wrong passwords get one answer, after the same time."""
        with self._database.reading() as session:
            known = repository.find_user(session, name)
            kept, user_id = (known.password_hash, known.id) if known is not None else (None, "")
        is_right = is_password(kept, password)
        now = self._clock.now()
        with self._database.writing() as session:
            row = repository.find_user(session, name, lock=True) if user_id else None
            if row is None:
                note(session, Actor("", source.address), now, "sign-in refused", name, "no such user")
                return Entry(SignIn.WRONG)
            is_right = is_right and row.password_hash == kept
            tries = Tries(row.failed, row.locked_until)
            why, after = decide_sign_in(tries, now, is_right=is_right, is_disabled=row.disabled_at is not None)
            row.failed, row.locked_until = after.failed, after.locked_until
            session.add(row)
            if why is not SignIn.IN:
                note(session, Actor("", source.address), now, "sign-in refused", row.name, why)
                return Entry(why, left=after.left(now))
            if kept is not None and is_outdated(kept):
                row.password_hash = hash_password(password)
            return Entry(why, self._open(session, row, now, source, "signed in"))

    def open_session(self, token: str, source: From) -> Entry:
        """With a token: the program's own opens the admin's session."""
        now = self._clock.now()
        with self._database.writing() as session:
            row = None
            if self._is_program(token):
                row = directory.ensure_admin(session, now)
            elif found := repository.find_token(session, hash_secret(token)):
                row = found[1] if _token_scope(*found, now) is Scope.ALL else None
            if row is None or row.disabled_at is not None:
                return Entry(SignIn.WRONG)
            return Entry(SignIn.IN, self._open(session, row, now, source, "signed in by token"))

    def use_once(self, code: str, source: From) -> str | None:
        """The admin's session for the code of the one-time link; None when it is wrong or was used."""
        try:
            expected = self._once_file.read_text(encoding="ascii")
        except OSError:
            return None
        if not expected or not hmac.compare_digest(code.encode(), expected.encode()):
            return None
        self._once_file.unlink(missing_ok=True)
        now = self._clock.now()
        with self._database.writing() as session:
            row = directory.ensure_admin(session, now)
            return self._open(session, row, now, source, "signed in by the one-time link")

    def enter_as(self, find: Callable[[Session], UserRow | None], source: From, how: str) -> str | None:
        """A session for whom `find` gives (another way of proving who one is); None for nobody."""
        now = self._clock.now()
        with self._database.writing() as session:
            row = find(session)
            if row is None or row.disabled_at is not None:
                return None
            return self._open(session, row, now, source, how)

    def visit(self, cookie: str) -> Visit | None:
        """Whose session this is; None when it is over."""
        if not cookie:
            return None
        hashed, now = hash_secret(cookie), self._clock.now()
        with self._database.reading() as session:
            found = repository.find_session(session, hashed)
        if found is None:
            return None
        kept, row = found
        if kept.ends_at < now or kept.seen_at + IDLE < now or row.disabled_at is not None:
            return None
        if kept.id != hashed:
            return self._old_name(kept, row, now)
        if kept.rotated_at + ROTATE < now:
            return self._rotate(kept, row, now)
        if kept.seen_at + _TOUCH < now:
            with self._database.writing() as session:
                if (again := session.get(SessionRow, kept.id)) is not None:
                    again.seen_at = now
        return Visit(caller_of(row))

    def by_token(self, token: str) -> Caller | None:
        """Whoever a bearer token stands for; None when it is worth nothing."""
        if self._is_program(token):
            return Caller(directory.ADMIN, Role.ADMIN)
        if not token.startswith(TOKEN_MARK):
            return None
        now = self._clock.now()
        with self._database.reading() as session:
            found = repository.find_token(session, hash_secret(token))
        scope = _token_scope(*found, now) if found is not None else None
        if found is None or scope is None:
            return None
        kept, row = found
        if kept.used_at is None or kept.used_at + _TOUCH < now:
            with self._database.writing() as session:
                session.merge(kept).used_at = now
        return caller_of(row, scope)

    def close_session(self, cookie: str) -> None:
        """The session is over; unknown ones are ignored."""
        if not cookie:
            return
        with self._database.writing() as session:
            if (found := repository.find_session(session, hash_secret(cookie))) is not None:
                note(session, Actor(found[1].name), self._clock.now(), "signed out", found[1].name)
                repository.end_session(session, found[0].id)

    def _is_program(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self._program_token)

    def _open(self, session: Session, row: UserRow, now: datetime, source: From, how: str) -> str:
        cookie = new_secret()
        repository.forget_ended(session, now)
        session.add(
            SessionRow(
                id=hash_secret(cookie), user_id=row.id, created_at=now, rotated_at=now, seen_at=now,
                ends_at=now + LONGEST, agent=source.agent[:200],
            )
        )  # fmt: skip
        note(session, Actor(row.name, source.address), now, how, row.name)
        return cookie

    def _rotate(self, kept: SessionRow, row: UserRow, now: datetime) -> Visit:
        fresh = new_secret()
        with self._database.writing() as session:
            done = repository.rotate_session(session, kept.id, hash_secret(fresh), now, kept.ends_at)
        return Visit(caller_of(row), fresh if done else "")

    def _old_name(self, kept: SessionRow, row: UserRow, now: datetime) -> Visit | None:
        if kept.rotated_at + GRACE >= now:
            return Visit(caller_of(row))
        with self._database.writing() as session:
            repository.end_session(session, kept.id)
            note(session, Actor(row.name), now, "session ended", row.name, "a name that was replaced was used again")
        log.warning("a session was used under its old name and ended; somebody may have copied it", user=row.name)
        return None


def caller_of(row: UserRow, scope: Scope = Scope.ALL) -> Caller:
    """A user as a caller."""
    buildings = frozenset(row.buildings) or None
    return Caller(
        row.name, Role(row.role), row.id, buildings, scope, row.language or "", row.units or "", row.theme or ""
    )


def _token_scope(token: TokenRow, row: UserRow, now: datetime) -> Scope | None:
    over = token.revoked_at is not None or (token.ends_at is not None and token.ends_at < now)
    return None if over or row.disabled_at is not None else Scope(token.scope)
