"""How people are called: whoever signs in as `li.wei` is Li Wei on the pages."""

from collections.abc import Mapping
from typing import Final

from facility.clock import Clock
from facility.instant import SECOND_US
from plantroom.accounts import repository
from ticketing.api import Sessions
from ticketing.roster import Roll

_KEPT_US: Final = 20 * SECOND_US


class PeopleNames:
    """Gives the name for a person's id or the name she signs in with: by the roster, else by her account, else that
    itself. May be called from several threads; an account's new name is seen within twenty seconds."""

    def __init__(self, sessions: Sessions, roster: Roll, wall: Clock) -> None:
        self._sessions, self._roster, self._wall = sessions, roster, wall
        self._accounts: tuple[int, Mapping[str, str]] = (-_KEPT_US, {})

    def __call__(self, login: str) -> str:
        person = self._roster().people.get(login)
        if person is not None:
            return person.name
        return self._accounts_now().get(login, login) if login else login

    def _accounts_now(self) -> Mapping[str, str]:
        read_us, found = self._accounts
        now_us = self._wall.now_us()
        if now_us - read_us >= _KEPT_US:
            with self._sessions.reading() as session:
                found = {row.name: row.display_name for row in repository.list_users(session) if row.display_name}
            self._accounts = (now_us, found)
        return found
