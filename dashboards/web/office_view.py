"""What the back office shows and does: users, tokens, people and their channels, the audit; and one's own account.

The program implements the Protocols. Instants are aware UTC. What is refused raises PlantroomError with the words to
show; an InputError names the field by its problem's place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from dashboards.web.visitor import Source

ROLES = ("technician", "engineer", "manager", "customer", "admin")
SCOPES = ("read", "work", "all")


@dataclass(frozen=True, slots=True)
class UserView:
    """A user without anything secret. `buildings` empty is all of them."""

    name: str
    display_name: str
    role: str
    buildings: Sequence[str]
    has_password: bool
    by_provider: bool
    locked_until: datetime | None
    disabled_at: datetime | None
    created_at: datetime
    sessions: int
    tokens: int


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user as typed."""

    name: str = ""
    display_name: str = ""
    role: str = "technician"
    buildings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class TokenView:
    """A program's token; `hint` are its first letters."""

    id: str
    owner: str
    label: str
    scope: str
    hint: str
    created_at: datetime
    ends_at: datetime | None
    used_at: datetime | None
    is_over: bool


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A paper that allows work on a class, until and including a day."""

    name: str
    equipment_class: str
    until: date
    is_over: bool
    is_soon: bool


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody of the roster. `week` is the shift of each of seven days from today; None without a shift."""

    id: str
    name: str
    language: str
    roles: Sequence[str]
    skills: Sequence[str]
    certificates: Sequence[CertificateView]
    buildings: Sequence[str]
    channels: Sequence[str]
    quiet: str
    on_call: bool
    week: Sequence[tuple[date, str]] | None


@dataclass(frozen=True, slots=True)
class AuditView:
    """One thing somebody did."""

    at: datetime
    who: str
    what: str
    about: str
    detail: str
    address: str


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which lines: by who did it, what was done, whom or what it is about; empty is any. `page` counts from 1."""

    who: str = ""
    what: str = ""
    about: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a person chose for herself: language (empty: the browser's), units, `metric` or `us`, and `light` or `dark`
    pages (empty: as her device says)."""

    language: str = ""
    units: str = "metric"
    theme: str = ""


class OfficeDesk(Protocol):
    """For the admin. `by` and `source` stand in the audit. Every method may be called from several threads."""

    def users(self) -> Sequence[UserView]:
        """Everybody by name."""

    def user(self, name: str) -> UserView | None:
        """One of them; None when there is none of this name."""

    def add_user(self, typed: NewUser, *, by: str, source: Source) -> None:
        """A user without a password."""

    def change_user(self, name: str, role: str, buildings: Sequence[str], *, by: str, source: Source) -> None:
        """Another role or other buildings; her sessions end."""

    def switch_user(self, name: str, *, on: bool, by: str, source: Source) -> None:
        """Let her in again (and unlock her), or not any more."""

    def link_for(self, name: str, *, by: str, source: Source) -> str:
        """The path of a link that lets her set a password once within a day."""

    def tokens(self) -> Sequence[TokenView]:
        """Everybody's tokens that were not revoked."""

    def revoke(self, token_id: str, *, by: str, source: Source) -> None:
        """The token is worth nothing any more."""

    def people(self) -> Sequence[PersonView]:
        """The roster by name."""

    def teams(self) -> Sequence[tuple[str, Sequence[str]]]:
        """The teams of the roster with the names of their people."""

    def test_channel(self, person_id: str, channel: str, *, by: str, source: Source) -> None:
        """Send a word by a person's channel now. Raises PlantroomError when it is not taken."""

    def audit(self, query: AuditQuery, most: int) -> tuple[Sequence[AuditView], bool]:
        """A page of at most so many lines, the newest first; and whether there are older ones."""

    def audited(self) -> Sequence[str]:
        """Every kind of thing in the audit."""


class OwnDesk(Protocol):
    """For everybody about herself, by her user name."""

    def preferences(self, name: str) -> Preferences:
        """What she chose; the defaults for somebody who is no user."""

    def prefer(self, name: str, chosen: Preferences) -> None:
        """Keep a choice."""

    def own_tokens(self, name: str) -> Sequence[TokenView]:
        """Her tokens that were not revoked."""

    def make_token(self, name: str, label: str, scope: str, days: int | None, *, source: Source) -> str:
        """A token for a program that acts for her; its text is shown this once."""

    def revoke_own(self, name: str, token_id: str, *, source: Source) -> None:
        """One of hers is worth nothing any more."""
