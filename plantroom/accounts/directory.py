"""Users as the admin keeps them: made, changed, disabled; links to set a password; tokens; everything in the audit."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from facility.errors import PermanentError, refuse
from facility.fields import unknown
from plantroom.accounts import repository
from plantroom.accounts.caller import Scope, check_buildings
from plantroom.accounts.password import hash_password, weakness
from plantroom.accounts.role import Role
from plantroom.accounts.secret import TOKEN_MARK, hash_secret, new_id, new_secret
from plantroom.accounts.tables import AuditRow, LinkRow, TokenRow, UserRow

LINK_LIVES = timedelta(hours=24)
ADMIN = "admin"
_NAME = re.compile(r"[\w][\w.@+-]{1,63}")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes an account, from which address."""

    name: str
    address: str = ""


def add_user(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    name: str,
    role: str,
    buildings: Collection[str] = (),
    known_buildings: Collection[str] = (),
    display_name: str = "",
) -> UserRow:
    """A new user without a password; a link lets her set one. Raises InputError for what cannot be."""
    if not _NAME.fullmatch(name):
        raise refuse("name", f"{name!r} is no user name", "2 to 64 letters, digits and . _ @ + -, no spaces.")
    if repository.find_user(session, name) is not None:
        raise refuse("name", f"there is a user {name!r} already", "Choose another name.")
    chosen = _check(role, buildings, known_buildings)
    row = UserRow(id=new_id(), name=name, display_name=display_name[:200], role=role, buildings=chosen, created_at=now)
    session.add(row)
    session.flush()
    note(session, actor, now, "user added", name, f"{role}, {', '.join(chosen) or 'all buildings'}")
    return row


def change_user(
    session: Session,
    actor: Actor,
    now: datetime,
    row: UserRow,
    *,
    role: str,
    buildings: Collection[str],
    known_buildings: Collection[str],
) -> None:
    """Another role or other buildings: her sessions end, so that nothing goes on with the old ones."""
    chosen = _check(role, buildings, known_buildings)
    if row.role == Role.ADMIN and role != Role.ADMIN:
        _keep_an_admin(session, row)
    row.role, row.buildings = role, chosen
    session.add(row)
    repository.end_sessions(session, row.id)
    note(session, actor, now, "user changed", row.name, f"{role}, {', '.join(chosen) or 'all buildings'}")


def disable_user(session: Session, actor: Actor, now: datetime, row: UserRow) -> None:
    """She may not sign in any more; her sessions and tokens end. Her name stays in histories."""
    if row.role == Role.ADMIN:
        _keep_an_admin(session, row)
    row.disabled_at = now
    session.add(row)
    repository.end_sessions(session, row.id)
    for token in repository.list_tokens(session, row.id):
        token.revoked_at = now
        session.add(token)
    note(session, actor, now, "user disabled", row.name)


def enable_user(session: Session, actor: Actor, now: datetime, row: UserRow) -> None:
    """She may sign in again, and is not locked."""
    row.disabled_at, row.locked_until, row.failed = None, None, 0
    session.add(row)
    note(session, actor, now, "user enabled", row.name)


def make_link(session: Session, actor: Actor, now: datetime, row: UserRow) -> str:
    """The code of a link that lets her set a password once within a day."""
    code = new_secret()
    session.add(LinkRow(hash=hash_secret(code), user_id=row.id, ends_at=now + LINK_LIVES))
    note(session, actor, now, "password link made", row.name)
    return code


def set_password(session: Session, actor: Actor, now: datetime, row: UserRow, password: str, *, keep: str = "") -> None:
    """A new password; other sessions than `keep` end. Raises InputError whose words are `weakness`'s for a weak one."""
    if (key := weakness(password, row.name)) is not None:
        raise refuse("password", key, "Choose a longer or less common one.")
    row.password_hash, row.failed, row.locked_until = hash_password(password), 0, None
    session.add(row)
    repository.end_sessions(session, row.id, but=keep)
    note(session, actor, now, "password set", row.name)


def use_link(session: Session, code: str, password: str, now: datetime, address: str) -> UserRow | None:
    """Set the password of the user the link is for; None when the link is not good any more."""
    row = repository.find_link(session, hash_secret(code), now)
    if row is None:
        return None
    set_password(session, Actor(row.name, address), now, row, password)
    if repository.use_link(session, hash_secret(code), now) is None:
        msg = "the link was used a moment ago; ask for another one"
        raise PermanentError(msg)
    return row


def add_token(
    session: Session, actor: Actor, now: datetime, row: UserRow, *, label: str, scope: str, days: int | None
) -> tuple[TokenRow, str]:
    """A token for a program that acts for her, and its text, which is never shown again."""
    if scope not in set(Scope):
        raise refuse("scope", unknown("scope", scope, list(Scope)), f"Write one of: {', '.join(Scope)}.")
    if not 1 <= len(label.strip()) <= 100:
        raise refuse("label", "says nothing of what the token is for", "Write 1 to 100 characters.")
    if days is not None and not 1 <= days <= 3650:
        raise refuse("days", f"{days} is no time a token may live", "1 to 3650, or leave it out for no end.")
    text = new_secret(TOKEN_MARK)
    ends_at = now + timedelta(days=days) if days is not None else None
    token = TokenRow(
        id=new_id(), user_id=row.id, label=label.strip(), hash=hash_secret(text), hint=text[:8], scope=scope,
        created_at=now, ends_at=ends_at,
    )  # fmt: skip
    session.add(token)
    note(session, actor, now, "token made", row.name, f"{label.strip()}, {scope}")
    return token, text


def revoke_token(session: Session, actor: Actor, now: datetime, token: TokenRow) -> None:
    """The token is worth nothing any more."""
    token.revoked_at = now
    session.add(token)
    note(session, actor, now, "token revoked", token.id, token.label)


def ensure_admin(session: Session, now: datetime) -> UserRow:
    """The first admin, made when there is none who may sign in."""
    row = repository.find_user(session, ADMIN, lock=True)
    if row is None:
        return add_user(session, Actor("plantroom"), now, name=ADMIN, role=Role.ADMIN)
    if row.disabled_at is not None and not repository.count_admins(session):
        enable_user(session, Actor("plantroom"), now, row)
    return row


def note(session: Session, actor: Actor, now: datetime, what: str, about: str = "", detail: str = "") -> None:
    """One line of the audit."""
    session.add(
        AuditRow(at=now, who=actor.name[:64], what=what, about=about[:200], detail=detail[:500], address=actor.address)
    )


def _check(role: str, buildings: Collection[str], known: Collection[str]) -> list[str]:
    if role not in set(Role):
        raise refuse("role", unknown("role", role, list(Role)), f"Write one of: {', '.join(Role)}.")
    try:
        chosen = check_buildings(Role(role), buildings, known)
    except ValueError as error:
        raise refuse("buildings", str(error), "GET /api/sites lists the buildings.") from error
    return sorted(chosen or ())


def _keep_an_admin(session: Session, row: UserRow) -> None:
    if repository.count_admins(session) <= 1 and row.disabled_at is None:
        msg = f"{row.name!r} is the last admin; make another one first"
        raise PermanentError(msg)
