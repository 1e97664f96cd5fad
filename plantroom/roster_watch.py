"""The roster in force: the file is read again when it changes, and one that is broken leaves the last good one."""

import os
from collections.abc import Callable, Mapping

from facility.registry import Registry
from plantroom.file_watch import FileWatch
from plantroom.files import read_texts
from plantroom.settings import Settings
from ticketing.roster import NOBODY, Roster
from ticketing.roster_file import parse_roster


class RosterWatch(FileWatch[dict[str, str]]):
    """Call it for the roster in force. Raises InputError with every problem when the file it starts with is broken.

    `first` is what the file it starts with is checked against: the site files just read, which the engine knows only
    when they have come through the journal.
    """

    noun = "roster"

    def __init__(
        self,
        settings: Settings,
        registry: Callable[[], Registry],
        environment: Mapping[str, str] = os.environ,
        *,
        first: Registry | None = None,
    ) -> None:
        self._settings, self._registry, self._environment = settings, registry, environment
        super().__init__(self.read())
        self._roster = self._parse(self.in_force, first)

    def __call__(self) -> Roster:
        """The roster in force."""
        return self._roster

    def read(self) -> dict[str, str]:
        """The file, if the settings name one."""
        path = self._settings.roster
        return read_texts([path], "roster") if path is not None else {}

    def take(self, found: dict[str, str]) -> None:
        """Raises InputError with every problem."""
        self._roster = self._parse(found)

    def _parse(self, texts: Mapping[str, str], registry: Registry | None = None) -> Roster:
        if not texts:
            return NOBODY
        return parse_roster(
            "".join(texts.values()), str(self._settings.roster), self._environment, registry or self._registry()
        )
