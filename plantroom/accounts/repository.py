"""SQL of accounts. The caller owns the transaction."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from plantroom.accounts.tables import AuditRow, LinkRow, SessionRow, TokenRow, UserRow


def find_user(session: Session, name: str, *, lock: bool = False) -> UserRow | None:
    """The user of this name, upper and lower case alike."""
    query = select(UserRow).where(sa.func.lower(UserRow.name) == name.lower())
    return session.exec(query.with_for_update() if lock else query).one_or_none()


def find_subject(session: Session, subject: str) -> UserRow | None:
    """The user an identity provider knows by this subject."""
    return session.exec(select(UserRow).where(UserRow.oidc_subject == subject)).one_or_none()


def list_users(session: Session) -> Sequence[UserRow]:
    """Every user by name, disabled ones too."""
    return session.exec(select(UserRow).order_by(UserRow.name)).all()


def count_admins(session: Session) -> int:
    """Admins who may sign in."""
    query = select(sa.func.count()).where(UserRow.role == "admin", col(UserRow.disabled_at).is_(None))
    return session.exec(query).one()


def find_session(session: Session, hashed: str) -> tuple[SessionRow, UserRow] | None:
    """The session of this cookie, or of the one before it was rotated, with its user."""
    query = (
        select(SessionRow, UserRow)
        .join(UserRow, col(UserRow.id) == SessionRow.user_id)
        .where(sa.or_(col(SessionRow.id) == hashed, col(SessionRow.was) == hashed))
    )
    found = session.exec(query).first()
    return (found[0], found[1]) if found is not None else None


def rotate_session(session: Session, old: str, new: str, now: datetime, ends_at: datetime) -> bool:
    """Give a session another name; False when somebody else has done so, or it is gone."""
    query = (
        sa.update(SessionRow)
        .where(col(SessionRow.id) == old)
        .values(id=new, was=old, rotated_at=now, seen_at=now, ends_at=ends_at)
    )
    return session.connection().execute(query).rowcount == 1


def end_session(session: Session, hashed: str) -> None:
    """This session is over."""
    session.connection().execute(
        sa.delete(SessionRow).where(sa.or_(col(SessionRow.id) == hashed, col(SessionRow.was) == hashed))
    )


def end_sessions(session: Session, user_id: str, *, but: str = "") -> int:
    """All sessions of a user are over, but the one named; how many there were."""
    query = sa.delete(SessionRow).where(col(SessionRow.user_id) == user_id, col(SessionRow.id) != but)
    return int(session.connection().execute(query).rowcount)


def forget_ended(session: Session, now: datetime) -> None:
    """Remove sessions and links whose time is over."""
    session.connection().execute(sa.delete(SessionRow).where(col(SessionRow.ends_at) < now))
    session.connection().execute(sa.delete(LinkRow).where(col(LinkRow.ends_at) < now))


def find_token(session: Session, hashed: str) -> tuple[TokenRow, UserRow] | None:
    """The token of this hash with its owner."""
    query = select(TokenRow, UserRow).join(UserRow, col(UserRow.id) == TokenRow.user_id).where(TokenRow.hash == hashed)
    found = session.exec(query).first()
    return (found[0], found[1]) if found is not None else None


def list_tokens(session: Session, user_id: str | None = None) -> Sequence[TokenRow]:
    """Tokens that were not revoked, the newest first; of everybody without `user_id`."""
    query = select(TokenRow).where(col(TokenRow.revoked_at).is_(None)).order_by(col(TokenRow.created_at).desc())
    return session.exec(query.where(TokenRow.user_id == user_id) if user_id is not None else query).all()


def use_link(session: Session, hashed: str, now: datetime) -> str | None:
    """The user of a link, which is used up by this; None when it is unknown, used or too old."""
    query = (
        sa.update(LinkRow)
        .where(col(LinkRow.hash) == hashed, col(LinkRow.used_at).is_(None), col(LinkRow.ends_at) >= now)
        .values(used_at=now)
    )
    if session.connection().execute(query).rowcount != 1:
        return None
    return session.exec(select(LinkRow.user_id).where(LinkRow.hash == hashed)).one()


def find_link(session: Session, hashed: str, now: datetime) -> UserRow | None:
    """The user a link is for while it may still be used."""
    query = (
        select(UserRow)
        .join(LinkRow, col(LinkRow.user_id) == UserRow.id)
        .where(LinkRow.hash == hashed, col(LinkRow.used_at).is_(None), LinkRow.ends_at >= now)
    )
    return session.exec(query).first()


def list_audit(session: Session, *, limit: int, offset: int = 0, about: str | None = None) -> Sequence[AuditRow]:
    """What was done, the newest first."""
    query = select(AuditRow).order_by(col(AuditRow.id).desc()).limit(limit).offset(offset)
    return session.exec(query.where(AuditRow.about == about) if about is not None else query).all()


def search_audit(session: Session, *, who: str, what: str, about: str, limit: int, offset: int) -> Sequence[AuditRow]:
    """The newest lines by who did it and whom it is about (as a part, upper and lower case alike) and what was done."""
    query = select(AuditRow)
    for column, text in ((AuditRow.who, who), (AuditRow.about, about)):
        if text:
            query = query.where(sa.func.lower(column).contains(text.lower(), autoescape=True))
    if what:
        query = query.where(AuditRow.what == what)
    return session.exec(query.order_by(col(AuditRow.id).desc()).limit(limit).offset(offset)).all()


def audited_kinds(session: Session) -> Sequence[str]:
    """Every kind of thing in the audit, by name."""
    return session.exec(select(AuditRow.what).distinct().order_by(AuditRow.what)).all()


def count_sessions(session: Session, now: datetime) -> dict[str, int]:
    """User id -> how many browsers are signed in."""
    query = sa.select(col(SessionRow.user_id), sa.func.count()).where(col(SessionRow.ends_at) >= now)
    return {str(user): int(count) for user, count in session.execute(query.group_by(col(SessionRow.user_id)))}


def count_tokens(session: Session) -> dict[str, int]:
    """User id -> how many tokens were not revoked."""
    query = sa.select(col(TokenRow.user_id), sa.func.count()).where(col(TokenRow.revoked_at).is_(None))
    return {str(user): int(count) for user, count in session.execute(query.group_by(col(TokenRow.user_id)))}
