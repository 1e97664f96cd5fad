"""Takes up changed site and rule files while the program runs: all of them together, or none.

The files are compared by content every two seconds and taken when two looks in a row agree, so that a half-saved file
is never judged. What is in order goes into the journal as an event; what is broken is refused with its reason, and
the files in force stay in force.
"""

import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import structlog

from facility.clock import Clock
from facility.errors import InputError
from facility.reading import ControlEvent, RuleSetActivated, SiteEdited
from ingest.control import submit
from plantroom.contracts import load_contracts
from plantroom.files import read_texts
from plantroom.plant_files import parse_sites, read_rule_files
from plantroom.settings import Settings
from rules.rule_set import RuleSet

log = structlog.get_logger(__name__)
POLL_SECONDS = 2.0


class PlantFiles(msgspec.Struct, frozen=True):
    """Name -> text of the site files and of all rule files, shipped ones too."""

    site: dict[str, str]
    rules: dict[str, str]


class Reload:
    """Watches the files of the settings; `in_force` are those the program started with.

    Files that contradict the contracts in force are refused. `refused` is why the files
    on disk are not those in force, empty when they are. While `leads` says no, another process tells the journal.
    """

    def __init__(
        self,
        settings: Settings,
        in_force: PlantFiles,
        contracts: Callable[[], Mapping[str, str]],
        clock: Clock,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._leads, self._lock = leads, threading.Lock()
        self._settings, self._in_force, self._contracts, self._clock = settings, in_force, contracts, clock
        self._seen: PlantFiles | str = in_force
        self._submitted_us = 0
        self.refused = ""

    def hand_over(self, bring_up_to: Callable[[dict[str, str], dict[str, str], Path], None]) -> None:
        """This process leads from here on: `bring_up_to` makes the journal say what is on disk, where it does not. What
        is broken on disk leaves what is in force. Raises OSError."""
        with self._lock:
            found = self._read()
            if isinstance(found, str):
                log.error("the files on disk are refused, those in force stay in force", reason=found)
                self._seen = self.refused = found
                return
            bring_up_to(found.site, found.rules, self._settings.control_folder)
            self._seen = self._in_force = found

    def look(self) -> None:
        """Compare once. Raises OSError when the events cannot be written; the next look tries again."""
        with self._lock:
            self._look()

    def _look(self) -> None:
        found = self._read()
        settled, self._seen = found == self._seen, found
        if not settled:
            return
        if isinstance(found, str):
            if found != self.refused:
                log.error("changed files are refused, those in force stay in force", reason=found)
            self.refused = found
            return
        changed = self._events(found) if self._leads() else []
        for event in changed:
            submit(self._settings.control_folder, event)
            log.info("changed files are taken up", kind=type(event).__name__)
        self._in_force, self.refused = found, ""

    def run(self, stop: threading.Event) -> None:
        """Look until `stop`."""
        while not stop.wait(POLL_SECONDS):
            try:
                self.look()
            except OSError as error:
                log.error("changed files cannot be handed over yet", reason=str(error))

    def _read(self) -> PlantFiles | str:
        """The files on disk, checked together when they are others than those in force; or what is wrong with them."""
        try:
            site = read_texts(self._settings.site_files, "site")
            found = PlantFiles(site, read_rule_files(self._settings.rules))
            if found != self._in_force:  # those in force were checked when they came into force
                registry = parse_sites(site)
                load_contracts(self._contracts(), registry, RuleSet.load(found.rules).rules)
        except InputError as error:
            return str(error)
        return found

    def _events(self, found: PlantFiles) -> list[ControlEvent]:
        events: list[ControlEvent] = []
        if found.site != self._in_force.site:
            events.append(SiteEdited(uuid.uuid4().hex, self._now_us(), found.site))
        if found.rules != self._in_force.rules:
            digest = RuleSet.load(found.rules).digest
            events.append(RuleSetActivated(uuid.uuid4().hex, self._now_us(), digest, found.rules))
        return events

    def _now_us(self) -> int:
        """Events are journalled by their instants: two of them never share one, also where the clock stands."""
        self._submitted_us = max(self._clock.now_us(), self._submitted_us + 1)
        return self._submitted_us
