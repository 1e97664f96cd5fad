"""Who looks at the pages, and the door that lets her in. The program implements the door."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Visitor:
    """`name` goes into an order's history. `rights` are the program's words for what she may; `buildings` those she
    may see, None for all. `language` (empty: the browser's), `units` (`metric` or `us`) and `theme` (`light`, `dark`;
    empty: as her device says) are what she chose."""

    name: str
    role: str = "admin"
    rights: frozenset[str] = frozenset()
    buildings: frozenset[str] | None = None
    language: str = ""
    units: str = "metric"
    theme: str = ""


@dataclass(frozen=True, slots=True)
class Knock:
    """What came of signing in: a session for the cookie, or the word for why not (`wrong`, `locked`, `short` ...)."""

    session: str = ""
    refused: str = ""
    left: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Guest:
    """A session's visitor; `fresh` is the session's new name when it has just got one."""

    visitor: Visitor
    fresh: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a try comes from."""

    address: str = ""
    agent: str = ""


class Door(Protocol):
    """Who may come in. The pages keep the session in a cookie and ask here on every request."""

    def sign_in(self, name: str, password: str, source: Source) -> Knock:
        """With a name and a password."""

    def open_session(self, token: str, source: Source) -> Knock:
        """With an access token. The session must not be the token itself and must not be guessable."""

    def visit(self, session: str, bearer: str) -> Guest | None:
        """Whose session this is, or whose token; None for nobody's."""

    def may(self, visitor: Visitor, method: str, route: str, path: Mapping[str, object]) -> bool:
        """Whether she may use a route, by its template and the values in its path."""

    def close_session(self, session: str) -> None:
        """The session is over; unknown ones are ignored."""

    def link_owner(self, code: str) -> str | None:
        """Whose password a link may set; None when it is used up or too old."""

    def use_link(self, code: str, password: str, source: Source) -> Knock:
        """Set the password and come in, or the reason why not."""
