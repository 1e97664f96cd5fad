"""Tables of accounts. Secrets are kept as hashes only; the audit is only appended to (triggers see to it)."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticketing.tables import UtcInstant

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class UserRow(SQLModel, table=True):
    """A person. `buildings` are the only ones she may see; empty is all of them (never for a customer)."""

    __tablename__ = "account_user"

    id: str = Field(primary_key=True, max_length=32)
    name: str = Field(max_length=64, unique=True)
    display_name: str = Field(default="", max_length=200)
    role: str = Field(max_length=16)
    buildings: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    password_hash: str | None = Field(default=None, max_length=255)
    oidc_subject: str | None = Field(default=None, max_length=255, unique=True)
    language: str | None = Field(default=None, max_length=8)
    units: str | None = Field(default=None, max_length=8)
    theme: str | None = Field(default=None, max_length=8)
    failed: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=UtcInstant)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    created_at: datetime = Field(sa_type=UtcInstant)


class SessionRow(SQLModel, table=True):
    """A browser that is signed in. `id` is the hash of what its cookie holds; `was` the hash before it was rotated."""

    __tablename__ = "account_session"

    id: str = Field(primary_key=True, max_length=64)
    was: str | None = Field(default=None, max_length=64, index=True)
    user_id: str = Field(foreign_key="account_user.id", index=True, max_length=32)
    created_at: datetime = Field(sa_type=UtcInstant)
    rotated_at: datetime = Field(sa_type=UtcInstant)
    seen_at: datetime = Field(sa_type=UtcInstant)
    ends_at: datetime = Field(sa_type=UtcInstant)
    agent: str = Field(default="", max_length=200)


class TokenRow(SQLModel, table=True):
    """A token of a program. `hash` is of the token, which is shown once; `hint` its first letters."""

    __tablename__ = "account_token"

    id: str = Field(primary_key=True, max_length=32)
    user_id: str = Field(foreign_key="account_user.id", index=True, max_length=32)
    label: str = Field(max_length=100)
    hash: str = Field(max_length=64, unique=True)
    hint: str = Field(max_length=12)
    scope: str = Field(max_length=8)
    created_at: datetime = Field(sa_type=UtcInstant)
    ends_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    used_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class LinkRow(SQLModel, table=True):
    """A link that lets its owner set a password once. `hash` is of the code in it."""

    __tablename__ = "account_link"

    hash: str = Field(primary_key=True, max_length=64)
    user_id: str = Field(foreign_key="account_user.id", index=True, max_length=32)
    ends_at: datetime = Field(sa_type=UtcInstant)
    used_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class AuditRow(SQLModel, table=True):
    """One thing somebody did that is not in an order's history: signed in, made a user, revoked a token ..."""

    __tablename__ = "account_audit"

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    at: datetime = Field(sa_type=UtcInstant, index=True)
    who: str = Field(max_length=64)
    what: str = Field(max_length=40)
    about: str = Field(default="", max_length=200)
    detail: str = Field(default="", max_length=500)
    address: str = Field(default="", max_length=64)
