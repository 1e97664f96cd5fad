"""The roster in force: the file is read again when it changes, and one that is broken leaves the last good one."""

import os
import threading
from collections.abc import Callable, Mapping

import structlog

from facility.errors import InputError
from facility.registry import Registry
from plantroom.files import read_texts
from plantroom.settings import Settings
from ticketing.roster import NOBODY, Roster
from ticketing.roster_file import parse_roster

log = structlog.get_logger(__name__)
POLL_SECONDS = 2.0


class RosterWatch:
    """Call it for the roster in force. Raises InputError with every problem when the file it starts with is broken.

    A changed file is taken when two looks in a row agree, so that a half-saved one is never read. `refused` is why the
    file on disk is not in force, empty when it is. `first` is what the file it starts with is checked against: the site
    files just read, which the engine knows only when they have come through the journal.
    """

    def __init__(
        self,
        settings: Settings,
        registry: Callable[[], Registry],
        environment: Mapping[str, str] = os.environ,
        *,
        first: Registry | None = None,
    ) -> None:
        self._settings, self._registry, self._environment = settings, registry, environment
        self._read, self._seen, self.refused = "", "", ""
        self._roster = NOBODY
        if settings.roster is not None:
            self._read = self._seen = self._text()
            self._roster = self._parse(self._read, first)

    def __call__(self) -> Roster:
        """The roster in force."""
        return self._roster

    def look(self) -> bool:
        """Compare with the file once; whether another roster came into force."""
        if self._settings.roster is None:
            return False
        try:
            text = self._text()
            settled, self._seen = text == self._seen, text
            if not settled:
                return False
            if text == self._read:
                self.refused = ""
                return False
            self._roster = self._parse(text)
        except InputError as error:
            if str(error) != self.refused:
                log.error("the changed roster is refused, the one in force stays in force", reason=str(error))
            self.refused = str(error)
            return False
        self._read, self.refused = text, ""
        log.info("the changed roster is in force", people=len(self._roster.people))
        return True

    def run(self, stop: threading.Event) -> None:
        """Look until `stop`."""
        while not stop.wait(POLL_SECONDS):
            self.look()

    def _text(self) -> str:
        path = self._settings.roster
        return "" if path is None else "".join(read_texts([path], "roster").values())

    def _parse(self, text: str, registry: Registry | None = None) -> Roster:
        return parse_roster(text, str(self._settings.roster), self._environment, registry or self._registry())
